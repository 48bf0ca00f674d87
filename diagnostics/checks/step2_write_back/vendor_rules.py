"""Judge the payload by rules of the vendor's own that go beyond required elements."""

from collections.abc import Iterator, Mapping
from typing import Any

from diagnostics import causes
from diagnostics.check import check, not_applicable, passed
from diagnostics.checks.step2_write_back.payload import over_fhir
from diagnostics.checks.step2_write_back.weighing import FORM_CODES, offence, weigh_fhir
from diagnostics.evidence.case_parts import Vendor
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.parsing.fhir_structure import values_at
from diagnostics.vocabulary import Step, Strength

_LOINC = "http://loinc.org"


@check(
    id="fhir.payload.type_code",
    step=Step.WRITE_BACK,
    title="The note's type is coded in a way this EHR reads",
    proves=causes.PAYLOAD_TYPE_CODE,
    checklist=("WRITE.4",),
    applies=over_fhir,
)
def readable_type(note: FhirNote, vendor: Vendor, trace: NoteTrace | None) -> Result:
    """The type decides where in the chart a note appears; an EHR that cannot read it refuses the note."""
    typed = [(d, path) for d, path in note.documents() if d.get("type")]
    if not typed:
        return not_applicable("The payload names no document type.")
    for document, path in typed:
        systems = {c.get("system") for c, _ in values_at(document, "type.coding", path) if isinstance(c, Mapping)}
        weight = weigh_fhir(trace, FORM_CODES, [f"{path}.type"])
        if not systems:
            return offence(
                f"{path}.type holds words and no code.", weight, at_most=Strength.STRONG, path=f"{path}.type"
            )
        if vendor.profile.type_system_exclusive and _LOINC in systems and len(systems) > 1:
            return offence(
                f"{path}.type mixes LOINC with another code system; {vendor.profile.name} takes one or the other.",
                weight,
                at_most=Strength.STRONG,
                path=f"{path}.type",
                systems=len(systems),
            )
    return passed("The document type is coded.", documents=len(typed))


@check(
    id="fhir.payload.extension",
    step=Step.WRITE_BACK,
    title="The payload carries no extension that this EHR rejects",
    proves=causes.PAYLOAD_EXTENSION,
    checklist=("WRITE.4",),
    applies=over_fhir,
)
def no_rejected_extension(note: FhirNote, vendor: Vendor, trace: NoteTrace | None) -> Result:
    """An extension that changes a note's meaning must be understood or refused; this EHR refuses it."""
    if not vendor.profile.rejects_modifier_extensions:
        return not_applicable("No rule about extensions is known of this EHR.")
    found = [at for resource, path in note.resources() for at in _modifiers(resource, path)]
    if found:
        codes = (*FORM_CODES, "business-rule", "not-supported")
        return offence(
            f"The payload carries {found[0]}, which {vendor.profile.name} rejects.",
            weigh_fhir(trace, codes, found),
            places=found[:5],
        )
    return passed("The payload carries no modifier extension and no implicit rules.")


def _modifiers(holder: Any, path: str, depth: int = 0) -> Iterator[str]:
    if depth > 40:
        return
    if isinstance(holder, Mapping):
        for name, value in holder.items():
            if name in ("modifierExtension", "implicitRules"):
                yield f"{path}.{name}"
            else:
                yield from _modifiers(value, f"{path}.{name}", depth + 1)
    elif isinstance(holder, list):
        for index, value in enumerate(holder[:500]):
            yield from _modifiers(value, f"{path}[{index}]", depth + 1)


@check(
    id="fhir.payload.structure.single",
    step=Step.WRITE_BACK,
    title="The payload holds one document, as this EHR takes it",
    proves=causes.PAYLOAD_STRUCTURE,
    checklist=("WRITE.2",),
    applies=over_fhir,
)
def one_document(note: FhirNote, vendor: Vendor, trace: NoteTrace | None) -> Result:
    """An EHR that files one document per note refuses a second content, even where FHIR allows it."""
    if not vendor.profile.one_document_per_note:
        return not_applicable("No such rule is known of this EHR.")
    for document, path in note.documents():
        for name in ("content", "author"):
            held = document.get(name)
            if isinstance(held, list) and len(held) > 1:
                return offence(
                    f"{path}.{name} holds {len(held)} entries; {vendor.profile.name} takes exactly one.",
                    weigh_fhir(trace, (*FORM_CODES, "business-rule"), [f"{path}.{name}"]),
                    path=f"{path}.{name}",
                    entries=len(held),
                )
    return passed("Every document holds one content and at most one author.")
