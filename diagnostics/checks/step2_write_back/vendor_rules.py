"""Judge the payload and the answer by rules of the vendor's own that go beyond required elements.

The rules are the profile's rule pack (domain.md 3.2): which values, how many entries, which dates, which types. What
nobody verified is a strong sign at most, and what the EHR took all the same is only a warning.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from diagnostics import catalog, causes
from diagnostics.case import Case, Integration
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.refusal import refusal_of
from diagnostics.checks.step2_write_back.payload import over_fhir
from diagnostics.checks.step2_write_back.weighing import FORM_CODES, offence, taken, weigh_fhir
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.fhir import Capability
from diagnostics.evidence.logs import AuditTrail, NoteTrace
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


def _plain_create(case: Case) -> bool:
    return over_fhir(case) and case.integration.write_url is None and not case.vendor.separate_write_route


@check(
    id="fhir.capability.create_missing.known",
    step=Step.WRITE_BACK,
    title="This EHR is not known to refuse the payload's kind of resource",
    hints=causes.CAPABILITY_CREATE_MISSING,
    checklist=("WRITE.1",),
    applies=_plain_create,
)
def kind_is_created(note: FhirNote, vendor: Vendor, capability: Capability | None, trace: NoteTrace | None) -> Result:
    """What a vendor's published metadata lack is told before anybody reaches the server; its own statement decides."""
    profile = vendor.profile
    if capability is not None:
        return not_applicable("The server's own capability statement is at hand.")
    if note.type not in profile.no_creates:
        return passed(f"{profile.name} is not known to refuse {note.type}.")
    says = f"{profile.name}'s published metadata offer no create for {note.type}."
    if taken(trace):
        return warned(f"{says} It took the note all the same.", resource=note.type)
    refusal = refusal_of(trace)
    other = refusal is not None and refusal.status not in (400, 403, 404, 405, 422, 501)
    strength = Strength.MODERATE if other or not profile.verified("no_creates") else Strength.STRONG
    return failed(says, strength=strength, resource=note.type, known_to_be_created=list(profile.creates))


@check(
    id="fhir.capability.create_missing.build",
    step=Step.WRITE_BACK,
    title="The EHR's build is new enough to take notes",
    hints=causes.CAPABILITY_CREATE_MISSING,
    strength=Strength.MODERATE,
    checklist=("WRITE.1",),
    applies=lambda case: case.vendor.version_floor is not None,
)
def build_is_new_enough(
    vendor: Vendor, capability: Capability | None, trail: AuditTrail | None, trace: NoteTrace | None
) -> Result:
    """A practice that has not been upgraded yet lists the same interface, and takes no notes by it."""
    floor = vendor.profile.version_floor
    build = _build(capability, trail)
    reached = floor.reached(build) if build else None
    if reached is None:
        if refusal_of(trace) is None:
            return not_applicable("Nothing was refused, and the EHR's build is not known.")
        return unknown(f"The EHR's build is not known; {floor.what} needs {floor.build}.", get="the EHR's build number")
    if reached:
        return passed("The EHR's build is new enough.", build=build, needed=floor.build)
    says = f"The EHR runs build {build}; {floor.what} needs {floor.build}."
    if taken(trace):
        return warned(f"{says} It took the note all the same.", build=build, needed=floor.build)
    return failed(says, build=build, needed=floor.build)


def _build(capability: Capability | None, trail: AuditTrail | None) -> str:
    for row in reversed(trail.rows if trail else ()):
        change = row.change or {}
        if row.event == "change" and change.get("kind") == "upgrade" and re.match(r"v?\d+\.\d", str(change.get("to"))):
            return str(change.get("to")).lstrip("v")[:40]
    return (capability.statement.software_version or "")[:40] if capability is not None else ""


@check(
    id="fhir.outcome.issue.vendor",
    step=Step.WRITE_BACK,
    title="The EHR's answer is none its vendor is known to give for a fault",
    hints=(
        causes.OUTCOME_ISSUE, causes.PAYLOAD_EXTENSION, causes.BASE_ENVIRONMENT, causes.SERVER_ERROR,
        causes.PROXY_AUTH_STRIPPED, causes.PRACTICE_SCOPE, causes.GATEWAY_UNROUTED, causes.RBAC_MATRIX,
        causes.RATE_LIMITED,
    ),
    checklist=("WRITE.2",),
    applies=lambda case: bool(case.vendor.answers),
)  # fmt: skip
def answer_by_vendor(trace: NoteTrace, vendor: Vendor, settings: Settings) -> Result:
    """Some vendors refuse in words and without a number; what those words mean is known of them alone."""
    refusal = refusal_of(trace)
    if refusal is None:
        return passed("The EHR refused nothing.") if trace.attempts else not_applicable("Nothing was sent.")
    url = trace.last.url if trace.last is not None else None
    known = vendor.profile.known_answer(
        settings.integration.protocol, refusal.status, refusal.answer.issue_codes, refusal.answer.text, url
    )
    facts: dict[str, Any] = {"status": refusal.status, "codes": sorted(refusal.answer.issue_codes)}
    if known is None:
        return passed("The answer is none that is known of this vendor.", **facts)
    says = f"From {vendor.profile.name} this answer means: {known.says}."
    if known.cause is None:
        return unknown(says, get="the whole body of the EHR's answer", **facts)
    return failed(says, cause=catalog.cause(known.cause), strength=known.strength, **facts)
