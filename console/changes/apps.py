"""The changes app."""

from django.apps import AppConfig
from django.http import HttpRequest

from console.shared.navigation import Badge, Entry, add_entry


class ChangesConfig(AppConfig):
    """Name the app and enter its page into the navigation."""

    name = "console.changes"

    def ready(self) -> None:
        """Register the entry."""
        add_entry(Entry(40, "Templates", "changes:register", ("changes",), _sees, _waiting))


def _sees(request: HttpRequest) -> bool:
    from console.accounts.access import grants
    from console.accounts.roles import Right

    return bool(grants(request.user).where(Right.SEE_INTEGRATIONS))


def _waiting(request: HttpRequest) -> Badge | None:
    """Count what waits, for those who decide."""
    from console.accounts.place import places
    from console.accounts.roles import Right
    from console.changes.queries import waiting_for

    where = places(request, Right.REVIEW_KNOWLEDGE)
    count = waiting_for(where) if where else 0
    return Badge("waiting for review", count) if count else None
