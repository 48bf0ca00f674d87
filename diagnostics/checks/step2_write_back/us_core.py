"""Judge the documents of a payload by the US Core profile, where the integration or the document itself claims it."""

from diagnostics import causes
from diagnostics.check import check, not_applicable, passed
from diagnostics.checks.step2_write_back.payload import every, over_fhir
from diagnostics.checks.step2_write_back.weighing import FORM_CODES, named_by_ehr, offence, weigh_fhir
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.parsing import us_core
from diagnostics.vocabulary import Step, Strength


@check(
    id="fhir.payload.structure.us_core",
    step=Step.WRITE_BACK,
    title="The document keeps to the US Core profile it claims",
    hints=causes.PAYLOAD_STRUCTURE,
    checklist=("WRITE.2",),
    applies=over_fhir,
)
def keeps_to_us_core(note: FhirNote, settings: Settings, trace: NoteTrace | None) -> Result:
    """A server that validates against a claimed profile refuses what plain FHIR R4 would allow."""
    profile = settings.integration.profile
    claiming = [(one, path) for one, path in note.documents() if us_core.claimed(one, profile)]
    if not claiming:
        return not_applicable("Nothing claims the US Core profile.")
    faults = [fault for document, path in claiming for fault in us_core.judge(document, path)]
    if not faults:
        return passed("Subject, encounter and category are as US Core wants them.", documents=len(claiming))
    places = [fault.path for fault in faults]
    strength = Strength.STRONG if named_by_ehr(trace, places) else Strength.MODERATE
    return offence(faults[0].says, weigh_fhir(trace, places=places), at_most=strength, **every(faults))


@check(
    id="fhir.payload.type_code.loinc",
    step=Step.WRITE_BACK,
    title="The document type is a LOINC code where one is claimed or required",
    hints=causes.PAYLOAD_TYPE_CODE,
    checklist=("WRITE.4",),
    applies=over_fhir,
)
def type_is_loinc(note: FhirNote, settings: Settings, trace: NoteTrace | None) -> Result:
    """A mistyped code is unknown to every EHR, however its note types are mapped."""
    profile = settings.integration.profile
    typed = [(one, path) for one, path in note.documents() if one.get("type")]
    if not typed:
        return not_applicable("The payload names no document type.")
    for document, path in typed:
        mistyped = us_core.loinc_fault(document, path)
        if mistyped is not None:
            weight = weigh_fhir(trace, FORM_CODES, [f"{path}.type"])
            return offence(mistyped.says, weight, at_most=Strength.STRONG, path=mistyped.path)
        outside = us_core.type_fault(document, path) if us_core.claimed(document, profile) else None
        if outside is not None:
            strength = Strength.STRONG if named_by_ehr(trace, [outside.path]) else Strength.MODERATE
            weight = weigh_fhir(trace, FORM_CODES, [outside.path])
            return offence(outside.says, weight, at_most=strength, path=outside.path)
    return passed("Every document type that says LOINC has the form of LOINC.", documents=len(typed))
