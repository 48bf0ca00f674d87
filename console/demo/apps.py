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
        add_entry(Entry(90, "Practice faults", "demo:practice", ("demo",), _may_practise, more=True))


def _may_practise(request: HttpRequest) -> bool:
    from console.accounts.access import grants
    from console.accounts.roles import Right

    return settings.DEMO and bool(grants(request.user).where(Right.RUN_DIAGNOSIS))
