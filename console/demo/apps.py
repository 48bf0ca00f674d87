"""The demo app."""

from django.apps import AppConfig
from django.conf import settings
from django.http import HttpRequest

from console.shared.navigation import Entry, add_entry


class DemoConfig(AppConfig):
    """Name the app."""

    name = "console.demo"

    def ready(self) -> None:
        """Bring the page of practice faults into the navigation, for those who may use it, in the demo."""
        add_entry(Entry(90, "Practice faults", "demo:practice", ("demo:practice",), _may_practise, more=True))
        add_entry(Entry(95, "Demo mailbox", "demo:mailbox", ("demo:mailbox",), _may_see_mail, more=True))


def _may_see_mail(request: HttpRequest) -> bool:
    from console.accounts.access import grants
    from console.accounts.roles import Right

    held = grants(request.user)
    return settings.DEMO and bool(held.where(Right.ADMINISTER) or held.where(Right.WORK_TICKETS))


def _may_practise(request: HttpRequest) -> bool:
    from console.accounts.access import grants
    from console.accounts.roles import Right

    return settings.DEMO and bool(grants(request.user).where(Right.RUN_DIAGNOSIS))
