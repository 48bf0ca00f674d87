"""Who may make the practice EHR ill."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right


def require_mailbox(user: User | AnonymousUser) -> None:
    """Let those through who cause mails: administrators, and who works on tickets; outside the demo nobody."""
    if not settings.DEMO:
        raise Http404("There is no mailbox here.")
    held = grants(user)
    if not held.where(Right.ADMINISTER) and not held.where(Right.WORK_TICKETS):
        raise PermissionDenied("Your role does not see the demo's mailbox.")


def require_practice(user: User | AnonymousUser) -> None:
    """Let those through who run diagnoses; outside the demo the page does not exist."""
    if not settings.DEMO:
        raise Http404("There is no practice EHR here.")
    if not grants(user).where(Right.RUN_DIAGNOSIS):
        raise PermissionDenied("Your role does not run diagnoses.")
