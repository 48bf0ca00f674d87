"""Read ATNA audit messages as rows of the EHR's log: DICOM PS3.15 A.5 and RFC 3881 XML, alone or in syslog frames.

The XML tells where a message begins and ends, so RFC 5424 and RFC 3164 headers, octet counts (RFC 6587) and wrappers
are passed by alike.
"""

from collections.abc import Iterator
from typing import Any, BinaryIO

from diagnostics.parsing.log_formats.moments import iso
from diagnostics.parsing.log_formats.pieces import Line, Odd, Reading, Row, lines_of
from diagnostics.parsing.log_formats.xml_elements import local_name, parsed, xml_elements

_SUCCESS = "0"
_SIGN_IN = frozenset({"110114", "110122", "110123"})
_SERVER_ROLE = "110152"
_CLIENT_ROLES = frozenset({"110150", "110153"})
_PATIENT_KINDS = frozenset({"1", "2"})  # RFC 3881 5.5.4: medical record number, patient number
_ENCOUNTER = "3"
_DOCUMENT_KINDS = frozenset({"8", "9"})  # report name, report number: where IHE puts a document's unique id
_SUBMISSION = "20"


def read_atna(stream: BinaryIO, reading: Reading) -> Iterator[Line]:
    """Yield a line for every AuditMessage."""
    return lines_of(xml_elements(stream, "AuditMessage"), _rows, reading.start)


def _rows(raw: bytes) -> list[Row]:
    root = parsed(raw)
    event = next((each for each in root if local_name(each.tag) == "EventIdentification"), None)
    if event is None:
        raise Odd("EventIdentification is missing")
    written = event.get("EventDateTime", "").strip()
    if not written:
        raise Odd("EventDateTime is missing")
    try:
        at = iso(written)
    except ValueError:
        raise Odd("EventDateTime is no time") from None
    codes = [_coded(each) for each in event if local_name(each.tag) in ("EventID", "EventTypeCode")]
    failed = event.get("EventOutcomeIndicator", _SUCCESS).strip() not in ("", _SUCCESS)
    row: Row = {"at": at, "event": _event(failed, event.get("EventActionCode", ""), {code for code, _ in codes})}
    told = " ".join(each.text.strip() for each in event
                    if local_name(each.tag) == "EventOutcomeDescription" and each.text)  # fmt: skip
    if failed and told:
        row["error"] = told
    if codes:
        row["subtype"] = " ".join(f"{code} {words}".strip() for code, words in codes)[:200]
    for part in root:
        if local_name(part.tag) == "ActiveParticipant":
            _participant(row, part)
        elif local_name(part.tag) == "ParticipantObjectIdentification":
            _object(row, part, event.get("EventActionCode", "") == "R")
    return [row]


def _event(failed: bool, action: str, codes: set[str]) -> str:
    if codes & _SIGN_IN:
        return "token"
    if failed:
        return "rejected"
    return "filed" if action in ("C", "U") else "received"


def _participant(row: Row, part: Any) -> None:
    roles = {_coded(each)[0] for each in part if local_name(each.tag) == "RoleIDCode"}
    if _SERVER_ROLE in roles:
        return
    name = part.get("UserID", "").strip()
    other = part.get("AlternativeUserID", "").strip() or name
    asked = part.get("UserIsRequestor", "true").strip().lower() == "true"
    if roles & _CLIENT_ROLES:
        _set(row, "client_id", name or other)
        _set(row, "client_address", part.get("NetworkAccessPointID", "").strip())
    elif asked:
        _set(row, "author_id", name or other)


def _object(row: Row, part: Any, read: bool) -> None:
    value = part.get("ParticipantObjectID", "").strip()
    role = part.get("ParticipantObjectTypeCodeRole", "").strip()
    kind = next((_coded(each)[0] for each in part if local_name(each.tag) == "ParticipantObjectIDTypeCode"), "")
    if not value:
        return
    if role == "1" or value.startswith("Patient/") or (not role and kind in _PATIENT_KINDS):
        _set(row, "patient_id", value.partition("^")[0])
    elif kind == _ENCOUNTER or value.startswith("Encounter/"):
        _set(row, "resource" if read else "encounter_id", value.partition("^")[0])
    elif kind in _DOCUMENT_KINDS:
        _set(row, "transaction_id", value)
    elif "/" in value and not value.startswith(("http:", "https:", "urn:")):
        _set(row, "resource", value)
    elif role == _SUBMISSION:
        _set(row, "submission_id", value)


def _coded(element: Any) -> tuple[str, str]:
    """Return code and words of a coded value; DICOM writes csd-code, RFC 3881 code."""
    words = element.get("originalText") or element.get("displayName") or ""
    return (element.get("csd-code") or element.get("code") or "").strip(), words.strip()


def _set(row: Row, key: str, value: str) -> None:
    if value:
        row.setdefault(key, value)
