"""The reports app."""

from django.apps import AppConfig
from django.http import HttpRequest

from console.shared.navigation import Entry, add_entry


class ReportsConfig(AppConfig):
    """Name the app and stand in the navigation."""

    name = "console.reports"

    def ready(self) -> None:
        """Register the entry."""
        add_entry(Entry(60, "Reports", "reports:mttr", ("reports",), _sees))


def _sees(request: HttpRequest) -> bool:
    from console.accounts.access import grants
    from console.accounts.roles import Right

    return bool(grants(request.user).where(Right.SEE_REPORTS))
