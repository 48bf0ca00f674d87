"""Judge what the token endpoint answers (RFC 6749 section 5.2), as recorded and as asked now."""

import re

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.logged_words import words_of
from diagnostics.checks.step1_authentication.refused_tokens import (
    RefusedToken,
    credential_changes,
    live_refusal,
    quoted_error,
    recorded_refusal,
    refusal,
)
from diagnostics.checks.tokens_used import requests
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.logs import AuditTrail, NoteTrace, ScribeLog
from diagnostics.findings import Result
from diagnostics.parsing.answers import read_answer
from diagnostics.vocabulary import Certainty, Step, Strength

_RACE_S = 10.0  # two workers that renew within seconds use the same refresh token
_SCOPE = re.compile(r"\bscopes?\b", re.IGNORECASE)
_FORM_ERRORS = ("invalid_request", "unsupported_grant_type", "unsupported_response_type")


def none_refused(trace: NoteTrace | None, token: TokenAnswer | None) -> Result:
    """Say that the token endpoint gave no answer of the kind a check looks for."""
    if (trace is not None and trace.tokens) or token is not None:
        return passed("The token endpoint gave no such answer.")
    return not_applicable("No token was asked for.")


def refused_as(says: str, refused: RefusedToken, token: TokenAnswer | None, strength: Strength | None = None) -> Result:
    """Fail with a refusal of the token endpoint, at the moment it speaks of."""
    return failed(
        says,
        strength=strength,
        instant=refused.instant,
        condemns=(token,) if token is not None and not token.granted else (),
        status=refused.status,
        error=refused.error,
        at=refused.at,
    )


@check(
    id="auth.refresh.invalid",
    step=Step.AUTHENTICATION,
    title="The refresh token is accepted",
    proves=causes.REFRESH_INVALID,
    checklist=("TOKEN.3",),
    applies=lambda case: case.integration.auth.flow == "provider-context",
)
def refresh_token_is_accepted(token: TokenAnswer) -> Result:
    """A refresh token ends by age, by use, by sign-out or by rotation, and nobody is told."""
    refused = live_refusal(token)
    if token.grant == "refresh_token" and refused is not None and refused.error == "invalid_grant":
        return refused_as("The token endpoint refuses the refresh token (invalid_grant).", refused, token)
    return passed("The refresh token was not refused as invalid.", status=token.answer.status)


@check(
    id="auth.refresh.invalid.log",
    step=Step.AUTHENTICATION,
    title="The refresh token was accepted when the note failed",
    proves=causes.REFRESH_INVALID,
    checklist=("TOKEN.3",),
    applies=lambda case: case.integration.auth.flow == "provider-context",
)
def refresh_token_was_accepted(trace: NoteTrace, log: ScribeLog | None) -> Result:
    """The answer recorded at the failure says whether the refresh token had ended."""
    refused = recorded_refusal(trace)
    if refused is None or refused.error != "invalid_grant":
        return none_refused(trace, None)
    said = words_of(refused.answer, refused.status, protocol="oauth", context="provider-context refresh token")
    if said.cause not in (None, causes.REFRESH_INVALID.id) and said.certainty is not Certainty.POSSIBLE:
        says = "The token endpoint answered invalid_grant, and its words name another reason."
        return refused_as(says, refused, None, Strength.MODERATE)
    other = _renewed_meanwhile(log, trace, refused)
    if other is not None:
        return refused_as(
            f"The token endpoint refused the refresh token {other} seconds from a renewal elsewhere that worked: two "
            "workers may have used the same one.", refused, None, Strength.STRONG,
        )  # fmt: skip
    return refused_as("The token endpoint refused the refresh token (invalid_grant).", refused, None)


def _renewed_meanwhile(log: ScribeLog | None, trace: NoteTrace, refused: RefusedToken) -> int | None:
    """Return how many seconds lay between the refusal and a renewal that worked, where that was a few only."""
    gaps = [abs((one.at - refused.at).total_seconds()) for one in requests(log, trace) if one.ok and refused.at]
    return int(min(gaps)) if gaps and min(gaps) <= _RACE_S else None


@check(
    id="auth.client.invalid",
    step=Step.AUTHENTICATION,
    title="The token endpoint accepts the scribe's credentials",
    hints=causes.CLIENT_INVALID,
    checklist=("TOKEN.5", "TOKEN.6"),
)
def client_is_accepted(trace: NoteTrace | None, token: TokenAnswer | None) -> Result:
    """Many different faults come out as invalid_client: this says that it is one of them."""
    refused = refusal(trace, token)
    if refused is not None and refused.error == "invalid_client":
        return refused_as("The token endpoint does not accept the client's proof (invalid_client).", refused, token)
    return none_refused(trace, token)


@check(
    id="auth.scope.invalid",
    step=Step.AUTHENTICATION,
    title="The token endpoint grants the scopes that are asked for",
    hints=causes.SCOPE_INVALID,
    checklist=("PERM.1",),
)
def scopes_are_granted(trace: NoteTrace | None, token: TokenAnswer | None, settings: Settings) -> Result:
    """One scope too many, or one in the wrong style, and there is no token at all."""
    refused = refusal(trace, token)
    scope = refused is not None and bool(_SCOPE.search(refused.answer.says))  # some say it inside invalid_grant
    if refused is not None and (refused.error == "invalid_scope" or (refused.error == "invalid_grant" and scope)):
        return refused_as(f"The token endpoint refuses the requested scopes ({refused.error}).", refused, token)
    return none_refused(trace, token)


@check(
    id="auth.request.malformed",
    step=Step.AUTHENTICATION,
    title="The token request has the form the standard asks for",
    hints=causes.REQUEST_MALFORMED,
    checklist=("TOKEN.4",),
)
def token_request_is_well_formed(trace: NoteTrace | None, token: TokenAnswer | None) -> Result:
    """A token request is a form posted with fixed parameter names; anything else is refused before it is read."""
    recorded = recorded_refusal(trace)
    sent_as = _content_type(trace)
    if recorded is not None and sent_as and sent_as != "application/x-www-form-urlencoded":
        return refused_as(f"The scribe posted the token request as {sent_as}, not as a form.", recorded, None)
    refused = refusal(trace, token)
    if refused is not None and refused.error in _FORM_ERRORS and refused.status != 401:
        return refused_as(f"The token endpoint refuses the request's form ({refused.error}).", refused, token)
    return none_refused(trace, token)


def _content_type(trace: NoteTrace | None) -> str:
    if trace is None or not trace.tokens:
        return ""
    return (trace.tokens[-1].asked.content_type or "").split(";")[0].strip().lower()


@check(
    id="auth.grant.not_entitled",
    step=Step.AUTHENTICATION,
    title="The client may ask for tokens in this way",
    proves=causes.GRANT_NOT_ENTITLED,
    strength=Strength.STRONG,
    checklist=("TOKEN.7",),
)
def grant_is_enabled(
    trace: NoteTrace | None, token: TokenAnswer | None, trail: AuditTrail | None, log: ScribeLog | None
) -> Result:
    """A grant listed in discovery may still be closed to this client: unauthorized_client is no wrong secret."""
    refused = refusal(trace, token)
    if refused is None or refused.error != "unauthorized_client":
        return none_refused(trace, token)
    if credential_changes(trail, trace.first_failure_at if trace else None):
        return passed("The client was changed shortly before; that explains the refusal better.")
    says = "The token endpoint says that this client may not use this grant (unauthorized_client)."
    if refused.status == 400 and _tells_bad_credentials_apart(log, trace):
        # a server that answers a bad proof with invalid_client did accept this one
        return refused_as(f"{says} A bad credential it answers otherwise.", refused, token, Strength.DECISIVE)
    return refused_as(says, refused, token, Strength.STRONG)


def _tells_bad_credentials_apart(log: ScribeLog | None, trace: NoteTrace | None) -> bool:
    """Tell whether the same endpoint answered a request of this scribe with invalid_client and 401."""
    url = trace.tokens[-1].asked.url if trace is not None and trace.tokens else None
    for one in requests(log, trace):
        if not one.ok and one.status == 401 and one.asked.url == url:
            answer = read_answer(one.error, one.status, one.headers)
            if (answer.oauth.error if answer.oauth else quoted_error(answer.text)) == "invalid_client":
                return True
    return False
