"""The page that opens a ticket: what was recognised, which open tickets match, what is still to be asked."""

import hashlib
import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q, QuerySet

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses import words
from console.integrations.models import Integration
from console.notes.by_error import with_error
from console.notes.models import Note
from console.notes.queries import find
from console.notes.services import keep_note
from console.tickets.access import visible
from console.tickets.models import OPEN_STATES, Ticket
from console.tickets.recognise import Pasted, recognise
from console.tickets.services import open_ticket
from diagnostics import catalog
from diagnostics.explain import Explanation, explain

MATCHES = 5


@dataclass(frozen=True)
class Match:
    """Be an open ticket that may be about the same, and why."""

    ticket: Ticket
    why: str


@dataclass(frozen=True)
class Opening:
    """Be everything known after the first look."""

    pasted: Pasted
    note: Note | None
    further: int
    explanation: Explanation | None
    matches: tuple[Match, ...]
    integrations: QuerySet[Integration]

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
    pasted = recognise(text)
    notes = _notes(user, pasted)
    note = next((n for n in notes if n.failure_mode != "delivered"), notes[0] if notes else None)
    explanation = None
    if pasted.kind == "error":
        explanation = explain(pasted.error, status=pasted.status)
    return Opening(
        pasted=pasted,
        note=note,
        further=max(0, len(notes) - 1),
        explanation=explanation,
        matches=_matches(user, notes, explanation),
        integrations=integrations_for(user),
    )


def _notes(user: User, pasted: Pasted) -> list[Note]:
    places = grants(user).where(Right.WORK_TICKETS)
    for candidate in pasted.lookups:
        found = [note for note in find(user, candidate)[:50] if note.facility_id in places]
        if found:
            return found
    if pasted.kind == "error":
        return [note for note in with_error(user, pasted.error)[:50] if note.facility_id in places]
    return []


def _matches(user: User, notes: list[Note], explanation: Explanation | None) -> tuple[Match, ...]:
    mine = visible(user).filter(state__in=OPEN_STATES).select_related("integration", "owner")
    found: dict[uuid.UUID, Match] = {}
    if notes:
        same = mine.filter(ticket_notes__note__in=notes[:50]).distinct().order_by("-opened_at", "-id")
        for ticket in same[:MATCHES]:
            found[ticket.id] = Match(ticket, "the same note")
    cause = explanation.cause if explanation else None
    if cause:
        alike = mine.filter(cause=cause)
        if notes:
            alike = alike.filter(Q(integration=notes[0].integration_id))
        for ticket in alike.order_by("-opened_at", "-id")[:MATCHES]:
            found.setdefault(ticket.id, Match(ticket, "the same cause"))
    return tuple(found.values())[:MATCHES]


@transaction.atomic
def open_from(
    *, opening: Opening, integration: Integration, text: str, by: User, key: str, content: bytes = b""
) -> Ticket:
    """Open the ticket, keeping a note that was not known before; `content` are the bytes of an uploaded payload."""
    note = opening.note if opening.note is not None and opening.note.integration_id == integration.id else None
    pasted = opening.pasted
    payload = (content or pasted.payload) if pasted.payload is not None else None
    # A payload without any id is a note all the same; its content names it, so that pasted twice it is one.
    note_id = pasted.note_id or (f"pasted-{hashlib.blake2b(payload, digest_size=5).hexdigest()}" if payload else "")
    if note is None and note_id and pasted.kind != "error":
        note = keep_note(
            integration=integration,
            external_id=note_id,
            transaction_id=pasted.ids.get("transaction_id"),
            encounter_id=pasted.ids.get("encounter_id"),
            patient_id=pasted.ids.get("patient_id"),
            payload=payload,
            payload_name=pasted.payload_name,
        )
    return open_ticket(by=by, integration=integration, notes=[note] if note else [], pasted=text, idempotency_key=key)
