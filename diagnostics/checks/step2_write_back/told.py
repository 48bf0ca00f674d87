"""Judge what people know of the address that answered."""

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.evidence.case_parts import Answers
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.questions import NO, PRODUCTION_ADDRESS
from diagnostics.vocabulary import Instant, Step


@check(
    id="fhir.base.environment.told",
    step=Step.WRITE_BACK,
    title="The address that took the note is the site's production system",
    hints=causes.BASE_ENVIRONMENT,
    checklist=("WRITE.3",),
    applies=lambda case: case.integration.protocol == "fhir",
)
def address_is_production(trace: NoteTrace, answers: Answers) -> Result:
    """A note that somebody took and the EHR never saw went to another system: a person can tell which."""
    taken = [attempt for attempt in trace.attempts if attempt.outcome == "accepted"]
    if not taken or not trace.has_ehr_log or trace.ehr_rows:
        return not_applicable("The EHR's log does not contradict the answer the scribe got.")
    told = answers.to(PRODUCTION_ADDRESS.id)
    if told is None:
        return unknown(
            "The scribe was told yes, and the EHR's log knows nothing of it.",
            get="which host answered the write, and whether the EHR logs writes by API",
            ask=PRODUCTION_ADDRESS,
        )
    if told.value == NO:
        return failed(
            f"{told.by} says that the address is not the site's production system.",
            instant=Instant.THEN,
            told_at=told.at,
        )
    return passed(f"{told.by} says that the address is the site's production system.", told_at=told.at)
