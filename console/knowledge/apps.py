"""The knowledge app."""

from django.apps import AppConfig
from django.http import HttpRequest

from console.shared.navigation import Badge, Entry, add_entry


class KnowledgeConfig(AppConfig):
    """Name the app and put it into the navigation."""

    name = "console.knowledge"

    def ready(self) -> None:
        """Register the entry, and the form whose text is kept as a draft."""
        from console.knowledge.closing import close_without_article
        from console.tickets.closing import decide_with
        from console.tickets.drafts import remember

        remember("knowledge:resolve", place="resolve", field="what_was_done", page="knowledge:resolve")
        decide_with(close_without_article)
        add_entry(Entry(50, "Knowledge base", "knowledge:search", ("knowledge",), _sees, _waiting))


def _sees(request: HttpRequest) -> bool:
    from console.accounts.access import grants
    from console.accounts.roles import Right

    return bool(grants(request.user).where(Right.SEE_TICKETS))


def _waiting(request: HttpRequest) -> Badge | None:
    """Count what waits for this person, who reviews or releases; nobody else has a badge."""
    from console.accounts.access import grants
    from console.accounts.place import places
    from console.accounts.roles import Right
    from console.knowledge.access import releasable
    from console.knowledge.queries import count_waiting

    held = grants(request.user)
    if held.where(Right.REVIEW_KNOWLEDGE):
        count = count_waiting(request.user, places(request, Right.REVIEW_KNOWLEDGE))
        return Badge("waiting for review", count) if count else None
    if held.where(Right.RELEASE_PHI):
        count = releasable(request.user).count()
        return Badge("waiting for your release", count) if count else None
    return None
