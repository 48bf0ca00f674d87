"""Judge what the token endpoint answers (RFC 6749 section 5.2), as recorded and as asked now."""

import re

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.step1_authentication.refused_tokens import (
    RefusedToken,
    credential_changes,
    live_refusal,
    recorded_refusal,
    refusal,
)
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.logs import AuditTrail, NoteTrace
from diagnostics.findings import Result
from diagnostics.vocabulary import Instant, Step, Strength

_SCOPE = re.compile(r"\bscopes?\b", re.IGNORECASE)
_ENVIRONMENT = re.compile(
    r"\b(?:non-?production|sandbox|test|staging) client\b|\bclient\b.{0,60}"
    r"\b(?:other|wrong|different|non-?production)\b.{0,30}\benvironment\b",
    re.IGNORECASE,
)
_SWITCHED_OFF = re.compile(r"deactivat|disabl|inactiv|suspend|revok|remov|delet|expir|lock|off\b", re.IGNORECASE)
_CLIENT_ERRORS = ("invalid_client", "unauthorized_client", "access_denied")
_FORM_ERRORS = ("invalid_request", "unsupported_grant_type", "unsupported_response_type")


def _asked(trace: NoteTrace | None, token: TokenAnswer | None) -> Result:
    if (trace is not None and trace.tokens) or token is not None:
        return passed("The token endpoint gave no such answer.")
    return not_applicable("No token was asked for.")


def _refused(says: str, refused: RefusedToken, token: TokenAnswer | None, strength: Strength | None = None) -> Result:
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
        return _refused("The token endpoint refuses the refresh token (invalid_grant).", refused, token)
    return passed("The refresh token was not refused as invalid.", status=token.answer.status)


@check(
    id="auth.refresh.invalid.log",
    step=Step.AUTHENTICATION,
    title="The refresh token was accepted when the note failed",
    proves=causes.REFRESH_INVALID,
    checklist=("TOKEN.3",),
    applies=lambda case: case.integration.auth.flow == "provider-context",
)
def refresh_token_was_accepted(trace: NoteTrace) -> Result:
    """The answer recorded at the failure says whether the refresh token had ended."""
    refused = recorded_refusal(trace)
    if refused is not None and refused.error == "invalid_grant":
        return _refused("The token endpoint refused the refresh token (invalid_grant).", refused, None)
    return _asked(trace, None)


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
        return _refused("The token endpoint does not accept the client's proof (invalid_client).", refused, token)
    return _asked(trace, token)


@check(
    id="auth.client.wrong_environment",
    step=Step.AUTHENTICATION,
    title="The client id belongs to the server's environment",
    hints=causes.CLIENT_WRONG_ENVIRONMENT,
    checklist=("WRITE.3",),
    applies=lambda case: case.vendor.client_ids_by_environment,
)
def client_id_fits_environment(
    settings: Settings, vendor: Vendor, trace: NoteTrace | None, token: TokenAnswer | None
) -> Result:
    """Where a vendor gives one client id for testing and one for production, the wrong one is simply unknown."""
    refused = refusal(trace, token)
    base = settings.integration.fhir_base_url or ""
    declared, shown = settings.integration.environment, vendor.profile.environment_of(base)
    differs = declared is not None and shown is not None and (declared == "production") != (shown == "production")
    if refused is None or refused.error not in ("invalid_client", "unauthorized_client"):
        return _asked(trace, token)
    if _ENVIRONMENT.search(refused.answer.says):
        return _refused("The token endpoint says that the client is of another environment.", refused, token)
    if not differs:
        return _asked(trace, token)
    return _refused(f"The client is configured for {declared}, but the server is the vendor's {shown}.", refused, token)


@check(
    id="auth.client.deactivated",
    step=Step.AUTHENTICATION,
    title="The scribe's client is switched on at the EHR",
    hints=causes.CLIENT_DEACTIVATED,
    checklist=("TOKEN.7",),
)
def client_is_switched_on(trace: NoteTrace | None, token: TokenAnswer | None, trail: AuditTrail | None) -> Result:
    """An access review that switches a client off is seen first by the notes that stop."""
    refused = refusal(trace, token)
    if refused is None or refused.error not in _CLIENT_ERRORS:
        return _asked(trace, token)
    changes = credential_changes(trail, trace.first_failure_at if trace else None)
    said = any(_SWITCHED_OFF.search(f"{(r.change or {}).get('what')} {(r.change or {}).get('to')}") for r in changes)
    if changes and (refused.error != "invalid_client" or said):
        return _refused(
            "The EHR changed this client's credential, and since then it refuses the client.", refused, token
        )
    return passed("No change of the client is recorded before the failure.", error=refused.error)


@check(
    id="auth.credential.rotated",
    step=Step.AUTHENTICATION,
    title="No credential was replaced shortly before the first failure",
    hints=causes.CREDENTIAL_ROTATED,
    checklist=("TOKEN.6",),
)
def credential_is_unchanged(trace: NoteTrace, trail: AuditTrail, token: TokenAnswer | None) -> Result:
    """A secret or key that one side replaced is refused from that minute on."""
    changes = credential_changes(trail, trace.first_failure_at)
    if not changes:
        return passed("The audit trail records no change of a credential before the failure.")
    refused = refusal(trace, token)
    last = changes[-1]
    change = last.change or {}
    if refused is None or refused.error not in ("invalid_client", "invalid_grant"):
        return passed("A credential was changed, but the token endpoint does not refuse it.", changed_at=last.at)
    if _SWITCHED_OFF.search(f"{change.get('what')} {change.get('to')}"):
        return passed("The change switched the client off rather than rotating its credential.", changed_at=last.at)
    return failed(
        f"A credential was replaced at {last.at:%Y-%m-%d %H:%M} UTC, and after that the token endpoint refused it.",
        instant=Instant.THEN, changed_at=last.at, first_failure_at=trace.first_failure_at, error=refused.error,
    )  # fmt: skip


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
        return _refused(f"The token endpoint refuses the requested scopes ({refused.error}).", refused, token)
    return _asked(trace, token)


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
        return _refused(f"The scribe posted the token request as {sent_as}, not as a form.", recorded, None)
    refused = refusal(trace, token)
    if refused is not None and refused.error in _FORM_ERRORS and refused.status != 401:
        return _refused(f"The token endpoint refuses the request's form ({refused.error}).", refused, token)
    return _asked(trace, token)


def _content_type(trace: NoteTrace | None) -> str:
    if trace is None or not trace.tokens:
        return ""
    return (trace.tokens[-1].asked.content_type or "").split(";")[0].strip().lower()


@check(
    id="auth.grant.not_entitled",
    step=Step.AUTHENTICATION,
    title="The client may ask for tokens in this way",
    hints=causes.GRANT_NOT_ENTITLED,
    checklist=("TOKEN.7",),
)
def grant_is_enabled(trace: NoteTrace | None, token: TokenAnswer | None, trail: AuditTrail | None) -> Result:
    """A grant listed in discovery may still be closed to this client: unauthorized_client is no wrong secret."""
    refused = refusal(trace, token)
    if refused is None or refused.error != "unauthorized_client":
        return _asked(trace, token)
    if credential_changes(trail, trace.first_failure_at if trace else None):
        return passed("The client was changed shortly before; that explains the refusal better.")
    return _refused(
        "The token endpoint says that this client may not use this grant (unauthorized_client).",
        refused, token, Strength.STRONG,
    )  # fmt: skip
