"""Turn traces into what a line of any list about notes shows."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses.pages import mini
from console.diagnoses.words import STAGES
from console.notes.models import FailureMode, Note, Trace
from console.tickets.access import visible
from console.tickets.models import OPEN_STATES, TicketNote
from console.worklist import words
from console.worklist.gaps import Gap


@dataclass(frozen=True)
class TicketLink:
    """Point at a ticket that holds the note."""

    number: int
    is_open: bool


@dataclass(frozen=True)
class Line:
    """Be one note in a list; ids of patients, encounters and notes are absent unless the person may open payloads."""

    trace: Trace | None
    note: Note | None
    at: datetime
    waits_for: timedelta
    pill: str
    tone: str
    sureness: str
    cause: words.Cause
    stops: tuple[tuple[int, str], ...]
    stops_say: str
    provider: str
    department: str
    site: str
    integration: str
    facility: str
    encounter_id: str
    unjudged: Gap | None
    ticket: TicketLink | None
    may_end: bool


def traces(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Trace]:
    """Read traces with all that a line shows of them."""
    rows: QuerySet[Trace] = Trace.objects.filter(id__in=ids)
    return {row.id: row for row in rows.select_related("note__department", "integration", "facility")}


def lines(user: User, found: Sequence[Trace], gaps: Mapping[uuid.UUID, Gap]) -> list[Line]:
    """Make the lines of traces: one statement more, for their tickets."""
    held = grants(user)
    links = tickets_of(user, [trace.note_id for trace in found if trace.note_id])
    return [
        _line(
            trace,
            gaps.get(trace.integration_id),
            links.get(trace.note_id),
            opens=held.has(Right.OPEN_PAYLOAD, trace.facility_id),
            works=held.has(Right.WORK_TICKETS, trace.facility_id),
        )
        for trace in found
    ]


def stand_in(note: Note) -> Trace:
    """Give a trace, never stored, for a note of which no log has told: it says what the note itself knows."""
    at = note.generated_at or note.created_at
    return Trace(
        facility=note.facility, integration=note.integration, note=note, failure_mode=note.failure_mode,
        confidence=1.0, born_at=at, last_at=at, provider=note.provider,
    )  # fmt: skip


def tickets_of(user: User, note_ids: Collection[uuid.UUID | None]) -> dict[uuid.UUID | None, TicketLink]:
    """Give each note's ticket that the person sees: an open one before a finished one, the newest first."""
    rows = TicketNote.objects.filter(note__in=note_ids, ticket__in=visible(user))
    found: dict[uuid.UUID | None, TicketLink] = {}
    told = rows.order_by("ticket__opened_at", "ticket_id").values_list("note_id", "ticket__number", "ticket__state")
    for note_id, number, state in told:
        link = TicketLink(number, state in OPEN_STATES)
        if link.is_open or not found.get(note_id, link).is_open:
            found[note_id] = link
    return found


def reached(trace: Trace) -> dict[str, bool]:
    """Tell for each stage whether a time of it is known."""
    return {stage: getattr(trace, f"{stage}_at") is not None for stage in STAGES}


def _line(trace: Trace, gap: Gap | None, ticket: TicketLink | None, *, opens: bool, works: bool) -> Line:
    note = trace.note
    broke = trace.broke_at
    ids = (note.identifiers or {}) if note is not None and opens else {}
    return Line(
        trace=trace,
        note=note,
        at=trace.born_at,
        waits_for=timezone.now() - trace.born_at,
        pill=words.pill(trace.failure_mode, trace.confidence),
        tone=words.pill_tone(trace.failure_mode, trace.confidence),
        sureness="no log tells of it" if trace._state.adding else words.sureness(trace.confidence),
        cause=_cause(trace),
        stops=mini(words.journey(trace.failure_mode, broke, reached(trace))),
        stops_say=f"stopped at: {STAGES[broke].lower()}" if broke in STAGES else "no break seen",
        provider=trace.provider or (note.provider if note else ""),
        department=note.department.name if note is not None and note.department else "",
        site=trace.site,
        integration=trace.integration.name,
        facility=trace.facility.name,
        encounter_id=str(ids.get("encounter_id") or ""),
        unjudged=gap if gap is not None and gap.leaves_open(trace.failure_mode, trace.last_at) else None,
        ticket=ticket,
        may_end=works,
    )


def _cause(trace: Trace) -> words.Cause:
    if trace.failure_mode == FailureMode.DELIVERED and trace.confidence < words.GOOD:
        return words.WEAKLY
    return words.cause(trace.failure_mode, trace.status, trace.ack, trace.signature, trace.broke_at)
