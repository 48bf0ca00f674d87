"""Find notes."""

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from console.accounts.access import closed_departments, grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.notes.correlation.asked import tell_asked
from console.notes.correlation.loading import Keys
from console.notes.models import Note
from console.notes.services import hashes_for


def visible(user: User | AnonymousUser, right: Right = Right.SEE_TICKETS) -> QuerySet[Note]:
    """Give the notes a person may know of."""
    return Note.objects.filter(facility__in=grants(user).where(right)).exclude(department__in=closed_departments(user))


def find(user: User | AnonymousUser, pasted: str) -> QuerySet[Note]:
    """Find notes by note id, transaction id or encounter id, in every facility the person sees; newest first.

    A note whose rows came a moment ago is told first, so that it is found like any other.
    """
    places = {facility_id: hashes_for(facility_id, pasted) for facility_id in grants(user).where(Right.SEE_TICKETS)}
    kinds = ("note", "transaction", "encounter")
    tell_asked(places, Keys(**{kind: {digests[kind] for digests in places.values()} for kind in kinds}))
    match = Q(pk=None)
    for facility_id, digests in places.items():
        match |= Q(facility_id=facility_id) & (
            Q(external_hash=digests["note"])
            | Q(transaction_hash=digests["transaction"])
            | Q(encounter_hash=digests["encounter"])
        )
    return (
        visible(user)
        .filter(match)
        .select_related("integration", "facility", "department")
        .order_by("-created_at", "-id")
    )
