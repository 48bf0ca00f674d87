"""Get a note's readable text out of what was sent: a FHIR attachment or Composition, or the OBX-5 of an HL7 message."""

import base64
import binascii
import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from diagnostics.parsing import fhir, hl7
from diagnostics.parsing.note_headings import LOINC, canonical
from diagnostics.parsing.note_sections import Section, split

_ICD10 = ("http://hl7.org/fhir/sid/icd-10-cm", "urn:oid:2.16.840.1.113883.6.90", "http://hl7.org/fhir/sid/icd-10")
_BREAK = re.compile(r"<\s*(?:br|/p|/div|/li|/h[1-6]|/tr|hr)\b[^>]{0,200}>", re.I)
_TAG = re.compile(r"<[^<>]{1,2000}>")
_HIDDEN = re.compile(r"<(script|style|head)\b[^>]{0,500}>.{0,100000}?</\1\s*>", re.I | re.S)


@dataclass(frozen=True)
class SentNote:
    """Be what the payload says: text with its sections, ids, and what it carries as discrete data.

    `bundle` tells that the payload could have carried discrete data beside the narrative.
    """

    source: str  # attachment | composition | obx
    text: str = field(default="", repr=False)
    sections: tuple[Section, ...] = ()
    patient_ids: tuple[str, ...] = ()
    encounter_id: str | None = None
    codes: frozenset[str] = frozenset()  # ICD-10-CM codes sent as codings
    observations: frozenset[str] = frozenset()  # codes of Observations or numeric OBX
    readings: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # code and value with its unit
    kinds: frozenset[str] = frozenset()  # medication, appointment, order: what else it carries as data
    bundle: bool = False


def read(payload: bytes) -> SentNote | None:
    """Return what the payload says, or None where it is neither FHIR nor HL7 v2; never raises."""
    head = payload.lstrip(b"\xef\xbb\xbf\r\n\t \x0b")[:1]
    if head in (b"{", b"<"):
        resource = fhir.read_resource(payload).resource
        return _fhir(resource) if resource else None
    message = hl7.read_message(payload)
    return _hl7(message) if message.segments else None


def _fhir(resource: Mapping[str, Any]) -> SentNote:
    every = list(_resources(resource))
    composition = next((r for r in every if r.get("resourceType") == "Composition"), None)
    document = next((r for r in every if r.get("resourceType") in ("DocumentReference", "DiagnosticReport")), None)
    note = composition or document or resource
    if composition is not None:
        sections = tuple(_composition(composition))
        text, source = "\n\n".join(f"{s.heading}\n{s.text}" for s in sections), "composition"
    else:
        text, source = "\n".join(_attachments(note)), "attachment"
        sections = split(text)
    subject = _reference(note.get("subject"))
    return SentNote(
        source=source,
        text=text,
        sections=sections,
        patient_ids=(subject,) if subject else (),
        encounter_id=_encounter(note),
        codes=frozenset(_coded(every)),
        observations=frozenset(_observed(every)),
        readings=tuple(_read_values(every)),
        kinds=frozenset(filter(None, (_KINDS.get(str(r.get("resourceType"))) for r in every))),
        bundle=resource.get("resourceType") == "Bundle",
    )


def _resources(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield resource
    for entry in _list(resource.get("entry"))[:500]:
        inner = entry.get("resource") if isinstance(entry, Mapping) else None
        if isinstance(inner, Mapping):
            yield inner
    yield from (one for one in _list(resource.get("contained"))[:500] if isinstance(one, Mapping))


def _attachments(note: Mapping[str, Any]) -> Iterator[str]:
    holders = [c.get("attachment") for c in _list(note.get("content")) if isinstance(c, Mapping)]
    for attachment in holders + _list(note.get("presentedForm")):
        if isinstance(attachment, Mapping) and isinstance(attachment.get("data"), str):
            yield _decode(attachment["data"], str(attachment.get("contentType") or "text/plain"))


def _decode(data: str, content_type: str) -> str:
    try:
        raw = base64.b64decode("".join(data.split()), validate=False)
    except (binascii.Error, ValueError):
        return ""
    kind = content_type.split(";")[0].strip().lower()
    declared = re.search(r"charset=\"?([\w.:-]{1,40})", content_type, re.I)
    if not (kind.startswith("text/") or "xml" in kind or "html" in kind) or "rtf" in kind or "richtext" in kind:
        return ""
    text = hl7.decode(raw, declared[1] if declared else "utf-8")
    return plain_of(text) if "html" in kind or "xml" in kind else text


def plain_of(markup: str) -> str:
    """Return the readable text of HTML or XHTML, one line per block."""
    text = _BREAK.sub("\n", _HIDDEN.sub(" ", markup))
    return html.unescape(_TAG.sub("", text))


def _composition(composition: Mapping[str, Any]) -> Iterator[Section]:
    offset = 0
    waiting = [s for s in _list(composition.get("section")) if isinstance(s, Mapping)][:200]
    while waiting:
        section = waiting.pop(0)
        narrative = section.get("text")
        div = narrative.get("div") if isinstance(narrative, Mapping) else None
        title = section.get("title") if isinstance(section.get("title"), str) else ""
        name = next((LOINC[c] for _s, c in _codings(section.get("code")) if c in LOINC), None) or canonical(title or "")
        text = plain_of(div).strip() if isinstance(div, str) else ""
        offset += len(title or "") + 1
        yield Section(name, title or "", text, offset, offset + len(text))
        offset += len(text) + 2
        waiting[:0] = [s for s in _list(section.get("section")) if isinstance(s, Mapping)]


def _encounter(note: Mapping[str, Any]) -> str | None:
    context = note.get("context")
    inner = context.get("encounter") if isinstance(context, Mapping) else None
    found = _reference(note.get("encounter")) or _reference(inner)
    return found or next((r for r in map(_reference, _list(inner)) if r), None)


def _coded(resources: list[Mapping[str, Any]]) -> Iterator[str]:
    for resource in resources:
        if resource.get("resourceType") in ("Condition", "Encounter", "Composition", "DocumentReference"):
            holders = [resource.get("code"), *_list(resource.get("reasonCode")), *_list(resource.get("event"))]
            for holder in holders:
                yield from (code for system, code in _codings(holder) if system in _ICD10)


def _observed(resources: list[Mapping[str, Any]]) -> Iterator[str]:
    for resource in resources:
        if resource.get("resourceType") == "Observation":
            yield from (code for _s, code in _codings(resource.get("code")))
            for component in _list(resource.get("component")):
                if isinstance(component, Mapping):
                    yield from (code for _s, code in _codings(component.get("code")))


_KINDS = {
    "MedicationRequest": "medication",
    "MedicationStatement": "medication",
    "Appointment": "appointment",
    "AppointmentRequest": "appointment",
    "ServiceRequest": "order",
    "CarePlan": "order",
}
_SEGMENT_KINDS = {"RXO": "medication", "RXE": "medication", "SCH": "appointment", "ARQ": "appointment"}


def _read_values(resources: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield code and value of each Observation and of each of its components."""
    for resource in resources:
        if resource.get("resourceType") != "Observation":
            continue
        for holder in (resource, *(c for c in _list(resource.get("component")) if isinstance(c, Mapping))):
            quantity = holder.get("valueQuantity")
            value = quantity.get("value") if isinstance(quantity, Mapping) else None
            if isinstance(quantity, Mapping) and isinstance(value, int | float) and not isinstance(value, bool):
                text = f"{value} {quantity.get('code') or quantity.get('unit') or ''}".strip()
                yield from ((code, text) for _s, code in _codings(holder.get("code")))


def _codings(concept: Any) -> list[tuple[str, str]]:
    held = _list(concept.get("coding") if isinstance(concept, Mapping) else None)
    return [(str(c.get("system") or ""), str(c["code"])) for c in held if isinstance(c, Mapping) and c.get("code")]


def _reference(value: Any) -> str | None:
    reference = value.get("reference") if isinstance(value, Mapping) else None
    return reference if isinstance(reference, str) and reference and not reference.startswith("#") else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _hl7(message: hl7.Message) -> SentNote:
    lines: list[tuple[str | None, str]] = []
    observed: set[str] = set()
    values: list[tuple[str, str]] = []
    for obx in message.all("OBX"):
        kind = obx.value(2)
        if kind in ("TX", "FT", "ST", "CF"):
            text = "\n".join(hl7.unescape(part, obx.delimiters) for part in obx.repetitions(5))
            lines.append((LOINC.get(obx.value(3)), text))
        elif kind in ("NM", "SN"):
            observed.update(filter(None, (obx.value(3), obx.value(3, 4))))
            values += [(code, f"{obx.value(5)} {obx.value(6)}".strip()) for code in (obx.value(3),) if code]
    pid, visit = message.first("PID"), message.first("PV1")
    ids = tuple(part.split(pid.delimiters.component)[0] for part in pid.repetitions(3)) if pid else ()
    text = "\n".join(line for _name, line in lines)
    return SentNote(
        source="obx",
        text=text,
        sections=tuple(_obx_sections(lines)) if any(name for name, _l in lines) else split(text),
        patient_ids=tuple(filter(None, ids)),
        encounter_id=(visit.value(19) or None) if visit else None,
        codes=frozenset(filter(None, (dg1.value(3) for dg1 in message.all("DG1")))),
        observations=frozenset(observed),
        readings=tuple(values),
        kinds=frozenset(kind for name, kind in _SEGMENT_KINDS.items() if message.first(name)),
        bundle=message.get("MSH-9.1") == "ORU",
    )


def _obx_sections(lines: list[tuple[str | None, str]]) -> Iterator[Section]:
    """Join consecutive OBX lines of one section code; lines without a code are split by their headings."""
    offset, place = 0, 0
    while place < len(lines):
        name = lines[place][0]
        stop = place
        while stop < len(lines) and lines[stop][0] == name:
            stop += 1
        text = "\n".join(line for _n, line in lines[place:stop])
        if name is None:
            yield from split(text)
        else:
            yield Section(name, name, text.strip(), offset, offset + len(text))
        offset, place = offset + len(text) + 1, stop
