"""The health app: the pages of integrations. They show runs, and diagnoses stand above integrations."""

from django.apps import AppConfig
from django.http import HttpRequest

from console.shared.navigation import Entry, add_entry


class HealthConfig(AppConfig):
    """Name the app and enter its page into the navigation."""

    name = "console.health"

    def ready(self) -> None:
        """Register the entry."""
        add_entry(Entry(20, "Integrations", "integrations:list", ("integrations",), _sees))


def _sees(request: HttpRequest) -> bool:
    from console.accounts.access import grants
    from console.accounts.roles import Right

    return bool(grants(request.user).where(Right.SEE_INTEGRATIONS))
