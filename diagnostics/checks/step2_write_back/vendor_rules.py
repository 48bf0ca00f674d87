"""Judge the payload by rules of the vendor's own that go beyond required elements.

The rules are the profile's rule pack (domain.md 3.2): which values, how many entries, which dates, which types. What
nobody verified is a strong sign at most, and what the EHR took all the same is only a warning.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from diagnostics import causes
from diagnostics.case import Integration
from diagnostics.check import check, not_applicable, passed, warned
from diagnostics.checks.step2_write_back.payload import over_fhir
from diagnostics.checks.step2_write_back.weighing import FORM_CODES, offence, weigh_fhir
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.parsing.fhir_structure import values_at
from diagnostics.vendors.model import VendorProfile
from diagnostics.vocabulary import Step, Strength

_LOINC = "http://loinc.org"
_STANDARD = (_LOINC, "http://terminology.hl7.org/", "http://hl7.org/fhir/", "urn:oid:2.16.840.1.113883.6.1")
_BUSINESS = (*FORM_CODES, "business-rule")
_DATES = ("date", "context.period.start", "context.period.end", "content.attachment.creation")
_ONLY_A_DAY = re.compile(r"\d{4}(?:-\d{2}){0,2}")
_PERSONA = {"provider-context": "provider", "backend-services": "system", "client-secret": "system"}


def persona_of(integration: Integration) -> str:
    """Return as whom the integration writes: `provider` (a person signed in), `system`, or an empty string."""
    return _PERSONA.get(integration.auth.flow, "")


def _at_most(profile: VendorProfile, fact: str) -> Strength:
    return Strength.DECISIVE if profile.verified(fact) else Strength.STRONG


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
        codings = [c for c, _ in values_at(document, "type.coding", path) if isinstance(c, Mapping)]
        fault = _type_fault(codings, vendor.profile)
        if fault:
            return offence(
                f"{path}.type {fault}",
                weigh_fhir(trace, FORM_CODES, [f"{path}.type"]),
                at_most=Strength.STRONG,
                path=f"{path}.type",
                systems=len({c.get("system") for c in codings}),
            )
    return passed("The document type is coded.", documents=len(typed))


def _type_fault(codings: list[Mapping[str, Any]], profile: VendorProfile) -> str:
    """Say what is wrong with a type's codings at this EHR, or return an empty string."""
    systems = {str(coding.get("system") or "") for coding in codings}
    if not codings:
        return "holds words and no code."
    if profile.type_system_exclusive and _LOINC in systems and len(systems) > 1:
        return f"mixes LOINC with another code system; {profile.name} takes one or the other."
    if profile.standard_types_only and not any(system.startswith(_STANDARD) for system in systems):
        return f"holds codes of one's own only; {profile.name} takes types of its standard list."
    if profile.note_types:
        held = {str(c.get("code") or "") for c in codings} | {f"{c.get('system')}|{c.get('code')}" for c in codings}
        if not held & set(profile.note_types):
            return f"is none of the {len(profile.note_types)} note types that are mapped for this integration."
    return ""


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
    found = [at for resource, path in note.resources() for at in _named(resource, path, _MODIFIERS)]
    if found:
        codes = (*_BUSINESS, "not-supported")
        return offence(
            f"The payload carries {found[0]}, which {vendor.profile.name} rejects.",
            weigh_fhir(trace, codes, found),
            places=found[:5],
        )
    return passed("The payload carries no modifier extension and no implicit rules.")


_MODIFIERS = ("modifierExtension", "implicitRules")


def _named(holder: Any, path: str, names: tuple[str, ...], depth: int = 0) -> Iterator[str]:
    """Yield the FHIRPath of every element of these names; at most 40 levels deep."""
    if depth > 40:
        return
    if isinstance(holder, Mapping):
        for name, value in holder.items():
            if name in names:
                yield f"{path}.{name}"
            else:
                yield from _named(value, f"{path}.{name}", names, depth + 1)
    elif isinstance(holder, list):
        for index, value in enumerate(holder[:500]):
            yield from _named(value, f"{path}[{index}]", names, depth + 1)


@check(
    id="fhir.payload.extension.ignored",
    step=Step.WRITE_BACK,
    title="The payload carries nothing that this EHR would leave out",
    hints=causes.PAYLOAD_EXTENSION,
    checklist=("WRITE.4",),
    applies=over_fhir,
)
def nothing_left_out(note: FhirNote, vendor: Vendor) -> Result:
    """An EHR that drops what it does not know files less than was sent, and says nothing."""
    if not vendor.profile.ignores_unsupported:
        return not_applicable("This EHR is not known to leave elements out.")
    found = [at for one, path in note.documents() for at in _named(one, path, ("extension", "contained"))]
    if not found:
        return passed("The payload carries no extension and no contained resource.")
    return warned(
        f"The payload carries {found[0]}: {vendor.profile.name} leaves out what it does not support, or refuses it "
        "with 422. Compare the chart with what was sent.",
        places=found[:5],
    )


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
    profile = vendor.profile
    if not profile.single:
        return not_applicable("No such rule is known of this EHR.")
    for document, path in note.documents():
        for name in profile.single:
            count = sum(1 for _ in values_at(document, name, path))
            if count > 1:
                return offence(
                    f"{path}.{name} holds {count} entries; {profile.name} takes exactly one.",
                    weigh_fhir(trace, _BUSINESS, [f"{path}.{name}"]),
                    at_most=_at_most(profile, "single"),
                    path=f"{path}.{name}",
                    entries=count,
                )
    return passed("No element holds more entries than this EHR takes.")


@check(
    id="fhir.payload.structure.values",
    step=Step.WRITE_BACK,
    title="Every element holds a value this EHR takes from this account",
    proves=causes.PAYLOAD_STRUCTURE,
    checklist=("WRITE.2", "WRITE.4"),
    applies=over_fhir,
)
def taken_values(note: FhirNote, vendor: Vendor, settings: Settings, trace: NoteTrace | None) -> Result:
    """Which status a note may be sent with differs between a person signed in and a service account."""
    profile, persona = vendor.profile, persona_of(settings.integration)
    if not profile.allowed and not profile.refused:
        return not_applicable("No such rule is known of this EHR.")
    for document, path in note.documents():
        for rule in profile.allowed:
            if rule.persona not in ("", persona):
                continue
            for value, at in values_at(document, rule.path, path):
                if value not in rule.values:
                    whose = f" from a {persona} account" if rule.persona else ""
                    return offence(
                        f"{at} is none of the values {profile.name} takes{whose}: {' or '.join(rule.values)}.",
                        weigh_fhir(trace, _BUSINESS, [at]),
                        at_most=_at_most(profile, "allowed"),
                        path=at,
                    )
        for element in profile.refused:
            if element.persona in ("", persona) and next(values_at(document, element.path, path), None) is not None:
                return offence(
                    f"{path}.{element.path} is in the payload; {profile.name} does not take {element.says}.",
                    weigh_fhir(trace, _BUSINESS, [f"{path}.{element.path}"]),
                    at_most=_at_most(profile, "refused"),
                    path=f"{path}.{element.path}",
                )
    return passed("Every value is one this EHR takes.", persona=persona)


@check(
    id="fhir.payload.structure.times",
    step=Step.WRITE_BACK,
    title="Every date carries the time this EHR asks for",
    proves=causes.PAYLOAD_STRUCTURE,
    checklist=("WRITE.2",),
    applies=over_fhir,
)
def dates_with_times(note: FhirNote, vendor: Vendor, trace: NoteTrace | None) -> Result:
    """FHIR lets a date stand without its time; an EHR that files by the minute refuses it."""
    profile = vendor.profile
    if not profile.timed:
        return not_applicable("No such rule is known of this EHR.")
    wanted = _DATES if "*" in profile.timed else profile.timed
    for document, path in note.documents():
        for steps in wanted:
            for value, at in values_at(document, steps, path):
                if isinstance(value, str) and _ONLY_A_DAY.fullmatch(value.strip()):
                    return offence(
                        f"{at} is a date without a time; {profile.name} asks for the time.",
                        weigh_fhir(trace, _BUSINESS, [at]),
                        at_most=_at_most(profile, "timed"),
                        path=at,
                    )
    return passed("Every date carries a time.")
