"""Hold the payload as it was sent: its bytes, and what they are as a FHIR resource or an HL7 v2 message."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from diagnostics.case import Case, Note
from diagnostics.evidence.base import Evidence, Key, Missing
from diagnostics.parsing import fhir, hl7
from diagnostics.parsing.fhir import TextProblem
from diagnostics.parsing.fhir_structure import StructureIssue, judge_structure
from diagnostics.probes.declare import part
from diagnostics.vocabulary import Instant

_HOW = "the payload as it was sent (the FHIR resource or the HL7 message)"
_NOT_THIS_KIND = "this integration has no such thing"  # the judge reads it as: not a question for this integration


@dataclass(frozen=True, kw_only=True)
class NotePayload(Evidence):
    """Hold the bytes as sent. `kind` is fhir, hl7v2 or unparseable; `why` says what is wrong with the last."""

    instant: ClassVar[Instant] = Instant.THEN
    how_to_get: ClassVar[str] = _HOW
    kind: str
    data: bytes = field(repr=False)
    why: tuple[TextProblem, ...] = ()
    xml: bool = False


@dataclass(frozen=True, kw_only=True)
class FhirNote(Evidence):
    """Hold the resource as sent, with the faults of its structure, each with its FHIRPath."""

    instant: ClassVar[Instant] = Instant.THEN
    how_to_get: ClassVar[str] = _HOW
    resource: Mapping[str, Any] = field(repr=False)
    form: str = "json"
    issues: tuple[StructureIssue, ...] = ()
    references: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # FHIRPath and literal reference
    problems: tuple[TextProblem, ...] = ()

    @property
    def type(self) -> str:
        """Return the resource's type."""
        return str(self.resource.get("resourceType", ""))

    def resources(self) -> Iterator[tuple[Mapping[str, Any], str]]:
        """Yield the resource and, for a Bundle, those of its entries, each with its FHIRPath."""
        yield self.resource, self.type
        entries = self.resource.get("entry")
        for index, entry in enumerate(entries[:200] if isinstance(entries, list) else ()):
            inner = entry.get("resource") if isinstance(entry, Mapping) else None
            if isinstance(inner, Mapping):
                yield inner, f"{self.type}.entry[{index}].resource"

    def documents(self) -> Iterator[tuple[Mapping[str, Any], str]]:
        """Yield every DocumentReference."""
        return ((one, path) for one, path in self.resources() if one.get("resourceType") == "DocumentReference")


@dataclass(frozen=True, kw_only=True)
class Hl7Message(Evidence):
    """Hold the HL7 v2 message as sent."""

    instant: ClassVar[Instant] = Instant.THEN
    how_to_get: ClassVar[str] = _HOW
    message: hl7.Message

    @property
    def code(self) -> str:
        """Return MSH-9.1, such as MDM."""
        return self.message.get("MSH-9.1").upper()

    @property
    def event(self) -> str:
        """Return MSH-9.2, such as T02."""
        return self.message.get("MSH-9.2").upper()

    @property
    def version(self) -> str:
        """Return MSH-12.1 as written."""
        return self.message.get("MSH-12.1")

    @property
    def is_note(self) -> bool:
        """Tell whether the message is of a kind that carries a note or its results."""
        return self.code in ("MDM", "ORU")


def _bytes(case: Case) -> bytes | None:
    data = case.note.payload if case.note is not None else None
    return data if data else None


def _looks_hl7(case: Case, data: bytes) -> bool:
    """Decide by the bytes first; the file's name and the protocol decide only where the bytes do not."""
    head = data.lstrip(b"\xef\xbb\xbf\r\n\t ")[:1]
    if head in (b"{", b"<", b"["):
        return False
    if data[:1] == b"\x0b" or b"MSH" in data[:2000] or data[:3] in (b"FHS", b"BHS"):
        return True
    name = (case.note.payload_name or "").lower() if case.note is not None else ""
    if name.endswith((".json", ".xml")):
        return False
    return name.endswith(".hl7") or case.integration.protocol == "hl7v2"


# one reading for both parts below; it lives as long as the note it is of
_READ: WeakKeyDictionary[Note, fhir.ResourceText] = WeakKeyDictionary()


def _read(note: Note | None, data: bytes) -> fhir.ResourceText:
    found = _READ.get(note) if note is not None else None
    if found is None:
        found = fhir.read_resource(data)
        if note is not None:
            _READ[note] = found
    return found


@part(gives=NotePayload)
def note_payload(case: Case) -> NotePayload | Missing:
    """Say what the bytes are."""
    data = _bytes(case)
    if data is None:
        empty = case.note is not None and case.note.payload == b""
        if not empty:
            return Missing(Key(NotePayload), "the payload is not at hand", _HOW)
        return NotePayload(kind="unparseable", data=b"", why=(TextProblem("empty", "There is nothing in it."),))
    if _looks_hl7(case, data):
        message = hl7.read_message(data)
        if message.segments:
            return NotePayload(kind="hl7v2", data=data)
        problem = TextProblem("syntax", "No line of it begins with a segment.")
        return NotePayload(kind="unparseable", data=data, why=(problem,))
    read = _read(case.note, data)
    if read.resource is None:
        return NotePayload(kind="unparseable", data=data, why=read.problems, xml=read.form == "xml")
    return NotePayload(kind="fhir", data=data, why=read.problems, xml=read.form == "xml")


@part(gives=FhirNote)
def fhir_note(case: Case) -> FhirNote | Missing:
    """Read the payload as a FHIR resource."""
    data = _bytes(case)
    if data is None:
        why = _NOT_THIS_KIND if case.integration.protocol == "hl7v2" else "the payload is not at hand"
        return Missing(Key(FhirNote), why, _HOW)
    if _looks_hl7(case, data):
        return Missing(Key(FhirNote), _NOT_THIS_KIND)
    read = _read(case.note, data)
    if read.resource is None:
        return Missing(Key(FhirNote), "the payload cannot be read as FHIR", _HOW)
    structure = judge_structure(read.resource)
    return FhirNote(
        resource=read.resource,
        form=read.form,
        issues=structure.issues,
        references=structure.references,
        problems=read.problems,
    )


@part(gives=Hl7Message)
def hl7_message(case: Case) -> Hl7Message | Missing:
    """Read the payload as an HL7 v2 message."""
    data = _bytes(case)
    if data is None:
        why = _NOT_THIS_KIND if case.integration.protocol == "fhir" else "the payload is not at hand"
        return Missing(Key(Hl7Message), why, _HOW)
    if not _looks_hl7(case, data):
        return Missing(Key(Hl7Message), _NOT_THIS_KIND)
    message = hl7.read_message(data)
    if not message.segments:
        return Missing(Key(Hl7Message), "the payload holds no HL7 segment", _HOW)
    return Hl7Message(message=message)
