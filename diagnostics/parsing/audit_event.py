"""Read FHIR `AuditEvent` (R4) as rows of the EHR's audit trail.

`recorded` is the time; `outcome` 0 is success and 4, 8, 12 are failures of growing weight; `action` C, U is a write,
R a read; `entity.what` names resources; `agent.who` the client and, where the type says so, the author.
"""

from collections.abc import Iterator, Mapping
from typing import Any


def audit_event_rows(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield EHR rows of one AuditEvent or of a Bundle of them; what has no usable time is left out."""
    if resource.get("resourceType") == "Bundle":
        for entry in _list(resource.get("entry")):
            inner = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(inner, dict):
                yield from audit_event_rows(inner)
        return
    if resource.get("resourceType") != "AuditEvent" or not isinstance(resource.get("recorded"), str):
        return
    row = _row(resource)
    from diagnostics.parsing.logs import moment

    try:
        moment(row["at"])
    except ValueError:
        return
    yield row


def _row(event: Mapping[str, Any]) -> dict[str, Any]:
    failed = str(event.get("outcome", "0")) not in ("0", "")
    action = str(event.get("action", ""))
    name = "rejected" if failed else {"C": "filed", "U": "filed"}.get(action, "received")
    row: dict[str, Any] = {"at": event["recorded"], "event": name}
    if failed and event.get("outcomeDesc"):
        row["error"] = str(event["outcomeDesc"])
    kinds = [kind for kind in _list(event.get("subtype")) if isinstance(kind, dict)]
    if kinds:
        row["subtype"] = " ".join(f"{kind.get('code')} {kind.get('display')}" for kind in kinds)[:200]
    for entity in _list(event.get("entity")):
        _entity(row, entity if isinstance(entity, dict) else {})
    for agent in _list(event.get("agent")):
        who = agent.get("who", {}) if isinstance(agent, dict) else {}
        reference = str(who.get("reference", "")) if isinstance(who, dict) else ""
        if reference.startswith(("Device/", "Organization/")) or (isinstance(agent, dict) and agent.get("altId")):
            row.setdefault("client_id", str(agent.get("altId") or reference))
        elif reference.startswith(("Practitioner/", "PractitionerRole/")):
            row.setdefault("author_id", reference)
    return row


def _entity(row: dict[str, Any], entity: Mapping[str, Any]) -> None:
    what = entity.get("what")
    what = what if isinstance(what, dict) else {}
    reference = str(what.get("reference", ""))
    identifier = what.get("identifier")
    kind = reference.split("/")[-2] if "/" in reference else ""
    if kind == "Patient":
        row.setdefault("patient_id", reference)
    elif kind == "Encounter":
        row.setdefault("encounter_id", reference)
    elif reference:
        row.setdefault("resource", reference)
    if isinstance(identifier, dict) and identifier.get("value"):
        row.setdefault("transaction_id", str(identifier["value"]))
    for detail in _list(entity.get("detail")):
        if not isinstance(detail, dict):
            continue
        label = str(detail.get("type", "")).lower().replace("_", "-")
        if label in ("x-request-id", "request-id", "requestid"):
            row.setdefault("request_id", str(detail.get("valueString", "")))
        elif label in ("transaction-id", "message-control-id"):
            row.setdefault("transaction_id", str(detail.get("valueString", "")))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
