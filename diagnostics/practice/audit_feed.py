"""Tell the audit trail as FHIR R4 AuditEvents, and answer searches for them page by page, as a real server does.

One event is one act: a create that was refused, taken in for later, or filed. What a create passed through on its way
(*received*, *accepted* before *filed*) is no event of its own.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from diagnostics.practice.fault import Variation
from diagnostics.practice.tenant import Tenant
from diagnostics.practice.validation import Rejected

DEFAULT_COUNT = 50
LARGEST_COUNT = 500
_SOUND = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_INTERACTION = "http://hl7.org/fhir/restful-interaction"
_ENTITY_KIND = "http://terminology.hl7.org/CodeSystem/audit-entity-type"

_ALL = (
    Variation("audit-none", "The EHR offers no AuditEvent at all.", ehr={"audit": "none"}),
    Variation("audit-forbidden", "The account may not search AuditEvent.", ehr={"audit": "forbidden"}),
    Variation("audit-breaks", "The second page of AuditEvents answers 500.", ehr={"audit": "breaks"}),
    Variation("audit-busy", "A search for AuditEvents is told to come back in a while.", ehr={"audit": "busy"}),
    Variation("audit-unsorted", "AuditEvents come newest first, whatever is asked.", ehr={"audit": "unsorted"}),
    Variation("audit-elsewhere", "The next page is said to lie on another host.", ehr={"audit": "elsewhere"}),
    Variation("audit-circle", "The next page is always the same page.", ehr={"audit": "circle"}),
)

AUDIT_TROUBLES: dict[str, Variation] = {trouble.name: trouble for trouble in _ALL}


def search_audit(tenant: Tenant, query: list[tuple[str, str]]) -> dict[str, Any]:
    """Give one page of the AuditEvents as a searchset: `date`, `_sort=date|-date`, `_count`, and `next` links.

    A search sees what was there when its first page was asked for: what comes meanwhile moves no page.
    Raises Rejected where the tenant is ill that way or a parameter cannot be read.
    """
    mode, told = tenant.behaviour.audit, dict(query)
    _refuse(mode, told)
    trail = audit_events(tenant)
    seen = _number(told, "_seen", len(trail))
    start, count = _number(told, "_start", 0), min(_number(told, "_count", DEFAULT_COUNT), LARGEST_COUNT)
    dates = [_when(value) for name, value in query if name == "date"]
    found = [event for event in trail[:seen] if all(date.holds(event["recorded"]) for date in dates)]
    order = "-date" if mode == "unsorted" else told.get("_sort", "")
    if order in ("date", "-date"):
        found.sort(key=lambda event: str(event["recorded"]), reverse=order == "-date")
    base = f"{tenant.fhir_base}/AuditEvent"
    links = [{"relation": "self", "url": f"{base}?{urlencode(query)}"}]
    if start + count < len(found):
        kept = [(name, value) for name, value in query if name not in ("_start", "_seen")]
        onward = kept if mode == "circle" else [*kept, ("_start", str(start + count)), ("_seen", str(seen))]
        where = base.replace("https://", "https://mirror.", 1) if mode == "elsewhere" else base
        links.append({"relation": "next", "url": f"{where}?{urlencode(onward)}"})
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(found),
        "link": links,
        "entry": [
            {"fullUrl": f"{base}/{event['id']}", "resource": event, "search": {"mode": "match"}}
            for event in found[start : start + count]
        ],
    }


def audit_events(tenant: Tenant) -> list[dict[str, Any]]:
    """Show the audit trail as AuditEvents, in the order they were written; an event's id stays its own."""
    rows = tenant.audit.rows()
    filed = {(row.get("request_id"), row.get("transaction_id")) for row in rows if row["event"] == "filed"}
    events = []
    for number, row in enumerate(rows, 1):
        passed = row["event"] == "accepted" and (row.get("request_id"), row.get("transaction_id")) in filed
        if row["event"] in ("accepted", "rejected", "filed") and not passed:
            events.append(_event(tenant, number, row))
    return events


def _event(tenant: Tenant, number: int, row: dict[str, Any]) -> dict[str, Any]:
    refused = row["event"] == "rejected"
    status = int(row.get("status", 0))
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": f"audit-{number}",
        "type": {"system": _SOUND, "code": "rest", "display": "RESTful Operation"},
        "subtype": [{"system": _INTERACTION, "code": "create", "display": "create"}],
        "action": "E" if row["event"] == "accepted" else "C",
        "recorded": row["at"],
        "outcome": ("8" if status >= 500 else "4") if refused else "0",
        "agent": _agents(tenant, row),
        "source": {"observer": {"display": tenant.software}},
        "entity": _entities(row),
    }
    if refused and row.get("error"):
        event["outcomeDesc"] = row["error"]
    return event


def _agents(tenant: Tenant, row: dict[str, Any]) -> list[dict[str, Any]]:
    client = row.get("client_id", tenant.client_id)
    agents: list[dict[str, Any]] = [
        {
            "type": {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110153"}]},
            "who": {"identifier": {"value": client}},
            "altId": client,
            "requestor": True,
        }
    ]
    if row.get("author_id"):
        agents.append({"who": {"reference": f"Practitioner/{row['author_id']}"}, "requestor": False})
    return agents


def _entities(row: dict[str, Any]) -> list[dict[str, Any]]:
    entities: list[dict[str, Any]] = [
        {"what": {"reference": row[key] if "/" in row[key] else f"{kind}/{row[key]}"}}
        for key, kind in (("patient_id", "Patient"), ("encounter_id", "Encounter"))
        if row.get(key)
    ]
    document: dict[str, Any] = {"type": {"system": _ENTITY_KIND, "code": "2", "display": "System Object"}}
    what: dict[str, Any] = {}
    if "/" in row.get("resource", ""):
        what["reference"] = row["resource"]
    if row.get("transaction_id"):
        what["identifier"] = {"value": row["transaction_id"]}
    if row.get("request_id"):
        document["detail"] = [{"type": "X-Request-Id", "valueString": row["request_id"]}]
    if what:
        document["what"] = what
    return [*entities, document]


def _refuse(mode: str, told: dict[str, str]) -> None:
    if mode == "none":
        raise Rejected(404, "not-supported", "There is no such resource type here.", "AuditEvent")
    if mode == "forbidden":
        raise Rejected(403, "forbidden", "The account may not do this.")
    if mode == "busy":
        raise Rejected(429, "throttled", "Too many requests.")
    if mode == "breaks" and "_start" in told:
        raise Rejected(500, "exception", "Something failed inside.")


def _number(told: dict[str, str], name: str, otherwise: int) -> int:
    value = told.get(name)
    if value is None:
        return otherwise
    if not (value.isascii() and value.isdigit() and len(value) < 9):
        raise Rejected(400, "invalid", f"{name} is not a number.", name)
    return int(value)


@dataclass(frozen=True)
class _When:
    """Be one `date` parameter: a prefix, and the interval that its value stands for (R4, 3.1.1.4.7)."""

    prefix: str
    low: datetime.datetime
    high: datetime.datetime

    def holds(self, recorded: str) -> bool:
        """Tell whether an event lies there."""
        at = datetime.datetime.fromisoformat(recorded)
        low, high = self.low, self.high
        holds = {"ge": at >= low, "gt": at >= high, "le": at < high, "lt": at < low, "eq": low <= at < high}
        return holds[self.prefix]


def _when(wanted: str) -> _When:
    prefix, text = (wanted[:2], wanted[2:]) if wanted[:2] in ("ge", "gt", "le", "lt", "eq") else ("eq", wanted)
    try:
        low = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise Rejected(400, "invalid", "The date cannot be read.", "date") from None
    low = low if low.tzinfo else low.replace(tzinfo=datetime.UTC)
    return _When(prefix, low, low + datetime.timedelta(**({"days": 1} if len(text) == 10 else {"seconds": 1})))
