"""Filters of the queue that somebody keeps under a name: his own, or shared with the people of a facility."""

import uuid

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.http import Http404

from console.accounts.access import grants, require
from console.accounts.models import Facility, User
from console.accounts.roles import Right
from console.tickets.models import SavedView
from console.tickets.moves import TicketError

MOST = 60


def seen_by(user: User | AnonymousUser) -> QuerySet[SavedView]:
    """Give the views a person sees: his own, and those shared where he sees tickets."""
    return SavedView.objects.filter(_seen(user)).select_related("facility", "owner").order_by("name", "id")[:MOST]


def view_or_404(user: User | AnonymousUser, view_id: uuid.UUID) -> SavedView:
    """Give a view: 404 for what the person does not see."""
    view = SavedView.objects.filter(_seen(user), pk=view_id).select_related("facility", "owner").first()
    if view is None:
        raise Http404("There is no such view.")
    return view


def own_or_404(user: User | AnonymousUser, view_id: uuid.UUID) -> SavedView:
    """Give a view to change: one's own, or as administrator a shared one; 403 where one only sees it."""
    administered = Q(facility__in=grants(user).where(Right.ADMINISTER))
    rows = SavedView.objects.filter(_seen(user) | administered, pk=view_id)
    view = rows.select_related("facility", "owner").first()
    if view is None:
        raise Http404("There is no such view.")
    if not may_change(user, view):
        raise PermissionDenied(f"This view is {view.owner}'s. Save one of your own from it.")
    return view


def may_change(user: User | AnonymousUser, view: SavedView) -> bool:
    """Tell whether a person may rename, share or delete a view."""
    administers = view.facility_id is not None and grants(user).has(Right.ADMINISTER, view.facility_id)
    return view.owner_id == user.pk or administers


def _seen(user: User | AnonymousUser) -> Q:
    return Q(owner=user) | Q(facility__in=grants(user).where(Right.SEE_TICKETS))


def save(*, user: User, name: str, query: str, facility: Facility | None = None) -> SavedView:
    """Keep a filter under a name; sharing it needs the right to work on tickets there."""
    if facility is not None:
        require(user, Right.WORK_TICKETS, facility.id)
    if SavedView.objects.filter(owner=user).count() >= MOST:
        raise TicketError(f"You have {MOST} views. Delete one first.")
    try:
        with transaction.atomic():
            return SavedView.objects.create(owner=user, name=name, query=query, facility=facility)
    except IntegrityError:
        raise TicketError(f"You have a view with the name “{name}” already.") from None


def change(*, view: SavedView, name: str, facility: Facility | None, by: User, query: str | None = None) -> None:
    """Rename a view, share it or keep it for oneself, and let it mean another filter."""
    if facility is not None and facility.id != view.facility_id:
        require(by, Right.WORK_TICKETS, facility.id)
    view.name, view.facility = name, facility
    if query is not None:
        view.query = query
    try:
        with transaction.atomic():
            view.save(update_fields=["name", "facility", "query"])
    except IntegrityError:
        raise TicketError(f"You have a view with the name “{name}” already.") from None


def delete(*, view: SavedView) -> None:
    """Delete a view; the tickets it showed are untouched."""
    view.delete()
