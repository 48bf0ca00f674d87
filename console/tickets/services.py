"""Everything that changes a ticket. Each call is one transaction and leaves its event."""

import uuid
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.accounts.services import record
from console.diagnoses import checklists, words
from console.diagnoses.models import Answer, Run
from console.diagnoses.services import request_run as request_diagnosis
from console.integrations.models import Integration
from console.notes.ends import end_notes
from console.notes.models import End as NoteEnding
from console.notes.models import Note
from console.shared.work import WorkState
from console.tickets.confirming import settle
from console.tickets.edits import assign as assign
from console.tickets.edits import change_state as change_state
from console.tickets.edits import lock, refuse_state
from console.tickets.edits import reopen as reopen
from console.tickets.edits import set_severity as set_severity
from console.tickets.edits import set_title as set_title
from console.tickets.edits import take as take
from console.tickets.models import (
    Attachment,
    Comment,
    Disagreement,
    OpenedVia,
    Severity,
    Ticket,
    TicketEvent,
    TicketNote,
    TicketState,
)
from console.tickets.moves import Collision, TicketError, change, move, write_event
from console.tickets.states import NEXT
from console.tickets.targets import rules_of
from console.tickets.ticking import tick as tick
from diagnostics import catalog

Kind = TicketEvent.Kind


# -- opening -----------------------------------------------------------------------------------------------------


def open_ticket(
    *,
    by: User | None,
    integration: Integration,
    notes: list[Note],
    pasted: str = "",
    severity: str = Severity.UNDOCUMENTED,
    idempotency_key: str,
    diagnose: bool = True,
    opened_at: datetime | None = None,
    title: str = "",
    via: str = OpenedVia.PASTE,
    reference: str = "",
) -> Ticket:
    """Open a ticket and ask for its diagnosis at once.

    The same `idempotency_key` gives the ticket that the first call opened: a double click opens one.
    """
    if by is not None:
        require(by, Right.WORK_TICKETS, integration.facility_id)
    at = opened_at or timezone.now()
    try:
        with transaction.atomic():
            ticket = Ticket.objects.create(
                number=_next_number(),
                facility_id=integration.facility_id,
                integration=integration,
                title=title or _title(notes),
                severity=severity,
                opened_by=by,
                opened_at=at,
                target_at=rules_of(integration.facility_id).due(severity, at),
                pasted=pasted or None,
                idempotency_key=idempotency_key,
                opened_via=via,
                reference=reference,
            )
            write_event(ticket, Kind.OPENED, by, at=at, after=TicketState.NEW)
            for note in notes:
                _add(ticket, note)
            if diagnose:
                request_run(ticket=ticket, by=by)
    except IntegrityError:
        first = Ticket.objects.filter(idempotency_key=idempotency_key).first()
        if first is None:
            raise
        return first
    return ticket


@transaction.atomic
def add_note(*, ticket: Ticket, note: Note, by: User | None) -> TicketNote:
    """Join a further note to a ticket: it failed alike. An alert does so as nobody."""
    if by is not None:
        require(by, Right.WORK_TICKETS, ticket.facility_id)
    if note.integration_id != ticket.integration_id:
        raise TicketError("This note went through another integration; open a ticket of its own for it.")
    row = _add(ticket, note)
    write_event(ticket, Kind.NOTE_ADDED, by, reference=note.id)
    return row


def _add(ticket: Ticket, note: Note) -> TicketNote:
    row, _made = TicketNote.objects.get_or_create(
        ticket=ticket, note=note, defaults={"department_id": note.department_id}
    )
    return row


def _next_number() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('tickets_number')")
        return int(cursor.fetchone()[0])


def _title(notes: list[Note]) -> str:
    return "Note missing from chart" if len(notes) == 1 else f"{len(notes)} notes missing" if notes else "Notes failing"


# -- diagnosis ---------------------------------------------------------------------------------------------------


@transaction.atomic
def request_run(*, ticket: Ticket, by: User | None, steps: list[int] | None = None) -> Run:
    """Ask for a diagnosis of a ticket, all six steps or some; while one is under way, give that one."""
    if by is not None:
        require(by, Right.RUN_DIAGNOSIS, ticket.facility_id)
    locked = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
    if locked.run_id and locked.run is not None and locked.run.state in (WorkState.QUEUED, WorkState.RUNNING):
        return locked.run
    first = locked.ticket_notes.order_by("added_at", "id").select_related("note").first()
    run = request_diagnosis(
        integration=locked.integration,
        note=first.note if first else None,
        ticket_id=locked.id,
        by=by,
        steps=steps or [],
    )
    Ticket.objects.filter(pk=locked.pk).update(run=run)
    write_event(locked, Kind.RUN_REQUESTED, by, after=",".join(map(str, steps or [])), reference=run.id)
    if locked.state in (TicketState.NEW, TicketState.DIAGNOSED):
        move(locked, TicketState.DIAGNOSING, by)
    ticket.refresh_from_db()
    return run


@transaction.atomic
def answer(*, ticket: Ticket, question: str, value: str, by: User) -> Answer:
    """Keep what a person answered to the engine as evidence, and diagnose again with it."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    row = Answer.objects.create(
        facility_id=ticket.facility_id, ticket_id=ticket.id, question=question, value=value, by=by
    )
    write_event(ticket, Kind.ANSWER, by, after=question, reference=row.id)
    request_run(ticket=ticket, by=by)
    return row


@transaction.atomic
def disagree(*, ticket: Ticket, by: User, text: str, own_category: str = "") -> Disagreement:
    """Keep an objection to the verdict."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    if ticket.run is None:
        raise TicketError("There is no verdict to disagree with yet.")
    row = Disagreement.objects.create(
        facility_id=ticket.facility_id,
        ticket=ticket,
        run=ticket.run,
        by=by,
        said_cause=ticket.cause,
        own_category=own_category,
        text=text,
    )
    write_event(ticket, Kind.DISAGREED, by, before=ticket.cause, after=own_category, reference=row.id)
    return row


# -- working -----------------------------------------------------------------------------------------------------


@transaction.atomic
def resolve(
    *,
    ticket: Ticket,
    by: User,
    category: str,
    cause: str = "",
    ends: Mapping[uuid.UUID, str] | None = None,
    outcome: str = "",
    unconfirmed_because: str = "",
    expected: str | None = None,
) -> None:
    """Resolve a ticket: a person confirms the root cause and says how each note ended.

    `category` is one of the engine's, `cause` an id of its catalogue or empty where none fits; `ends` maps note ids to
    TicketNote.End values for notes that wait; `outcome` is the same for a ticket without any note. A note without an
    end or an unknown cause is refused. One cause may stand in several categories: the evidence decides which. Where
    neither a diagnosis nor a note in the chart confirms the fix, `unconfirmed_because` says why it is resolved anyway.
    """
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    locked = lock(ticket)
    refuse_state(locked, expected)
    if TicketState.RESOLVED not in NEXT[locked.state]:
        raise TicketError(f"A ticket that is {locked.get_state_display().lower()} cannot be resolved now.")
    _refuse_unknown_cause(category, cause)
    rows = {row.note_id: row for row in locked.ticket_notes.select_related("note")}
    for note_id, end in (ends or {}).items():
        if note_id in rows and end and end != rows[note_id].end:
            end_note(ticket=locked, note=rows[note_id].note, end=end, by=by)
    waiting = locked.ticket_notes.filter(end=TicketNote.End.WAITING).count()
    if waiting:
        noun = "note has" if waiting == 1 else "notes have"
        raise TicketError(f"{waiting} {noun} no end yet: in chart, entered by hand, or not needed.")
    if not rows:
        if outcome not in TicketNote.End.values or outcome == TicketNote.End.WAITING:
            raise TicketError("Say how it ended: in chart, entered by hand, or not needed.")
        write_event(locked, Kind.OUTCOME, by, after=outcome)
    if settle(locked, by=by, seen=outcome == TicketNote.End.IN_CHART, because=unconfirmed_because):
        comment(ticket=locked, text=f"Resolved without a confirmation: {unconfirmed_because.strip()}", by=by)
    change(locked, confirmed_category=category, confirmed_cause=cause)
    write_event(locked, Kind.CAUSE_CONFIRMED, by, before=category, after=cause)
    move(locked, TicketState.RESOLVED, by)
    ticket.refresh_from_db()


def _refuse_unknown_cause(category: str, cause: str) -> None:
    if category not in words.CATEGORIES:
        raise TicketError("Confirm the root cause: choose at least its category.")
    if cause and cause not in catalog.causes():
        raise TicketError("There is no such cause in the catalogue.")


@transaction.atomic
def close(*, ticket: Ticket, by: User, article: str) -> None:
    """Close a resolved ticket once its article is decided: `article` is "published" or "not_needed".

    Whoever decides articles need not work on tickets, so the caller has asked for that right.
    """
    locked = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
    if locked.state == TicketState.RESOLVED:
        write_event(locked, Kind.ARTICLE, by, after=article)
        move(locked, TicketState.CLOSED, by)
    ticket.refresh_from_db()


@transaction.atomic
def end_note(*, ticket: Ticket, note: Note, end: str, by: User, seen: str | None = None) -> None:
    """Say how a note of the ticket ended, here and wherever else it is shown; `seen` is the end that was shown."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    row = TicketNote.objects.select_for_update(of=("self",)).get(ticket=ticket, note=note)
    if seen is not None and row.end not in (seen, end):
        raise Collision("end", row.end)
    if row.end == end:
        return
    before, row.end = row.end, TicketNote.End(end)
    row.ended_by, row.ended_at = (None, None) if end == TicketNote.End.WAITING else (by, timezone.now())
    row.save(update_fields=["end", "ended_by", "ended_at"])
    write_event(ticket, Kind.NOTE_ENDED, by, before=before, after=row.end, reference=note.id)
    how = NoteEnding.OPEN if row.end == TicketNote.End.WAITING else row.end
    end_notes(notes=[note], how=how, by=by)  # other tickets that hold it, and the worklist


@transaction.atomic
def add_checklist(*, ticket: Ticket, slug: str, by: User) -> None:
    """Give a ticket a further checklist."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    try:
        template = checklists.add(ticket_id=ticket.id, slug=slug, by=by)
    except checklists.ChecklistError as refusal:
        raise TicketError(str(refusal)) from None
    write_event(ticket, Kind.CHECKLIST, by, before=template.slug, after="added")


@transaction.atomic
def comment(*, ticket: Ticket, text: str, by: User) -> Comment:
    """Write something on a ticket."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    if not text.strip():
        raise TicketError("There is nothing in the comment.")
    row = Comment.objects.create(facility_id=ticket.facility_id, ticket=ticket, by=by, text=text.strip())
    write_event(ticket, Kind.COMMENT, by, reference=row.id)
    return row


@transaction.atomic
def attach(*, ticket: Ticket, name: str, content_type: str, content: bytes, by: User) -> Attachment:
    """Attach a file."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    if len(content) > settings.ATTACHMENT_LIMIT_BYTES:
        raise TicketError(f"Files may have up to {settings.ATTACHMENT_LIMIT_BYTES // 1024**2} MB.")
    row = Attachment.objects.create(
        facility_id=ticket.facility_id,
        ticket=ticket,
        by=by,
        name=name[:200],
        content_type=content_type[:80],
        size=len(content),
        content=content,
    )
    write_event(ticket, Kind.ATTACHMENT, by, reference=row.id)
    return row


@transaction.atomic
def open_payload(*, ticket: Ticket, note: Note, by: User) -> tuple[bytes | None, str | None]:
    """Give a note's payload and narrative to somebody with the right, and record that he saw them."""
    require(by, Right.OPEN_PAYLOAD, ticket.facility_id)
    row = ticket.ticket_notes.select_related("note").get(note=note)
    record(
        by=by, action="payload.opened", subject=row.note, facility=ticket.facility_id, detail={"ticket": ticket.number}
    )
    write_event(ticket, Kind.PAYLOAD_OPENED, by, reference=note.id)
    return row.note.payload, row.note.narrative
