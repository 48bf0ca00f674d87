"""Which template versions and reviews a person sees: those of the facilities whose integrations he sees."""

import uuid

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from guardian.shortcuts import get_users_with_perms

from console.accounts.access import grants, require
from console.accounts.models import Facility, User
from console.accounts.roles import Right
from console.changes.models import ChangeReview
from console.integrations.models import Integration, TemplateVersion


def must_see(user: User | AnonymousUser, right: Right = Right.SEE_INTEGRATIONS) -> None:
    """Refuse with 403 whoever has the right nowhere."""
    if not grants(user).where(right):
        raise PermissionDenied("Your role does not allow this. Ask your facility's administrator.")


def reviews(user: User | AnonymousUser) -> QuerySet[ChangeReview]:
    """Give the reviews a person sees."""
    return ChangeReview.objects.filter(facility__in=grants(user).where(Right.SEE_INTEGRATIONS))


def review_or_404(user: User | AnonymousUser, review_id: uuid.UUID, right: Right | None = None) -> ChangeReview:
    """Give a review: 404 where it is not seen, 403 where the right is lacking."""
    review = reviews(user).select_related("facility", "proposed_by", "decided_by").filter(pk=review_id).first()
    if review is None:
        raise Http404("There is no such change review.")
    if right is not None:
        require(user, right, review.facility_id)
    return review


def version_or_404(user: User | AnonymousUser, version_id: uuid.UUID) -> TemplateVersion:
    """Give a version of a template of a visible integration."""
    version = (
        TemplateVersion.objects.filter(integration__facility__in=grants(user).where(Right.SEE_INTEGRATIONS))
        .select_related("integration__facility")
        .filter(pk=version_id)
        .first()
    )
    if version is None:
        raise Http404("There is no such template version.")
    return version


def integration_or_404(user: User | AnonymousUser, integration_id: uuid.UUID, right: Right) -> Integration:
    """Give a visible integration: 404 where it is not seen, 403 where the right is lacking."""
    seen = Integration.objects.filter(facility__in=grants(user).where(Right.SEE_INTEGRATIONS))
    integration = seen.select_related("facility").filter(pk=integration_id).first()
    if integration is None:
        raise Http404("There is no such integration.")
    require(user, right, integration.facility_id)
    return integration


def reviewers(facility: Facility) -> QuerySet[User]:
    """Give the people who decide about template changes at a facility."""
    people = get_users_with_perms(
        facility, only_with_perms_in=[Right.REVIEW_KNOWLEDGE.value], with_superusers=False
    ).filter(is_active=True)
    return people.order_by("name", "id")


def somebody_else_decides(review: ChangeReview, person: User) -> bool:
    """Tell whether a proposer must leave the approval to a colleague: where there is one."""
    return review.proposed_by_id == person.pk and reviewers(review.facility).exclude(pk=person.pk).exists()
