"""Which integrations a person sees: those of the facilities where he has the right."""

import uuid

from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404

from console.accounts.access import grants, require
from console.accounts.models import User
from console.accounts.roles import Right
from console.integrations.models import Integration


def must_see(user: User | AnonymousUser, right: Right = Right.SEE_INTEGRATIONS) -> None:
    """Refuse with 403 whoever has the right nowhere."""
    if not grants(user).where(right):
        raise PermissionDenied("Your role does not allow this. Ask your facility's administrator.")


def visible(user: User | AnonymousUser) -> QuerySet[Integration]:
    """Give the integrations a person sees."""
    return Integration.objects.filter(facility__in=grants(user).where(Right.SEE_INTEGRATIONS))


def integration_or_404(
    user: User | AnonymousUser, integration_id: uuid.UUID, right: Right | None = None
) -> Integration:
    """Give an integration: 404 for what the person does not see, 403 where he sees it but lacks `right`."""
    integration = visible(user).filter(pk=integration_id).select_related("facility").first()
    if integration is None:
        raise Http404("There is no such integration.")
    if right is not None:
        require(user, right, integration.facility_id)
    return integration
