"""Judge whether structured data can come with the note at all: from the scribe, and into the EHR."""

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.step3_mapping.expecting import (
    kinds_there,
    narrative_by_design,
    needed_resources,
    never_reached,
    ruled_fields,
)
from diagnostics.evidence.case_parts import Filed, SectionMapping, Settings, Template, Vendor
from diagnostics.evidence.fhir import Capability
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections, SentDiscrete
from diagnostics.evidence.payload import Hl7Message
from diagnostics.findings import Result
from diagnostics.vocabulary import Category, Instant, Step, Strength


@check(
    id="map.output.narrative_only",
    step=Step.MAPPING,
    title="The scribe sends structured data where the mapping or the template expects them",
    proves=causes.OUTPUT_NARRATIVE_ONLY,
    checklist=("MAP.4",),
)
def output_fits_mapping(
    mapping: SectionMapping,
    template: Template | None,
    settings: Settings,
    note: NoteSections | None,
    filed: Filed | None,
    trace: NoteTrace | None,
) -> Result:
    """With text output alone, problem list and flowsheet stay empty however good the note is."""
    if not mapping.output:
        return unknown("The scribe's output mode is not known.", get=SectionMapping.how_to_get)
    if "discrete" in mapping.output:
        return passed("The scribe sends structured data.", output=list(mapping.output))
    ruled = ruled_fields(mapping, template)
    of_template = sorted(f.id for f in template.fields if f.kind == "discrete") if template else []
    needed = needed_resources(settings)
    if not ruled and not of_template and not needed:
        return passed("Text output is all that is expected.", output=list(mapping.output))
    says = "The scribe is set to text output only, but structured data are expected"
    names = ruled or needed or of_template
    if never_reached(trace):
        return warned(f"{says} ({', '.join(names)}).", fields=names)
    if ruled or needed:
        return failed(f"{says}: {', '.join(names)}.", fields=names, output=list(mapping.output))
    # the template merely offers discrete fields: that only matters where this note left them empty
    left = note is not None and bool(note.present_vitals or note.present_codes)
    if left and filed is not None and filed.found and filed.has_discrete and not filed.discrete:
        return failed(f"{says}: the template's {', '.join(names)} stayed empty.", fields=names)
    return passed("Text output is all that the mapping expects.", output=list(mapping.output), offered=names)


@check(
    id="map.interface.no_discrete",
    step=Step.MAPPING,
    title="The EHR's interface takes structured data with the note where they are expected",
    proves=causes.INTERFACE_NO_DISCRETE,
    strength=Strength.STRONG,
    checklist=("MAP.4",),
)
def interface_takes_data(
    settings: Settings,
    vendor: Vendor,
    mapping: SectionMapping | None,
    template: Template | None,
    capability: Capability | None,
    message: Hl7Message | None,
    filed: Filed | None,
    sent: SentDiscrete | None,
    trace: NoteTrace | None,
) -> Result:
    """A route for documents carries no problem, no vital sign and no order: those need a feed of their own."""
    ruled, needed = ruled_fields(mapping, template), needed_resources(settings)
    if narrative_by_design(mapping) or not (ruled or needed):
        return not_applicable("Nobody wrote down that structured data are to come with the note.")
    if kinds_there(filed, sent):
        return passed("Structured data came with the note.")
    if settings.integration.protocol == "hl7v2":
        return _by_message(settings, message, ruled or needed)
    lacking = _not_created(needed or _types_of(template, ruled), capability, vendor)
    if lacking is None:
        return unknown(
            "Whether the EHR takes structured data is not known.",
            get="the EHR's capability statement (/metadata), or which feed takes problems, vital signs and orders",
        )
    if not lacking:
        return passed("The EHR lists that it takes them.", needed=needed or ruled)
    says = f"The EHR does not list that it creates {', '.join(lacking)}, which should come with the note."
    own_route = settings.integration.write_url or vendor.profile.separate_write_route
    if own_route or never_reached(trace):
        return warned(f"{says} Its own write route may take them.", resources=lacking)
    return failed(says, instant=Instant.STANDING, resources=lacking)


def _types_of(template: Template | None, fields: list[str]) -> list[str]:
    """Return the resource types that a template's discrete fields stand for, where their code system tells."""
    systems = [f.system or "" for f in template.fields if f.id in fields] if template else []
    found = set()
    for system in systems:
        found |= {"Condition"} if "icd-10" in system.casefold() else set()
        found |= {"Observation"} if "loinc" in system.casefold() else set()
        found |= {"MedicationRequest"} if "rxnorm" in system.casefold() else set()
    return sorted(found)


def _not_created(types: list[str], capability: Capability | None, vendor: Vendor) -> list[str] | None:
    """Return the types that cannot be created, by the server's own words, else by the vendor's; None: not known."""
    if not types:
        return None
    if capability is not None:
        listed = {r.type for r in capability.statement.resources if "create" in r.interactions}
        return [name for name in types if name not in listed]
    known_not = [name for name in types if name in vendor.profile.no_creates]
    if known_not:
        return known_not
    return [] if all(name in vendor.profile.creates for name in types) else None


def _by_message(settings: Settings, message: Hl7Message | None, wanted: list[str]) -> Result:
    """Judge an HL7 v2 route: an MDM carries a document and nothing else (domain.md trap 8)."""
    configured = (settings.integration.hl7.message or "") if settings.integration.hl7 else ""
    kind = message.code if message is not None else configured.upper()[:3]
    if not kind:
        return unknown("Which messages the interface takes is not known.", get="the interface's list of message types")
    if kind != "MDM":
        return passed("The interface's message carries results beside the text.", message=kind)
    return failed(
        f"The interface takes MDM documents only, and {', '.join(wanted)} should come with the note.",
        strength=Strength.MODERATE,  # hl7.mdm.discrete_expected weighs the same fact as a matter of messages
        category=Category.FIELD_MAPPING,
        instant=Instant.STANDING,
        expected=wanted,
    )
