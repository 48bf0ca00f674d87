"""Judge what people know of credentials and no log records."""

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.step1_authentication.refused_tokens import credential_changes
from diagnostics.evidence.case_parts import Answers
from diagnostics.evidence.logs import AuditTrail, NoteTrace
from diagnostics.findings import Result
from diagnostics.parsing.answers import read_answer
from diagnostics.questions import CREDENTIAL_REPLACED, YES
from diagnostics.vocabulary import Instant, Step

_REFUSED = ("invalid_client", "invalid_grant", "unauthorized_client")


@check(
    id="auth.credential.rotated.told",
    step=Step.AUTHENTICATION,
    title="Nobody knows of a credential that was replaced before the first failure",
    hints=causes.CREDENTIAL_ROTATED,
    checklist=("TOKEN.6",),
)
def nobody_replaced_a_credential(trace: NoteTrace, answers: Answers, trail: AuditTrail | None) -> Result:
    """Rotations are planned by people; many EHRs log none of them where the help desk can look."""
    refused = [token for token in trace.tokens if not token.ok]
    answer = read_answer(refused[-1].error, refused[-1].status, refused[-1].headers) if refused else None
    if answer is None or answer.oauth is None or answer.oauth.error not in _REFUSED:
        return not_applicable("No token request was refused for its credential.")
    if trail is not None and credential_changes(trail, trace.first_failure_at):
        return not_applicable("The audit trail records the change itself.")
    told = answers.to(CREDENTIAL_REPLACED.id)
    if told is None:
        return unknown("Whether a credential was replaced is for somebody who knows to say.", ask=CREDENTIAL_REPLACED)
    if told.value == YES:
        return failed(
            f"{told.by} says that a credential was replaced before the first failure.",
            instant=Instant.THEN,
            told_at=told.at,
            error=answer.oauth.error,
        )
    return passed(f"{told.by} says that no credential was replaced.", told_at=told.at)
