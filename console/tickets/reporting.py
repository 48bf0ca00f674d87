"""Take a failure that another system reports: one ticket a key, however often and however many at once it comes."""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone

from console.accounts.keys import keyring
from console.integrations.models import Integration, Source
from console.notes.by_error import signature_of
from console.notes.models import Note
from console.notes.queries import find_in
from console.notes.services import keep_note
from console.tickets.duplicates import SAME_NOTE, Match, Sought, duplicates, signature_of_notes
from console.tickets.joining import can_join, join_notes
from console.tickets.models import OpenedVia, Severity, Ticket, TicketEvent, TicketNote, TicketReport
from console.tickets.moves import write_event
from console.tickets.services import open_ticket
from diagnostics.explain import explain

PATIENCE_MS = 5000  # for the first request with the same key, before this one is told to come again
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Reported:
    """Be what was reported; every field may be empty, but not all of them."""

    note_id: str = ""
    encounter_id: str = ""
    transaction_id: str = ""
    error: str = ""
    text: str = ""
    severity: str = Severity.UNDOCUMENTED
    reference: str = ""
    reported_at: datetime | None = None
    contact: str = ""
    join: bool = False

    @property
    def ids(self) -> dict[str, str]:
        """Give the ids beside the note's own, as a case names them."""
        return {"transaction_id": self.transaction_id, "encounter_id": self.encounter_id}


@dataclass(frozen=True)
class Answer:
    """Be what is answered, and whether this is the first time."""

    document: dict[str, Any]
    first: bool


class KeyReused(Exception):
    """The key came before with something else."""


class StillRunning(Exception):
    """The first request with this key has not ended yet."""


class NoIntegration(Exception):
    """The source belongs to no integration, so nobody could diagnose anything."""


class TooMany(Exception):
    """The source opened as many tickets in the last minute as it may."""


def report(*, source: Source, reported: Reported, key: str) -> Answer:
    """Open a ticket for what was reported, or join an open one where that was asked for and one matches.

    The same `key` with the same report gives the first answer again; raise KeyReused with another. Raise StillRunning
    where the first request takes too long, NoIntegration and TooMany as they say.
    """
    ring = keyring(source.facility_id).hash_key
    digests = _keyed(ring, b"key", source.id.bytes + key.encode()), _keyed(ring, b"body", _plain(reported))
    first = _answered(source, *digests)
    if first is not None:
        return first
    for last in (False, True):
        try:
            return _once(source, reported, *digests)
        except IntegrityError:  # the same unknown note came under two keys at once, and the other was faster
            if last:
                raise
    raise AssertionError  # the loop above returns or raises


def told_by(source: Source) -> QuerySet[Ticket]:
    """Give the tickets that a source may ask about: those that it reported."""
    return Ticket.objects.filter(Exists(TicketReport.objects.filter(ticket=OuterRef("pk"), source=source)))


def standing(ticket: Ticket) -> dict[str, Any]:
    """Say how a ticket stands, without patient data and without names."""
    ends = {end.value: 0 for end in TicketNote.End}
    ends |= dict(ticket.ticket_notes.order_by().values_list("end").annotate(Count("id")))
    return {
        "number": ticket.number,
        "state": ticket.state,
        "url": _url(ticket),
        "taken": ticket.owner_id is not None,
        "severity": Severity(ticket.severity).value[2:],
        "category": ticket.confirmed_category or ticket.category or None,
        "failure_mode": ticket.failure_mode,
        "opened_at": ticket.opened_at.isoformat(),
        "resolved_at": ticket.resolved_at.isoformat() if ticket.resolved_at else None,
        "notes": ends,
    }


def _once(source: Source, reported: Reported, key: bytes, body: bytes) -> Answer:
    with transaction.atomic():
        _queue_up(key)
        first = _answered(source, key, body)
        if first is not None:
            return first
        if source.integration is None:
            raise NoIntegration
        lately = TicketReport.objects.filter(source=source, at__gt=timezone.now() - MINUTE)
        if lately.count() >= settings.TICKETS_API_PER_MINUTE:
            raise TooMany
        if reported.join:  # two reports of one failure under two keys: the second finds the first one's ticket
            _queue_up(source.integration.id.bytes)
        ticket, document = _take(source, source.integration, reported, key)
        TicketReport.objects.create(
            facility_id=source.facility_id, ticket=ticket, source=source, key=key, body=body, answer=document,
            reference=reported.reference, text=_lines(reported),
        )  # fmt: skip
    return Answer(document, first=True)


def _take(source: Source, integration: Integration, reported: Reported, key: bytes) -> tuple[Ticket, dict[str, Any]]:
    notes = _notes(integration, reported)
    matches = _matches(integration, notes, reported)
    joins = next((one for one in matches if one.is_strong and can_join(one.ticket, notes)), None)
    if reported.join and joins is not None:
        ticket = joins.ticket
        join_notes(ticket=ticket, notes=notes, by=None)
        write_event(ticket, TicketEvent.Kind.NOTE_ADDED, None, before="reported", after=source.name)
    else:
        ticket = open_ticket(
            by=None,
            integration=integration,
            notes=notes,
            pasted=reported.error or reported.text,
            severity=reported.severity,
            idempotency_key=key.hex(),
            via=OpenedVia.API,
            reference=reported.reference,
        )
        ticket.refresh_from_db()
    document = {
        "number": ticket.number,
        "state": ticket.state,
        "url": _url(ticket),
        "joined": reported.join and joins is not None,
        "matched": [_match(one) for one in matches],
    }
    return ticket, document


def _notes(integration: Integration, reported: Reported) -> list[Note]:
    """Give the note that is spoken of, kept where it was not known; none where no id was sent."""
    own = reported.note_id or reported.transaction_id or reported.encounter_id
    if not own:
        return []
    found = find_in(integration, note_id=reported.note_id, ids={} if reported.note_id else reported.ids)
    failed = next((note for note in found if note.failure_mode != "delivered"), None)
    if found:
        return [failed or found[0]]
    ids = {name: value or None for name, value in reported.ids.items()}
    return [keep_note(integration=integration, external_id=own, **ids)]


def _matches(integration: Integration, notes: list[Note], reported: Reported) -> tuple[Match, ...]:
    """Give the open tickets that match. A system is nobody: of restricted departments it hears of its own note only."""
    cause = (explain(reported.error).cause or "") if reported.error else ""
    signature = signature_of_notes(notes) or (signature_of(reported.error) if reported.error else "")
    here = Ticket.objects.filter(integration=integration)
    found = duplicates(here, Sought(notes, integration.id, signature, cause))
    shut = TicketNote.objects.filter(ticket__in=[one.ticket.pk for one in found], department__restricted=True)
    hidden = set(shut.values_list("ticket_id", flat=True))
    return tuple(one for one in found if one.why == SAME_NOTE or one.ticket.pk not in hidden)


def _match(match: Match) -> dict[str, Any]:
    return {
        "number": match.ticket.number,
        "why": match.why,
        "state": match.ticket.state,
        "taken": match.ticket.owner_id is not None,
        "notes": match.notes,
        "url": _url(match.ticket),
    }


def _answered(source: Source, key: bytes, body: bytes) -> Answer | None:
    row = TicketReport.objects.filter(source=source, key=key).only("body", "answer").first()
    if row is None:
        return None
    if bytes(row.body or b"") != body:
        raise KeyReused
    return Answer(row.answer, first=False)


def _queue_up(digest: bytes) -> None:
    """Let one transaction at a time go on for the same thing; raise StillRunning after a while."""
    number = int.from_bytes(hashlib.blake2b(digest, digest_size=8, person=b"nt-report").digest(), signed=True)
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {PATIENCE_MS}")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
            cursor.execute("SET LOCAL lock_timeout = DEFAULT")
    except OperationalError as problem:
        raise StillRunning from problem


def _keyed(ring: bytes, kind: bytes, value: bytes) -> bytes:
    return hashlib.blake2b(kind + b"\0" + value, key=ring, digest_size=32, person=b"notetrace-report").digest()


def _plain(reported: Reported) -> bytes:
    return json.dumps(asdict(reported), sort_keys=True, default=str).encode()


def _lines(reported: Reported) -> str:
    told = {
        "Error": reported.error,
        "Text": reported.text,
        "Contact": reported.contact,
        "Reported at": reported.reported_at.isoformat() if reported.reported_at else "",
    }
    return "\n".join(f"{name}: {value}" for name, value in told.items() if value)


def _url(ticket: Ticket) -> str:
    return settings.CONSOLE_ADDRESS + reverse("tickets:ticket", args=[ticket.number]).lstrip("/")
