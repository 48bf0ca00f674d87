"""The packet for a vendor's engineers: what finds the failed requests on their side, and nothing of a patient.

It holds request and transaction ids, UTC times, methods, paths, statuses, and what the checks said. Note, encounter,
patient and provider ids, names, texts and secrets are taken out; error texts are reduced to the words of errors.
"""

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from console.accounts.access import require
from console.accounts.mail import send
from console.accounts.models import User
from console.accounts.roles import Right
from console.accounts.services import record
from console.diagnoses import words
from console.diagnoses.cases import build_case
from console.integrations.models import Contact
from console.notes.log_rows import mask
from console.tickets.models import Ticket, TicketEvent
from console.tickets.moves import TicketError, write_event
from diagnostics.case import Case
from diagnostics.evidence.logs import Attempt, NoteTrace
from diagnostics.gather import read_parts
from diagnostics.redaction import Redactor

MOST_NOTES = 20
MOST_REQUESTS = 100
_SHOWN = ("failed", "warning")
_PERSONAL = ("encounter_id", "patient_id", "provider_id")


@dataclass(frozen=True)
class Request:
    """Be one exchange as both sides can find it in their logs: a write, or a token request that failed."""

    at: str  # UTC, ISO 8601
    method: str
    path: str
    answer: str
    error: str
    request_id: str
    transaction_id: str


@dataclass(frozen=True)
class CheckLine:
    """Be one check that did not pass."""

    step: str
    title: str
    status: str
    says: str


@dataclass(frozen=True)
class Packet:
    """Be the packet; every field is safe to leave the house."""

    ticket: int
    written_at: str
    facility: str
    integration: str
    vendor: str
    protocol: str
    environment: str
    endpoints: tuple[str, ...]
    failure_mode: str
    notes: int
    cause: str
    certainty: str
    category: str
    checks: tuple[CheckLine, ...]
    requests: tuple[Request, ...]
    left_out: int  # requests beyond MOST_REQUESTS


def packet(ticket: Ticket) -> Packet:
    """Make the packet of a ticket from its last run and its notes' log rows."""
    cases = _cases(ticket)
    clean = _Cleaner(ticket, cases)
    document = (ticket.run.document if ticket.run else None) or {}
    requests = sorted(_requests(cases, clean), key=lambda request: request.at)
    integration = ticket.integration
    return Packet(
        ticket=ticket.number,
        written_at=_utc(timezone.now()),
        facility=ticket.facility.name,
        integration=integration.name,
        vendor=words.VENDORS.get(integration.vendor, integration.vendor),
        protocol=words.PROTOCOLS.get(integration.protocol, integration.protocol),
        environment=integration.get_environment_display(),
        endpoints=tuple(_endpoints(integration.settings)),
        failure_mode=ticket.get_failure_mode_display(),
        notes=ticket.ticket_notes.count(),
        cause=ticket.verdict,
        certainty=words.CERTAINTIES.get(ticket.certainty, words.NO_CAUSE),
        category=words.CATEGORIES.get(ticket.category, ""),
        checks=tuple(_checks(document, clean)),
        requests=tuple(requests[-MOST_REQUESTS:]),
        left_out=max(0, len(requests) - MOST_REQUESTS),
    )


def as_text(content: Packet) -> str:
    """Write the packet as plain text, for a mail or a vendor's case form."""
    category = f" ({content.category})" if content.category else ""
    lines = [
        f"NoteTrace ticket {content.ticket}, {content.facility}",
        f"Written {content.written_at}. All times are UTC. No patient data is in this text.",
        "",
        f"Integration:   {content.integration} ({content.vendor}, {content.protocol}, {content.environment.lower()})",
        f"Endpoints:     {', '.join(content.endpoints) or 'not entered'}",
        f"What happened: {content.failure_mode}; {content.notes} {'note' if content.notes == 1 else 'notes'}",
        f"{content.certainty}: {content.cause or 'see the checks'}{category}",
        "",
        "Checks that did not pass",
    ]
    lines += [f"- {c.status}: {c.says} (Checked was: {c.title}.)" for c in content.checks] or ["- none"]
    lines += ["", "Requests"]
    if content.left_out:
        lines.append(f"The newest {len(content.requests)} of {len(content.requests) + content.left_out}.")
    for r in content.requests:
        ids = f"request id {r.request_id or 'none'}, transaction id {r.transaction_id or 'none'}"
        lines.append(f"- {r.at}  {r.method} {r.path}  {r.answer}  {ids}{'  ' + r.error if r.error else ''}")
    if not content.requests:
        lines.append("- neither log has a request of these notes")
    lines += ["", "Please look up the request ids in your logs and say what your side saw at these times.", ""]
    return "\n".join(lines)


def as_json(content: Packet) -> dict[str, object]:
    """Give the packet as data."""
    return asdict(content)


@transaction.atomic
def note_taken(*, ticket: Ticket, by: User) -> None:
    """Record that somebody took the packet along."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    write_event(ticket, TicketEvent.Kind.PACKET_SENT, by)
    record(by=by, action="packet.taken", subject=ticket, facility=ticket.facility_id, detail={"ticket": ticket.number})


@transaction.atomic
def mail_packet(*, ticket: Ticket, contact: Contact, by: User) -> None:
    """Mail the packet to one of the integration's contacts; to nobody else."""
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    if contact.integration_id != ticket.integration_id or not contact.email:
        raise TicketError("This contact has no mail address. Add one to the integration first.")
    content = packet(ticket)
    subject = f"NoteTrace ticket {ticket.number}: {content.failure_mode}, {content.integration}"
    send(facility=ticket.facility, to=[contact.email], subject=subject, body=as_text(content), about="packet")
    write_event(ticket, TicketEvent.Kind.PACKET_SENT, by, after=str(contact)[:120])
    record(
        by=by, action="packet.mailed", subject=ticket, facility=ticket.facility_id,
        detail={"ticket": ticket.number, "contact": str(contact.id)},
    )  # fmt: skip


class _Cleaner:
    """Take out what belongs to patients and people: known ids and texts by value, the rest by shape."""

    def __init__(self, ticket: Ticket, cases: list[Case]) -> None:
        self._redactors = [Redactor(case) for case in cases]
        names: dict[str, str] = {}
        rows = ticket.ticket_notes.select_related("note")
        for row in rows:
            names[row.note.external_id] = "[note]"
            for key in _PERSONAL:
                value = str((row.note.identifiers or {}).get(key) or "")
                if value:
                    names[value] = f"[{key.removesuffix('_id')}]"
                    names[value.rpartition("/")[2]] = f"[{key.removesuffix('_id')}]"
        names = {value: name for value, name in names.items() if len(value) > 2}
        longest = sorted(names, key=len, reverse=True)
        self._names = names
        self._ids = re.compile("|".join(rf"(?<!\w){re.escape(v)}(?!\w)" for v in longest)) if names else None

    def __call__(self, text: str) -> str:
        """Clean one text."""
        for redactor in self._redactors:
            text = redactor.text(text)
        return self._ids.sub(lambda match: self._names[match[0]], text) if self._ids else text


def _cases(ticket: Ticket) -> list[Case]:
    rows = ticket.ticket_notes.select_related("note", "note__department").order_by("added_at", "id")[:MOST_NOTES]
    return [build_case(integration=ticket.integration, note=row.note, offline=True) for row in rows]


def _requests(cases: list[Case], clean: _Cleaner) -> Iterable[Request]:
    for case in cases:
        trace = read_parts(case).get(NoteTrace)
        for attempt in trace.attempts if trace else ():
            status = attempt.status or attempt.ack
            yield Request(
                at=_utc(attempt.at),
                method=attempt.sent.method or "POST",
                path=clean(_path(attempt.url or "")),
                answer=str(status) if status else attempt.outcome,
                error=clean(mask(attempt.error or "")),
                request_id=clean(_request_id(attempt, case)),
                transaction_id=clean(attempt.sent.transaction_id or ""),
            )
        for asked in trace.tokens if trace else ():
            if not asked.ok:
                yield Request(
                    at=_utc(asked.at),
                    method=asked.asked.method or "POST",
                    path=clean(_path(asked.asked.url or "")) or "token request",
                    answer=str(asked.status or "no answer"),
                    error=clean(mask(asked.error or "")),
                    request_id=clean(asked.asked.request_id or ""),
                    transaction_id="",
                )


def _request_id(attempt: Attempt, case: Case) -> str:
    """Give the EHR's own request id, by the headers its vendor is known to send it in, else the one that was sent."""
    answered = attempt.answer.request_id if attempt.answer else None
    theirs = next((attempt.headers[n] for n in case.vendor.request_id_headers if attempt.headers.get(n)), None)
    return theirs or attempt.sent.request_id or answered or ""


def _path(url: str) -> str:
    """Give host and path; a query may name a patient, so it is left out."""
    parts = urlsplit(url)
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc else parts.path


def _endpoints(settings: dict[str, object]) -> Iterable[str]:
    for key in ("fhir_base_url", "write_url"):
        if settings.get(key):
            yield _path(str(settings[key]))
    hl7 = settings.get("hl7")
    if isinstance(hl7, dict) and hl7.get("host"):
        yield f"{hl7['host']}:{hl7.get('port', '')}".rstrip(":")


def _checks(document: dict[str, object], clean: _Cleaner) -> Iterable[CheckLine]:
    for step in document.get("steps", ()):  # type: ignore[attr-defined]
        for check in step["checks"]:
            if check["status"] in _SHOWN:
                yield CheckLine(
                    step=str(step.get("name") or step["step"]),
                    title=str(check.get("title") or check["id"]),
                    status=words.STATUSES.get(check["status"], check["status"]),
                    says=clean(str(check.get("says") or "")),
                )


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
