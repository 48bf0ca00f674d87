"""The page that opens a ticket: what was recognised, which open tickets match, what is still to be asked."""

import hashlib
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses import words
from console.integrations.models import Integration
from console.notes.by_error import signature_of, with_error
from console.notes.models import Note
from console.notes.queries import find
from console.notes.services import keep_note
from console.tickets.access import visible
from console.tickets.duplicates import Match, Sought, duplicates, signature_of_notes
from console.tickets.joining import can_join, join_notes
from console.tickets.mail_text import File
from console.tickets.models import OpenedVia, Severity, Ticket
from console.tickets.moves import TicketError
from console.tickets.recognise import Pasted, recognise
from console.tickets.services import attach, comment, open_ticket
from diagnostics import catalog
from diagnostics.explain import Explanation, explain

MOST_FILES = 10


@dataclass(frozen=True)
class Opening:
    """Be everything known after the first look."""

    pasted: Pasted
    note: Note | None
    further: int
    explanation: Explanation | None
    matches: tuple[Match, ...]
    integrations: QuerySet[Integration]
    joinable: frozenset[int] = frozenset()

    @property
    def strong(self) -> tuple[Match, ...]:
        """Give the open tickets that are likely about the same."""
        return tuple(match for match in self.matches if match.is_strong)

    @property
    def weak(self) -> tuple[Match, ...]:
        """Give the open tickets that share no more than the integration."""
        return tuple(match for match in self.matches if not match.is_strong)

    @property
    def integration(self) -> Integration | None:
        """Give the integration where it need not be asked."""
        if self.note is not None:
            return self.note.integration
        only = list(self.integrations[:2])
        return only[0] if len(only) == 1 else None

    @property
    def cause_title(self) -> str:
        """Name the cause an error text speaks of."""
        cause = catalog.causes().get(self.explanation.cause or "") if self.explanation else None
        return cause.title if cause else ""

    @property
    def category(self) -> str:
        """Name the category an error text speaks of."""
        category = self.explanation.category if self.explanation else None
        return words.CATEGORIES.get(str(category), "") if category else ""


def integrations_for(user: User) -> QuerySet[Integration]:
    """Give the integrations on which a person may open tickets."""
    places = grants(user).where(Right.WORK_TICKETS)
    return (
        Integration.objects.filter(facility__in=places, active=True)
        .select_related("facility")
        .order_by("facility__name", "name", "id")
    )


def look(user: User, text: str) -> Opening:
    """Recognise what was pasted and look up what it is about."""
    return look_at(user, recognise(text))


def look_at(user: User, pasted: Pasted) -> Opening:
    """Look up what something recognised is about."""
    notes = _notes(user, pasted)
    note = next((n for n in notes if n.failure_mode != "delivered"), notes[0] if notes else None)
    explanation = None
    if pasted.kind == "error":
        explanation = explain(pasted.error, status=pasted.status)
    matches = _matches(user, notes, note, pasted, explanation)
    return Opening(
        pasted=pasted,
        note=note,
        further=max(0, len(notes) - 1),
        explanation=explanation,
        matches=matches,
        integrations=integrations_for(user),
        joinable=_joinable(user, matches, note),
    )


def _notes(user: User, pasted: Pasted) -> list[Note]:
    places = grants(user).where(Right.WORK_TICKETS)
    for candidate in pasted.lookups:
        found = [note for note in find(user, candidate)[:50] if note.facility_id in places]
        if found:
            return found
    for text in pasted.errors if pasted.kind == "error" else ():
        found = [note for note in with_error(user, text)[:50] if note.facility_id in places]
        if found:
            return found
    return []


def _matches(
    user: User, notes: list[Note], note: Note | None, pasted: Pasted, explanation: Explanation | None
) -> tuple[Match, ...]:
    signature = signature_of_notes(notes[:1])
    if not signature and pasted.kind == "error":
        signature = next((found for text in pasted.errors if (found := signature_of(text))), "")
    integrations = integrations_for(user)
    only = [note.integration_id] if note is not None else list(integrations.values_list("id", flat=True)[:2])
    sought = Sought(
        notes=notes[:50],
        integration_id=only[0] if len(only) == 1 else None,
        signature=signature,
        cause=(explanation.cause or "") if explanation else "",
    )
    return duplicates(visible(user), sought)


def _joinable(user: User, matches: tuple[Match, ...], note: Note | None) -> frozenset[int]:
    """Give the numbers of the tickets that the person could join this to."""
    places = grants(user).where(Right.WORK_TICKETS)
    mine = (match.ticket for match in matches if match.ticket.facility_id in places)
    return frozenset(ticket.number for ticket in mine if can_join(ticket, [note] if note else []))


@transaction.atomic
def open_from(
    *, opening: Opening, integration: Integration, text: str, by: User, key: str, content: bytes = b"",
    via: str = OpenedVia.PASTE, severity: str = Severity.UNDOCUMENTED,
) -> Ticket:  # fmt: skip
    """Open the ticket, keeping a note that was not known before; `content` are the bytes of an uploaded payload."""
    note = _kept(opening, integration, content)
    ticket = open_ticket(
        by=by, integration=integration, notes=[note] if note else [], pasted=opening.pasted.text or text,
        idempotency_key=key, via=via, severity=severity,
    )  # fmt: skip
    if not ticket.attachments.exists():  # else the button was pressed twice
        keep_files(ticket=ticket, files=opening.pasted.files, by=by)
    return ticket


@transaction.atomic
def join_from(*, opening: Opening, ticket: Ticket, text: str, by: User, content: bytes = b"") -> str:
    """Join what was pasted to an open ticket: its note, its words as a comment, its files. Say what joined.

    Raise TicketError where the ticket takes nothing or nothing is new.
    """
    note = opening.note or _kept(opening, ticket.integration, content)
    fresh = join_notes(ticket=ticket, notes=[note] if note else [], by=by)
    said = opening.pasted.text or (text if opening.pasted.kind == "error" else "")
    if said:
        comment(ticket=ticket, text=said, by=by)
    kept = keep_files(ticket=ticket, files=opening.pasted.files, by=by)
    if not fresh and not said and not kept:
        raise TicketError(f"Ticket {ticket.number} holds this note already; there is nothing to add.")
    what = [word for word, is_so in (("the note", fresh), ("what you pasted", said)) if is_so]
    return f"Joined ticket {ticket.number}: {' and '.join(what or ['the files'])}."


def keep_files(*, ticket: Ticket, files: tuple[File, ...], by: User) -> int:
    """Attach the files of a mail, as many as a ticket takes at once; give how many. The rest is told in a comment."""
    kept, room = 0, settings.ATTACHMENT_LIMIT_BYTES
    for file in files:
        if kept == MOST_FILES or len(file.content) > room:
            continue
        attach(ticket=ticket, name=file.name, content_type=file.content_type, content=file.content, by=by)
        kept, room = kept + 1, room - len(file.content)
    if kept < len(files):
        left = len(files) - kept
        noun = "file of the mail was" if left == 1 else "files of the mail were"
        limit = f"{MOST_FILES} files of {settings.ATTACHMENT_LIMIT_BYTES // 1024**2} MB together are taken at once"
        comment(ticket=ticket, text=f"{left} {noun} not attached: {limit}.", by=by)
    return kept


def _kept(opening: Opening, integration: Integration, content: bytes) -> Note | None:
    """Give the note that was recognised, kept where this integration did not know it."""
    if opening.note is not None and opening.note.integration_id == integration.id:
        return opening.note
    pasted = opening.pasted
    if pasted.kind == "error":
        return None
    payload = None
    if pasted.payload is not None:  # an uploaded file counts byte by byte, unless it is the mail around the payload
        payload = pasted.payload if pasted.text else content or pasted.payload
    # A payload without any id is a note all the same; its content names it, so that pasted twice it is one.
    note_id = pasted.note_id or (f"pasted-{hashlib.blake2b(payload, digest_size=5).hexdigest()}" if payload else "")
    if not note_id:
        return None
    return keep_note(
        integration=integration,
        external_id=note_id,
        transaction_id=pasted.ids.get("transaction_id"),
        encounter_id=pasted.ids.get("encounter_id"),
        patient_id=pasted.ids.get("patient_id"),
        payload=payload,
        payload_name=pasted.payload_name,
    )
