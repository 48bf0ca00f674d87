"""Judge whether the configured way of renewing tokens fits the kind of account."""

from diagnostics import causes
from diagnostics.check import check, passed, warned
from diagnostics.evidence.case_parts import Settings
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength


@check(
    id="auth.refresh.unexpected_model",
    step=Step.AUTHENTICATION,
    title="The configured way of renewing tokens fits the account",
    hints=causes.REFRESH_UNEXPECTED_MODEL,
    checklist=("TOKEN.3",),
)
def renewal_fits(settings: Settings) -> Result:
    """A backend account gets no refresh token; one that is configured will run out and nobody will renew it."""
    auth = settings.integration.auth
    if auth.flow in ("backend-services", "client-secret") and auth.refresh_token:
        return warned("A refresh token is configured for an account that works without a person.",
                      strength=Strength.WEAK, flow=auth.flow)  # fmt: skip
    return passed("The way of renewing tokens fits the account.", flow=auth.flow)
