"""Judge what people know of the encounter and no snapshot shows."""

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.refusal import refusal_of
from diagnostics.evidence.case_parts import Answers, Encounters
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.questions import ENCOUNTER_CLOSED, YES
from diagnostics.vocabulary import Instant, Step

# by these codes a server refuses the act, not the form of the resource
_RULES = frozenset({"forbidden", "security", "business-rule", "conflict", "processing", "suppressed"})


@check(
    id="perm.encounter.closed.told",
    step=Step.PERMISSIONS,
    title="The encounter was open when the note was sent, as far as people know",
    hints=causes.ENCOUNTER_CLOSED,
    checklist=("PERM.5",),
)
def encounter_was_open(trace: NoteTrace, answers: Answers, encounters: Encounters | None) -> Result:
    """Whoever treated the patient knows whether the encounter was closed, where the EHR's answer does not say."""
    refusal = refusal_of(trace)
    if refusal is None or refusal.status not in (403, 409, 422):
        return not_applicable("The note was not refused by a rule of the EHR.")
    codes = refusal.answer.issue_codes
    if codes and not codes & _RULES:
        return not_applicable("The EHR's answer names the resource's form, not a rule.")
    if encounters is not None and encounters.candidates:
        return not_applicable("The encounter's state is at hand.")
    told = answers.to(ENCOUNTER_CLOSED.id)
    if told is None:
        return unknown(
            "Whether the encounter was closed is not known.", get=Encounters.how_to_get, ask=ENCOUNTER_CLOSED
        )
    if told.value == YES:
        return failed(
            f"{told.by} says that the encounter was closed when the note was sent.",
            instant=Instant.THEN,
            told_at=told.at,
            status=refusal.status,
        )
    return passed(f"{told.by} says that the encounter was open.", told_at=told.at)
