"""The accounts app."""

from collections.abc import Callable

from django.apps import AppConfig
from django.http import HttpRequest

from console.shared.navigation import Entry, add_entry


class AccountsConfig(AppConfig):
    """Name the app."""

    name = "console.accounts"

    def ready(self) -> None:
        """Bring the pages of administrators and privacy officers into the navigation."""
        add_entry(Entry(70, "People", "accounts:people", _PEOPLE, _has("administer")))
        add_entry(Entry(75, "Audit trail", "accounts:audit", ("accounts:audit",), _has("see_audit")))


_PEOPLE = ("accounts:people", "accounts:invite", "accounts:person", "accounts:grants", "accounts:act")


def _has(right: str) -> Callable[[HttpRequest], bool]:
    def shown(request: HttpRequest) -> bool:
        from console.accounts.access import grants
        from console.accounts.roles import Right

        return bool(grants(request.user).where(Right(right)))

    return shown
