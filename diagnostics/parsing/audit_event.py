"""Read FHIR `AuditEvent` (R4; R5 where it differs) as rows of the EHR's audit trail.

`recorded` is the time; `outcome` 0 is success and 4, 8, 12 are failures of growing weight; `action` C, U is a write,
R a read; `entity.what` names resources and requests, `agent.who` the client and the author. IHE's Basic Audit Log
Patterns (BALP), which FHIR servers follow, put the request id into an entity of its own.

A read names what was read as its `resource` and no encounter: somebody who looks at an encounter has sent no note.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any

_READS = frozenset({"read", "vread", "search", "search-type", "search-system", "history", "history-instance",
                    "history-type", "history-system", "capabilities"})  # fmt: skip
_SIGN_IN = frozenset({"110114", "110122", "110123"})  # DICOM: user authentication, login, logout
_SUCCESS = frozenset({"", "0", "success", "information", "informational", "warning"})
_CLIENT_ROLES = frozenset({"110150", "110153"})  # DICOM: application, source of the request
_SERVER_ROLE = "110152"  # DICOM: destination of the request
_HUMAN_ROLES = frozenset({"humanuser", "ircp", "aut", "author", "prov", "performer"})
_NO_DOCUMENT = frozenset({"20", "24"})  # object-role: a job (such as a submission set), a query
_PEOPLE = ("Practitioner/", "PractitionerRole/", "Patient/", "RelatedPerson/")
_REFERENCE = re.compile(r"(?:^|/)([A-Z][A-Za-z]{2,60})/([A-Za-z0-9.\-]{1,64})(?:/_history/[^/]{1,64})?/?$")
_REQUEST = frozenset({"x-request-id", "request-id", "requestid", "xrequestid", "correlation-id", "x-correlation-id"})
_TRANSACTION = frozenset({"transaction-id", "transactionid", "message-control-id", "messagecontrolid"})
_STATUS = frozenset({"status", "http-status", "httpstatus", "status-code", "statuscode", "response-code"})


class NoRow(Exception):
    """A resource that is no row of an audit trail; the message says why and holds nothing of it."""


def audit_event_rows(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield EHR rows of one AuditEvent or of a Bundle of them; what has no usable time is left out."""
    if resource.get("resourceType") == "Bundle":
        for entry in _list(resource.get("entry")):
            inner = entry.get("resource") if isinstance(entry, dict) else None
            if isinstance(inner, dict) and inner.get("resourceType") != "Bundle":
                yield from audit_event_rows(inner)
        return
    try:
        row = event_row(resource)
    except NoRow:
        return
    from diagnostics.parsing.logs import moment

    try:
        moment(row["at"])
    except ValueError:
        return
    yield row


def event_row(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the EHR row of one AuditEvent, `at` as recorded; raise NoRow where it is none or has no time."""
    if event.get("resourceType") != "AuditEvent":
        raise NoRow("is no AuditEvent")
    if not isinstance(event.get("recorded"), str) or not event["recorded"].strip():
        raise NoRow("recorded (the time of the AuditEvent) is missing")
    kinds = [*_codings(event.get("subtype")), *_codings(event.get("code"))]
    codes = {code.lower() for code, _ in [*kinds, *_codings(event.get("type")), *_codings(event.get("category"))]}
    action = str(event.get("action", ""))
    outcome, words = _outcome(event)
    row: dict[str, Any] = {"at": event["recorded"].strip(), "event": _event(outcome, action, codes)}
    if words and outcome not in _SUCCESS:
        row["error"] = words
    if kinds:
        row["subtype"] = " ".join(f"{code} {display}".strip() for code, display in kinds)[:200]
    read = action == "R" or bool(codes & _READS)
    for entity in _list(event.get("entity")):
        _entity(row, entity if isinstance(entity, dict) else {}, read)
    _agents(row, [agent for agent in _list(event.get("agent")) if isinstance(agent, dict)])
    return row


def _event(outcome: str, action: str, codes: set[str]) -> str:
    if codes & _SIGN_IN:
        return "token"
    if outcome not in _SUCCESS:
        return "rejected"
    return {"C": "filed", "U": "filed"}.get(action, "received")


def _outcome(event: Mapping[str, Any]) -> tuple[str, str]:
    """Return the outcome's code and its words: a code with a description (R4), or a coded object (R5)."""
    outcome = event.get("outcome")
    if not isinstance(outcome, dict):
        return ("" if outcome is None else str(outcome)).lower(), str(event.get("outcomeDesc") or "")
    codes = _codings(outcome.get("code"))
    told = [text for detail in _list(outcome.get("detail")) if isinstance(detail, dict)
            for text in (detail.get("text"), *(display for _, display in _codings(detail))) if text]  # fmt: skip
    return (codes[0][0].lower() if codes else ""), " ".join(map(str, told))


def _entity(row: dict[str, Any], entity: Mapping[str, Any], read: bool) -> None:
    what = entity.get("what")
    what = what if isinstance(what, dict) else {}
    reference = str(what.get("reference") or "")
    found = _REFERENCE.search(reference)
    kind = found[1] if found else str(what.get("type") or "")
    named = f"{found[1]}/{found[2]}" if found else reference
    identifier = what.get("identifier")
    value = str(identifier.get("value") or "") if isinstance(identifier, dict) else ""
    codes = {code.lower() for code, _ in _codings(entity.get("type"))}
    roles = {code for code, _ in _codings(entity.get("role"))}
    if codes & _REQUEST:
        _set(row, "request_id", value or named)
    elif kind == "Patient" or (not kind and "1" in roles):
        _set(row, "patient_id", named or value.partition("^")[0])
        if read and named:
            _set(row, "resource", named)
    elif kind == "Encounter" or "encounter" in codes:
        _set(row, "resource" if read else "encounter_id", named or value)
    else:
        _set(row, "resource", named)
        if not roles & _NO_DOCUMENT:
            _set(row, "transaction_id", value)
    for detail in _list(entity.get("detail")):
        if isinstance(detail, dict):
            _detail(row, detail)


def _detail(row: dict[str, Any], detail: Mapping[str, Any]) -> None:
    kind = detail.get("type")
    told = " ".join(text for pair in _codings(kind) for text in pair[:1]) if isinstance(kind, dict) else str(kind or "")
    label = told.strip().lower().replace("_", "-").replace(" ", "-")
    value = str(detail.get("valueString") or _decoded(detail.get("valueBase64Binary")))
    if label in _REQUEST:
        _set(row, "request_id", value)
    elif label in _TRANSACTION:
        _set(row, "transaction_id", value)
    elif label in _STATUS and value.isascii() and value.isdigit() and len(value) == 3:
        row.setdefault("status", int(value))


def _agents(row: dict[str, Any], agents: list[Mapping[str, Any]]) -> None:
    """Tell the client from the author: by reference and role, else the requestor, else whoever has another id."""
    fallbacks: list[str] = []
    for agent in agents:
        roles = {code.lower() for kind in (agent.get("type"), *_list(agent.get("role"))) for code, _ in _codings(kind)}
        if _SERVER_ROLE in roles:
            continue
        who = agent.get("who")
        who = who if isinstance(who, dict) else {}
        found = _REFERENCE.search(str(who.get("reference") or ""))
        named = f"{found[1]}/{found[2]}" if found else str(who.get("reference") or "")
        identifier = who.get("identifier")
        value = str(identifier.get("value") or "") if isinstance(identifier, dict) else ""
        other = str(agent.get("altId") or "")
        if named.startswith(_PEOPLE):
            _set(row, "author_id", named)
            fallbacks += [other]
        elif roles & _HUMAN_ROLES:
            _set(row, "author_id", named or value)
        elif named.startswith(("Device/", "Organization/")) or roles & _CLIENT_ROLES:
            _set(row, "client_id", other or value or named or str(who.get("display") or ""))
        elif agent.get("requestor") is True:
            fallbacks.insert(0, other or value or named)
        else:
            fallbacks += [other]
        network = agent.get("network")
        address = network.get("address") if isinstance(network, dict) else agent.get("networkString")
        _set(row, "client_address", str(address or ""))
    _set(row, "client_id", next((each for each in fallbacks if each), ""))


def _codings(value: Any) -> list[tuple[str, str]]:
    """Return (code, display) of a Coding, a CodeableConcept, or a list of either."""
    if isinstance(value, list):
        return [pair for each in value for pair in _codings(each) if not isinstance(each, list)]
    if not isinstance(value, dict):
        return []
    if isinstance(value.get("coding"), list):
        return [pair for each in value["coding"] if isinstance(each, dict) and "coding" not in each
                for pair in _codings(each)]  # fmt: skip
    return [(str(value.get("code") or ""), str(value.get("display") or ""))]


def _decoded(value: Any) -> str:
    try:
        return base64.b64decode(str(value or ""), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _set(row: dict[str, Any], key: str, value: str) -> None:
    if value:
        row.setdefault(key, value)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
