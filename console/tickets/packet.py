"""The packet for a vendor's engineers: what finds the failed requests on their side, and nothing of a patient.

It holds request and transaction ids, UTC times, methods, paths, statuses, headers, the payload's shape, and what the
checks said. What may stand in it is decided in packet_cleaning.py. docs/vendor-packet.md describes the JSON.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from console.accounts.models import User
from console.diagnoses import words
from console.diagnoses.cases import build_case
from console.integrations.models import Contact
from console.tickets.models import Ticket
from console.tickets.packet_asks import asks
from console.tickets.packet_cleaning import Cleaner
from console.tickets.packet_exchanges import Request, requests, utc
from console.tickets.packet_shape import Shape, shape_of
from diagnostics.case import Case

SCHEMA = 1
MOST_NOTES = 20
MOST_REQUESTS = 100
MOST_FIGURES = 20
_SHOWN = ("failed", "warning")
_FIGURE_NAME = re.compile(r"[a-z][a-z0-9_ ]{0,40}")
_PERSONAL_NAME = re.compile(
    r"patient|birth|mrn|person|phone|ssn|account|(?:^|_)id$|number$|identifier|code|value|postal|zip|age$"
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True)
class Figure:
    """Be one number, truth or time that a check rests on; of a list or a table only how many it holds."""

    name: str
    value: int | float | bool | str


@dataclass(frozen=True)
class CheckLine:
    """Be one check that did not pass."""

    id: str
    step: str
    title: str
    status: str
    says: str
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class Stop:
    """Be one stage of the note's way."""

    stage: str
    state: str
    at: str  # UTC, empty where it is not known


@dataclass(frozen=True)
class Packet:
    """Be the packet; every field is safe to leave the house."""

    schema: int
    ticket: int
    written_at: str
    written_by: str
    facility: str
    addressed_to: str
    salutation: str
    integration: str
    vendor: str
    protocol: str
    environment: str
    endpoints: tuple[str, ...]
    failure_mode: str
    notes: int
    cause: str
    cause_id: str
    certainty: str
    category: str
    journey: tuple[Stop, ...]
    checks: tuple[CheckLine, ...]
    checks_passed: int
    requests: tuple[Request, ...]
    left_out: int  # requests beyond MOST_REQUESTS
    payload: Shape | None  # of the first note that has one
    payloads_alike: int  # further notes looked at whose payload has the same places
    asks: tuple[str, ...]


def packet(ticket: Ticket, *, contact: Contact | None = None, by: User | None = None) -> Packet:
    """Make the packet of a ticket from its last run and its notes' log rows, addressed to a contact."""
    cases = _cases(ticket)
    clean = Cleaner(ticket, cases)
    document = (ticket.run.document if ticket.run else None) or {}
    found = requests(cases, clean)
    shapes = [shape for case in cases if (shape := shape_of(case.note.payload if case.note else None))]
    integration = ticket.integration
    vendor = words.VENDORS.get(integration.vendor, integration.vendor)
    to, salutation = _addressed(contact, vendor if integration.vendor != "generic" else "the EHR's vendor")
    return Packet(
        schema=SCHEMA,
        ticket=ticket.number,
        written_at=utc(timezone.now()),
        written_by=str(by) if by else "",
        facility=ticket.facility.name,
        addressed_to=to,
        salutation=salutation,
        integration=integration.name,
        vendor=vendor,
        protocol=words.PROTOCOLS.get(integration.protocol, integration.protocol),
        environment=integration.get_environment_display(),
        endpoints=tuple(_endpoints(integration.settings, clean)),
        failure_mode=ticket.get_failure_mode_display(),
        notes=ticket.ticket_notes.count(),
        cause=ticket.verdict,
        cause_id=ticket.cause,
        certainty=words.CERTAINTIES.get(ticket.certainty, words.NO_CAUSE),
        category=words.CATEGORIES.get(ticket.category, ""),
        journey=tuple(_journey(document)),
        checks=tuple(_checks(document, clean)),
        checks_passed=sum(c["status"] == "passed" for step in document.get("steps", ()) for c in step["checks"]),
        requests=tuple(found[-MOST_REQUESTS:]),
        left_out=max(0, len(found) - MOST_REQUESTS),
        payload=shapes[0] if shapes else None,
        payloads_alike=sum(_same_places(shape, shapes[0]) for shape in shapes[1:]),
        asks=asks(ticket, found),
    )


def as_json(content: Packet) -> dict[str, Any]:
    """Give the packet as data."""
    return asdict(content)


def _addressed(contact: Contact | None, vendor: str) -> tuple[str, str]:
    if contact is None:
        return f"the integration engineers of {vendor}", f"To the integration engineers of {vendor},"
    return f"{contact.name}, {contact.role}" if contact.role else contact.name, f"Dear {contact.name},"


def _cases(ticket: Ticket) -> list[Case]:
    rows = ticket.ticket_notes.select_related("note", "note__department").order_by("added_at", "id")[:MOST_NOTES]
    return [build_case(integration=ticket.integration, note=row.note, offline=True) for row in rows]


def _same_places(one: Shape, other: Shape) -> bool:
    return one.kind == other.kind and [p.path for p in one.places] == [p.path for p in other.places]


def _endpoints(settings: Mapping[str, Any], clean: Cleaner) -> Iterable[str]:
    auth = settings.get("auth")
    addresses = [settings.get("fhir_base_url"), settings.get("write_url")]
    addresses.append(auth.get("token_url") if isinstance(auth, Mapping) else None)
    yield from dict.fromkeys(clean.address(str(address)) for address in addresses if address)
    hl7 = settings.get("hl7")
    if isinstance(hl7, Mapping) and hl7.get("host"):
        yield clean.address(f"mllp://{hl7['host']}:{hl7.get('port', '')}".rstrip(":"))


def _journey(document: Mapping[str, Any]) -> Iterable[Stop]:
    for stop in document.get("journey", ()):
        if stop.get("stage") in words.STAGES and stop.get("state") in words.STAGE_STATES:
            yield Stop(words.STAGES[stop["stage"]], words.STAGE_STATES[stop["state"]], _utc(stop.get("at")))


def _checks(document: Mapping[str, Any], clean: Cleaner) -> Iterable[CheckLine]:
    for step in document.get("steps", ()):
        for check in step["checks"]:
            if check["status"] in _SHOWN:
                yield CheckLine(
                    id=str(check["id"]),
                    step=str(step.get("name") or step["step"]),
                    title=str(check.get("title") or check["id"]),
                    status=words.STATUSES.get(check["status"], check["status"]),
                    says=clean.text(str(check.get("says") or "")),
                    figures=tuple(_figures(check.get("evidence") or {}, clean))[:MOST_FIGURES],
                )


def _figures(evidence: Mapping[str, Any], clean: Cleaner) -> Iterable[Figure]:
    """Give what can be counted. A text may say anything, so that none is sent but times."""
    for name, value in evidence.items():
        if not _FIGURE_NAME.fullmatch(str(name)) or clean.is_known(str(name)):
            continue
        label = str(name).replace("_", " ")
        if isinstance(value, bool):
            yield Figure(label, value)
        elif isinstance(value, int | float):
            if not _PERSONAL_NAME.search(str(name)) and not clean.is_known(str(value).removesuffix(".0")):
                yield Figure(label, value)
        elif isinstance(value, str) and _MOMENT.fullmatch(value) and clean.moment(value):
            if not _PERSONAL_NAME.search(str(name)):
                yield Figure(label, _utc(value))
        elif isinstance(value, list | tuple | Mapping):
            yield Figure(f"{label}, how many", len(value))


def _utc(value: object) -> str:
    try:
        return utc(datetime.fromisoformat(str(value))) if value else ""
    except ValueError:
        return ""
