"""Say what somebody pasted: an id, an error text, a mail, an HL7 message or a payload. Pure; it looks nothing up."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from console.tickets.mail_text import File, MailText, looks_like_mail, mail_text, parse
from diagnostics.parsing.fhir import read_resource
from diagnostics.parsing.hl7 import read_message

LOOKUPS = 12
ERROR_LINES = 3
PAYLOAD_LIMIT = 2_000_000
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/|^-]{2,79}")
_TOKEN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{3,63}")
_LABEL = re.compile(
    r"^(?:note|encounter|visit|transaction|message|document)(?:\s+(?:id|number|no\.?))?\s*[:#]?\s+(\S+)$", re.I
)
_LABELLED = re.compile(
    r"\b(?:note|encounter|visit|transaction|message|document)(?:[ \t]+(?:id|number|no\.?))?[ \t]*[:#=][ \t]*"
    r"([A-Za-z0-9][\w.:/^-]{2,79})",
    re.I,
)
_HL7_WITHIN = re.compile(r"^[>\s]*(MSH\|.*(?:\n[>\s]*[A-Z][A-Z0-9]{2}\|.*)*)", re.M)
_ERROR_LINE = re.compile(r"error|fail|refus|reject|denied|invalid|unknown|expired|timeout|timed out|\b[45]\d\d\b", re.I)


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
    text: str = ""  # of a mail: its words, which are kept instead of the message as it travelled
    files: tuple[File, ...] = ()

    @property
    def errors(self) -> tuple[str, ...]:
        """Give what may stand in a log as the error: the whole text, then the lines of a longer one that sound so."""
        lines = [line.strip(" >\t") for line in self.error[:8000].splitlines()]
        likely = [line for line in lines if _ERROR_LINE.search(line)] if len(lines) > 1 else []
        return tuple(dict.fromkeys((self.error, *likely[:ERROR_LINES])))


def recognise(text: str) -> Pasted:
    """Recognise by form, never by a particular system's wording."""
    text = text.strip().lstrip("\ufeff")
    data = text[:20_000].encode("utf-8", "replace")
    if looks_like_mail(data):
        return recognise_mail(mail_text(parse(text.encode("utf-8", "surrogatepass"))))
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


def recognise_mail(mail: MailText) -> Pasted:
    """Recognise what a mail is about: by a payload it carries, else by its words."""
    words = f"{mail.subject}\n\n{mail.text}".strip()
    kept = replace(_about(mail), text=words, files=mail.files)
    return replace(kept, says=f"A mail with {kept.says[:1].lower()}{kept.says[1:]}" if kept.payload else "A mail")


def _about(mail: MailText) -> Pasted:
    for file in mail.files:
        text = file.content.decode("utf-8", "replace").strip().lstrip("\ufeff")
        found = _payload(text) if len(file.content) <= PAYLOAD_LIMIT else None
        if found is not None:
            return replace(found, payload=file.content)
    within = _HL7_WITHIN.search(mail.text)
    if within:
        return _hl7("\n".join(line.lstrip("> \t") for line in within[1].splitlines()))
    return _error(f"{mail.subject}\n{mail.text}".strip())


def _payload(text: str) -> Pasted | None:
    if re.match(r"\x0b?MSH.", text):
        found: Pasted | None = _hl7(text)
    elif (text[:1] in "{<" and '"resourceType"' in text) or "http://hl7.org/fhir" in text[:2000]:
        found = _fhir(text)
    else:
        found = None
    return found if found is not None and found.payload is not None else None


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
    """Give what may be an id inside a longer text: what is called one, then each word with a digit in it."""
    called = (word.strip(".-_:/").rpartition("/")[2] for word in _LABELLED.findall(text[:8000]))
    words = (word.strip(".-_") for word in _TOKEN.findall(text[:8000]))
    likely = (word for word in words if len(word) > 3 and any(c.isdigit() for c in word) and not word.isdigit())
    return tuple(dict.fromkeys((*called, *likely)))[:LOOKUPS]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _reference(value: Any) -> str:
    first = next(iter(_list(value)), None)
    reference = first.get("reference") if isinstance(first, dict) else None
    return str(reference).rpartition("/")[2] if reference else ""
