"""Say what somebody pasted: an id, an error text, an HL7 message or a FHIR payload. Pure; it looks nothing up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diagnostics.parsing.fhir import read_resource
from diagnostics.parsing.hl7 import read_message

LOOKUPS = 12
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/|^-]{2,79}")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,63}")
_LABEL = re.compile(
    r"^(?:note|encounter|visit|transaction|message|document)(?:\s+(?:id|number|no\.?))?\s*[:#]?\s+(\S+)$", re.I
)


@dataclass(frozen=True)
class Pasted:
    """Be what was recognised. `lookups` are the ids to search for, the strongest first."""

    kind: str  # id, error, hl7, fhir
    says: str
    lookups: tuple[str, ...] = ()
    note_id: str = ""
    ids: Mapping[str, str] = field(default_factory=dict)
    payload: bytes | None = None
    payload_name: str = ""
    error: str = ""
    status: int | None = None


def recognise(text: str) -> Pasted:
    """Recognise by form, never by a particular system's wording."""
    text = text.strip().lstrip("\ufeff")
    if re.match(r"\x0b?MSH.", text):
        return _hl7(text)
    if (text[:1] in "{<" and '"resourceType"' in text) or "http://hl7.org/fhir" in text[:2000]:
        found = _fhir(text)
        if found is not None:
            return found
    labelled = _LABEL.match(text)
    if labelled:
        return Pasted("id", "One id", (labelled[1],), labelled[1])
    if _ID.fullmatch(text) and any(c.isdigit() for c in text):
        return Pasted(
            "id", "One id", (text, text.rpartition("/")[2]) if "/" in text else (text,), text.rpartition("/")[2]
        )
    return _error(text)


def _hl7(text: str) -> Pasted:
    data = re.sub(r"\r\n|\n", "\r", text).encode()
    message = read_message(data)
    kind = message.get("MSH-9").replace("&", "^") or "without a type"
    ids = {
        "transaction_id": message.get("MSH-10"),
        "encounter_id": message.get("PV1-19.1") or message.get("PV1-19"),
        "patient_id": message.get("PID-3.1") or message.get("PID-3"),
    }
    ids = {name: value for name, value in ids.items() if value}
    if kind.startswith("ACK") or (message.first("MSA") and not message.first("PID")):
        about = message.get("MSA-2")
        return Pasted("error", "An HL7 acknowledgement", (about,) if about else (), about, error=text)
    lookups = tuple(ids[name] for name in ("transaction_id", "encounter_id") if name in ids)
    return Pasted("hl7", f"An HL7 v2 message, {kind}", lookups, ids.get("transaction_id", ""), ids, data, "note.hl7")


def _fhir(text: str) -> Pasted | None:
    read = read_resource(text.encode())
    resource = read.resource
    if resource is None:
        return None
    kind = str(resource.get("resourceType", ""))
    if kind == "OperationOutcome":
        return Pasted("error", "A FHIR OperationOutcome", _tokens(text), error=text)
    if kind == "Bundle":
        entries = [e.get("resource") for e in _list(resource.get("entry")) if isinstance(e, dict)]
        main = next((e for e in entries if isinstance(e, dict)), resource)
    else:
        main = resource
    identifiers = [i.get("value") for i in _list(main.get("identifier")) if isinstance(i, dict)]
    identifiers += [i.get("value") for i in _list(main.get("masterIdentifier")) if isinstance(i, dict)]
    encounter = _reference(main.get("encounter")) or _reference((main.get("context") or {}).get("encounter"))
    ids = {
        "transaction_id": next((str(i) for i in identifiers if i), ""),
        "encounter_id": encounter,
        "patient_id": _reference(main.get("subject")),
    }
    ids = {name: value for name, value in ids.items() if value}
    own = str(main.get("id") or ids.get("transaction_id", ""))
    lookups = dict.fromkeys(v for v in (own, ids.get("transaction_id"), ids.get("encounter_id")) if v)
    name = "note.xml" if read.form == "xml" else "note.json"
    return Pasted("fhir", f"A FHIR payload, {kind}", tuple(lookups), own, ids, text.encode(), name)


def _error(text: str) -> Pasted:
    status = re.search(r"\b(?:HTTP(?:/\d(?:\.\d)?)?|status(?:\s+code)?)\D{0,3}([1-5]\d\d)\b", text[:4000], re.I)
    return Pasted("error", "An error text", _tokens(text), error=text, status=int(status[1]) if status else None)


def _tokens(text: str) -> tuple[str, ...]:
    """Give what may be an id inside a longer text: a word with a digit in it."""
    words = (word.strip(".-_") for word in _TOKEN.findall(text[:8000]))
    likely = (word for word in words if len(word) > 3 and any(c.isdigit() for c in word) and not word.isdigit())
    return tuple(dict.fromkeys(likely))[:LOOKUPS]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _reference(value: Any) -> str:
    first = next(iter(_list(value)), None)
    reference = first.get("reference") if isinstance(first, dict) else None
    return str(reference).rpartition("/")[2] if reference else ""
