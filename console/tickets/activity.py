"""What happened to a ticket, in sentences, newest first."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import TextChoices
from django.utils import timezone

from console.diagnoses import words
from console.diagnoses.models import Answer
from console.shared.templatetags.house import lasting
from console.tickets.models import (
    Attachment,
    Severity,
    Ticket,
    TicketAction,
    TicketEvent,
    TicketNote,
    TicketState,
    WaitingFor,
)
from diagnostics import catalog
from diagnostics.checklists import ITEMS
from diagnostics.questions import QUESTIONS

Kind = TicketEvent.Kind

_ICONS: dict[str, str] = {
    Kind.OPENED: "flag",
    Kind.STATE: "arrow-right",
    Kind.OWNER: "user",
    Kind.SEVERITY: "alert-triangle",
    Kind.RUN_REQUESTED: "refresh",
    Kind.RUN_CONCLUDED: "route",
    Kind.COMMENT: "message",
    Kind.ATTACHMENT: "paperclip",
    Kind.ANSWER: "info-circle",
    Kind.CHECKLIST: "checklist",
    Kind.DISAGREED: "thumb-down",
    Kind.NOTE_ADDED: "file-text",
    Kind.NOTE_ENDED: "file-text",
    Kind.PAYLOAD_OPENED: "eye",
    Kind.CAUSE_CONFIRMED: "checks",
    Kind.OUTCOME: "clipboard-check",
    Kind.PACKET_SENT: "send",
    Kind.VENDOR_ANSWER: "message",
    Kind.ARTICLE: "book",
    Kind.ALERT: "bell-ringing",
    Kind.UNDONE: "rotate",
    Kind.UNDONE: "rotate",
    Kind.HANDOVER: "arrows-exchange",
    Kind.PROVIDER_TOLD: "message",
    Kind.PAUSED: "hourglass",
    Kind.TITLE: "pencil",
    Kind.MERGED: "git-merge",
    Kind.SPLIT: "git-compare",
    Kind.PARENT: "link",
    Kind.RESEND: "send",
    Kind.ACTION: "test-pipe",
    Kind.ACTION_ENDED: "route",
    Kind.CONFIRMED: "checks",
}


_ALERT = {"opened": "opened this ticket for an alert", "ended": "saw the alert end"}
_CONFIRMED = {
    "run": "saw the fix confirmed by a diagnosis",
    "chart": "saw the fix confirmed by notes in the chart",
    "none": "resolved it without a confirmation",
}
_PARENT = {
    "part of": "made it part of an incident",
    "holds": "linked a ticket to this incident",
    "left": "took it out of its incident",
    "lost": "unlinked a ticket from this incident",
}
_ARTICLE = {"drafted": "drafted an article from this ticket", "published": "published this ticket's article"}


UNDONE = {
    "owner": "who has the ticket",
    "severity": "its severity",
    "checklist": "a checklist item",
    "note_ended": "how a note ended",
    "watch": "who watches it",
}


UNDONE = {
    "owner": "who has the ticket",
    "severity": "its severity",
    "checklist": "a checklist item",
    "note_ended": "how a note ended",
    "watch": "who watches it",
}


@dataclass(frozen=True)
class Entry:
    """Be one line of the activity; `body` is what somebody wrote, `file` what somebody attached."""

    kind: str
    icon: str
    who: str
    says: str
    at: datetime
    body: str = ""
    file: Attachment | None = None


def activity(ticket: Ticket) -> tuple[Entry, ...]:
    """Read the events with what they are about; five queries, however long the story."""
    events = ticket.events.select_related("by").order_by("-at", "-id")
    # That a run began and ended is told by its own two events; the states it moves through say nothing more.
    events = events.exclude(kind=Kind.STATE, after__in=(TicketState.DIAGNOSING, TicketState.DIAGNOSED))
    bodies: dict[uuid.UUID, str] = {row.id: row.text for row in ticket.comments.all()}
    bodies |= {row.id: row.text for row in ticket.disagreements.all()}
    bodies |= {row.id: row.value for row in Answer.objects.filter(ticket_id=ticket.id)}
    files = {row.id: row for row in ticket.attachments.defer("content")}
    return tuple(
        Entry(
            kind=event.kind,
            icon=_ICONS.get(event.kind, "info-circle"),
            who=str(event.by) if event.by else "NoteTrace",
            says=_says(event),
            at=event.at,
            body=bodies.get(event.reference, "") if event.reference else "",
            file=files.get(event.reference) if event.reference else None,
        )
        for event in events
    )


def _says(event: TicketEvent) -> str:
    before, after = event.before, event.after
    match event.kind:
        case Kind.OPENED:
            return "opened the ticket"
        case Kind.STATE:
            return f"changed the state to {_state(after)}"
        case Kind.OWNER:
            if not after:
                return "gave the ticket back"
            return "took the ticket" if event.by and after == str(event.by) else f"gave the ticket to {after}"
        case Kind.SEVERITY:
            name = _label(Severity, after).lower()
            return f"changed the severity to {name}" if event.by else f"set the severity to {name} by the diagnosis"
        case Kind.RUN_REQUESTED:
            return f"asked for a diagnosis of step {after}" if after else "asked for a diagnosis"
        case Kind.RUN_CONCLUDED:
            if before != "done":
                return "could not bring the diagnosis to an end"
            cause = catalog.causes().get(after)
            return f"concluded: {cause.title if cause else after}" if after else "concluded without a cause"
        case Kind.COMMENT:
            return "wrote"
        case Kind.ATTACHMENT:
            return "attached"
        case Kind.ANSWER:
            asked = QUESTIONS.get(after)
            return f"answered: {asked.text if asked else after}"
        case Kind.CHECKLIST:
            return _checklist(before, after)
        case Kind.DISAGREED:
            own = words.CATEGORIES.get(after, after)
            return (
                f"disagreed with the verdict, holding {own.lower()} to be the cause"
                if own
                else "disagreed with the verdict"
            )
        case Kind.NOTE_ADDED:
            if before == "reported":
                return f"was told of it again by {after}"
            return f"added {after} notes" if after else "added a note"
        case Kind.NOTE_ENDED:
            what = before if before.endswith(" notes") else "a note"
            return f"said how {what} ended: {_label(TicketNote.End, after).lower()}"
        case Kind.MERGED:
            return f"merged ticket #{after} into this one" if before == "from" else f"merged it into ticket #{after}"
        case Kind.SPLIT:
            way, _, number = after.partition(" ")
            notes = "1 note" if before == "1" else f"{before} notes"
            return f"split {notes} off {way} ticket #{number}"
        case Kind.PARENT:
            return _PARENT.get(before, "changed its incident")
        case Kind.PAYLOAD_OPENED:
            return "opened a note's content" if event.reference else "opened what was pasted or reported"
        case Kind.CAUSE_CONFIRMED:
            cause = catalog.causes().get(after)
            return f"confirmed the cause: {cause.title if cause else words.CATEGORIES.get(before, 'not known')}"
        case Kind.OUTCOME:
            return f"said how it ended: {_label(TicketNote.End, after).lower()}"
        case Kind.PACKET_SENT:
            return f"sent the packet for the vendor to {after}" if after else "took the packet for the vendor along"
        case Kind.VENDOR_ANSWER:
            return f"entered the vendor's answer, case {after}" if after else "entered the vendor's answer"
        case Kind.ARTICLE:
            return _ARTICLE.get(after, "decided that this ticket needs no article")
        case Kind.ACTION:
            return f"started “{_label(TicketAction.Kind, after)}”"
        case Kind.ACTION_ENDED:
            tried, went = _label(TicketAction.Kind, before), _label(TicketAction.Outcome, after)
            return f"saw the outcome of “{tried}”: {went.lower()}"
        case Kind.CONFIRMED:
            return _CONFIRMED.get(after, "confirmed the fix")
        case Kind.RESEND:
            return after
        case Kind.HANDOVER:
            return f"handed over to {after}" if after else "wrote a handover"
        case Kind.PROVIDER_TOLD:
            return "told the provider"
        case Kind.PAUSED:
            return _paused(after)
        case Kind.TITLE:
            return f"changed the title from “{before}”"
        case Kind.UNDONE:
            return f"undid the change of {UNDONE.get(after, 'this ticket')}"
        case Kind.UNDONE:
            return f"undid the change of {UNDONE.get(after, 'this ticket')}"
        case Kind.ALERT:
            return f"{_ALERT.get(before, 'joined an alert')}: {after}"
    return str(event.get_kind_display()).lower()


def _state(value: str) -> str:
    state, _, waiting_for = value.partition(":")
    name = _label(TicketState, state).lower()
    if not waiting_for:
        return name
    whom = _label(WaitingFor, waiting_for)
    return f"{name} on {whom if whom.startswith('EHR') else whom.lower()}"


def _paused(after: str) -> str:
    word, _, left = after.partition(" ")
    if word == "left":
        return f"paused the target with {lasting(timedelta(seconds=int(left)))} left"
    return f"let the target go on: {timezone.localtime(datetime.fromisoformat(after)):%-d %b %H:%M}"


def _label(choices: type[TextChoices], value: str) -> str:
    return str(dict(choices.choices).get(value, value))


def _checklist(before: str, after: str) -> str:
    item = before.partition(" ")[0]
    if after == "added":
        return f"added the checklist “{item.replace('-', ' ')}”"
    text = ITEMS[item].text if item in ITEMS else item
    after, _, answer = after.partition(":")
    if answer:
        return f"answered with {answer}: “{text}”"
    verb = {"done": "ticked", "open": "reopened", "not_applicable": "set aside"}.get(after, "changed")
    return f"{verb} “{text}”"
