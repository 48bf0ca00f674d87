"""Judge whether a note that the EHR said it took is in the chart, by the chart as it was last read."""

from datetime import timedelta

from diagnostics import causes
from diagnostics.case import Case
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.evidence.case_parts import Clock, Filed, Vendor
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.vocabulary import Step


def _fhir(case: Case) -> bool:
    return case.integration.protocol == "fhir"


@check(
    id="fhir.readback.absent.chart",
    step=Step.WRITE_BACK,
    title="A note that the EHR said it created is in the chart",
    hints=causes.READBACK_ABSENT,
    checklist=("WRITE.5",),
    applies=_fhir,
)
def created_note_is_in_the_chart(trace: NoteTrace, filed: Filed, clock: Clock, vendor: Vendor) -> Result:
    """Created and not to be found: unsigned, filtered, in another part of the chart, or gone."""
    created = [a for a in trace.attempts if a.outcome == "accepted" and a.status == 201]
    if not created and not trace.ehr("filed"):
        return not_applicable("Nothing says that the EHR created the note.")
    if filed.found:
        return passed("The chart holds the note.", at=filed.at)
    since = created[-1].at if created else trace.ehr("filed")[-1].at
    usual = timedelta(minutes=float(vendor.profile.usual_filing_minutes))
    read_at = filed.at or clock.now
    if read_at - since < usual:
        return not_applicable("The chart was read before the EHR's usual delay was over.", created_at=since)
    return failed(
        "The EHR said that it created the note, and the chart does not show it.", created_at=since, read_at=read_at
    )
