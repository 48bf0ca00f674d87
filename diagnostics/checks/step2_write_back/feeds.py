"""Judge whether the HL7 v2 messages of an interface can carry what the integration wants to file."""

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.refusal import NEVER_THERE
from diagnostics.checks.step2_write_back.framing import over_hl7
from diagnostics.checks.step2_write_back.header import agreed_types
from diagnostics.evidence.case_parts import Filed, SectionMapping, Settings, Template
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import Hl7Message
from diagnostics.findings import Result
from diagnostics.vocabulary import FailureMode, Step, Strength

_CODED = frozenset({"Condition", "Observation", "MedicationRequest", "MedicationStatement", "ServiceRequest"})


@check(
    id="hl7.mdm.discrete_expected",
    step=Step.WRITE_BACK,
    title="The interface's messages can carry the coded data that are expected",
    hints=causes.MDM_DISCRETE_EXPECTED,
    checklist=("MAP.4",),
    applies=over_hl7,
)
def carries_codes(
    settings: Settings,
    sent: Hl7Message | None,
    mapping: SectionMapping | None,
    template: Template | None,
    filed: Filed | None,
    trace: NoteTrace | None,
) -> Result:
    """A document message holds text: problem list, flowsheet and orders stay empty without feeds of their own."""
    types = agreed_types(settings.integration.hl7.message)
    if not types and sent is not None and sent.code:
        types = ((sent.code, sent.event),)
    if not types:
        return not_applicable("Which messages this interface carries is not known.")
    others = sorted({code for code, _ in types if code and code != "MDM"})
    if others:
        return passed(f"The interface carries {', '.join(others)} messages, which hold coded data.", types=others)
    needed = sorted(_CODED & set(settings.integration.resources_needed))
    if mapping is None and not needed:
        if trace is not None and trace.failure_mode in (FailureMode.DELIVERED, FailureMode.PARTIAL):
            return unknown("Whether coded data are expected is not known.", get=SectionMapping.how_to_get)
        return not_applicable("Whether coded data are expected is not known, and this note stopped before that.")
    kinds = {field.id: field.kind for field in template.fields} if template else {}
    ruled = sorted({rule.field for rule in mapping.rules if kinds.get(rule.field) == "discrete"}) if mapping else []
    output = list(mapping.output) if mapping else []
    if "discrete" not in output and not needed:
        return passed("The integration files text only, which a document message can carry.", output=output)
    if filed is not None and filed.discrete:
        return passed("Coded data of this note are in the chart: another feed carries them.",
                      entries=len(filed.discrete))  # fmt: skip
    says = "The interface carries document messages (MDM) only, and coded data are expected with the note"
    configured, fields = ["^".join(filter(None, one)) for one in types], ruled or needed
    if trace is not None and trace.failure_mode in (*NEVER_THERE, FailureMode.REJECTED):
        return warned(f"{says}. This note did not come that far.", strength=Strength.WEAK, configured=configured,
                      fields=fields)  # fmt: skip
    named = f": {', '.join(fields[:4])}" if fields else ""
    return failed(f"{says}{named}.", configured=configured, fields=fields)
