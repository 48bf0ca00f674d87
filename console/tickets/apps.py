"""The tickets app."""

from django.apps import AppConfig
from django.http import HttpRequest

from console.shared.navigation import Badge, Entry, add_entry


class TicketsConfig(AppConfig):
    """Name the app and let finished runs reach their tickets."""

    name = "console.tickets"

    def ready(self) -> None:
        """Listen to diagnoses; an explicit call, not a signal, in the run's own transaction."""
        from console.diagnoses.conclusions import listen
        from console.notes.ends import follow
        from console.tickets.conclusions import take_conclusion
        from console.tickets.following import follow_ends

        listen(take_conclusion)
        _keep_drafts()
        follow(follow_ends)
        add_entry(Entry(10, "Tickets", "tickets:queue", ("tickets", "knowledge:resolve"), _sees, _open))
        here = ("tickets:calendars", "tickets:calendar")
        add_entry(Entry(72, "Targets", "tickets:calendars", here, _administers, more=True))


def _keep_drafts() -> None:
    from console.shared.idle import keep_with
    from console.tickets.drafts import keep_what_was_sent, remember

    keep_with(keep_what_was_sent)
    remember("tickets:comment", place="comment", field="text", page="tickets:ticket")
    remember("tickets:disagree", place="objection", field="text", page="tickets:ticket")
    remember("tickets:reopen", place="reopen", field="reason", page="tickets:ticket")
    remember("tickets:handover", place="handover", field="text", page="tickets:handover")
    remember("tickets:open", place="open", field="pasted", page="tickets:open")


def _administers(request: HttpRequest) -> bool:
    from console.accounts.access import grants
    from console.accounts.roles import Right

    return bool(grants(request.user).where(Right.ADMINISTER))


def _sees(request: HttpRequest) -> bool:
    from console.accounts.access import grants
    from console.accounts.roles import Right

    return bool(grants(request.user).where(Right.SEE_TICKETS))


def _open(request: HttpRequest) -> Badge:
    from console.accounts.place import places
    from console.accounts.roles import Right
    from console.tickets.queue_rows import MOST_BADGE, count_open, sight

    count = count_open(sight(request.user, places(request, Right.SEE_TICKETS)))
    return Badge(f"{MOST_BADGE} or more open", f"{MOST_BADGE - 1}+") if count >= MOST_BADGE else Badge("open", count)
