"""The resends app."""

from django.apps import AppConfig
from django.http import HttpRequest

from console.shared.navigation import Badge, Entry, add_entry


class ResendsConfig(AppConfig):
    """Name the app and enter the page of what waits for a second person into the navigation."""

    name = "console.resends"

    def ready(self) -> None:
        """Register the entry, and that a live resend holds its ticket's notes."""
        from console.resends.holding import follow_merge, why_in_use
        from console.tickets.busy import ask
        from console.tickets.merging import follow

        ask(why_in_use)
        follow(follow_merge)
        add_entry(Entry(45, "Resends", "resends:waiting", ("resends",), _sees, _waiting, more=True))


def _sees(request: HttpRequest) -> bool:
    from console.accounts.access import grants
    from console.accounts.roles import Right

    held = grants(request.user)
    return bool(held.where(Right.RESEND_NOTES) or held.where(Right.APPROVE_RESEND))


def _waiting(request: HttpRequest) -> Badge | None:
    """Count what waits for this person's word, for those who may give it."""
    from console.resends.queries import waiting_for

    count = waiting_for(request.user).count()
    return Badge("waiting for approval", count) if count else None
