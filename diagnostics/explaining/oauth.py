"""Explain answers of token servers (RFC 6749 section 5.2, RFC 7523, OpenID Connect) and Bearer challenges (RFC 6750).

The registered error code decides the branch; the description, which every server writes in its own words, only
narrows it. A bare `invalid_client` never says which part of the proof was wrong.
"""

import re

from diagnostics.explaining.model import LIKELY, POSSIBLE, PROVEN, Explanation, Question, category_only, of_cause
from diagnostics.vocabulary import Category

_AUTH = Category.AUTHENTICATION
_INTERACTION = frozenset(
    {"interaction_required", "login_required", "consent_required", "account_selection_required", "mfa_required"}
    | {
        "insufficient_user_authentication",
        "mfa_enrollment_required",
        "step_up_required",
        "unmet_authentication_requirements",
    }
)
_MALFORMED = frozenset(
    {"invalid_request", "unsupported_grant_type", "unsupported_response_type", "invalid_redirect_uri"}
    | {"redirect_uri_mismatch", "invalid_request_object", "invalid_client_metadata"}
)
_LIMITED = frozenset({"slow_down", "too_many_requests", "rate_limited", "rate_limit_exceeded", "too_many_attempts"})
_API_KEY = frozenset({"invalid_api_key", "missing_api_key", "api_key_required", "invalid_subscription_key"})
_DEACTIVATED = frozenset({"disabled_client", "deleted_client", "client_disabled", "inactive_client", "client_inactive"})
_ACCOUNT = frozenset({"account_disabled", "user_disabled", "account_locked", "user_inactive", "password_expired"})

PROVIDER_CONTEXT = (
    *("provider session", "provider-context", "provider context", "provider's session", "user session", "user context"),
    *("clinician session", "interactive session", "ehr launch", "provider login", "signed-in provider"),
)

# In this order: the first words found name what is wrong with a client assertion.
_ASSERTION = (
    ("auth.jwks.unreachable", ("jwks_uri could not", "retrieve jwk", "retrieving jwk", "fetch jwk", "fetching jwk",
                               "download jwk", "load jwk", "loading jwk", "obtain jwk", "jwks endpoint", "jwks url",
                               "jwk set url", "jwks unreachable", "fetch the jwk", "retrieve the jwk", "jwks could not",
                               "allow-listed", "allowlisted", "whitelisted",
                               "unable to load public key", "fetch the key", "retrieve the key", "fetch key",
                               "retrieve key")),
    ("auth.assertion.jti_reuse", ("jti", "replay", "already used", "already been used", "token reuse", "reused")),
    ("auth.assertion.kid", ("kid", "key id", "keyid", "no matching key", "key was not found", "key not found",
                            "no key", "unknown key", "signing key", "find key", "find the key", "find a key",
                            "no public key", "matching jwk", "no suitable key")),
    ("auth.assertion.aud", ("audience", "'aud'", "\"aud\"", " aud ", "aud claim", "aud value")),
    ("auth.assertion.clock_skew", ("not yet valid", "issued in the future", " iat ", "'iat'", "iat claim", "nbf",
                                   "not before", "clock", "used before")),
    ("auth.assertion.exp", ("expired", "expir", "'exp'", "\"exp\"", " exp ", "exp claim", "too far in the future",
                            "token is not active",
                            "lifetime", "valid time range", "time range", "max age")),
    ("auth.assertion.signature", ("signature", "verify the jwt", "verification failed")),
    ("auth.assertion.alg_typ", ("algorithm", " alg ", "'alg'", "\"alg\"", "alg header", "signing alg")),
    ("auth.assertion.iss_sub", ("issuer", "'iss'", "'sub'", "subject", " iss ", " sub ", "iss claim", "sub claim")),
)  # fmt: skip

_KEY_SET = r"\b(?:jwks(?:_uri| url| endpoint)?|jku|jwk set(?: url)?|key set(?: url)?)\b"
_KEY_ABSENT = re.compile(
    r"\bkey\b[^\n]{0,60}\b(?:not (?:part of|in|among|listed|present|registered|published)|absent|missing from)\b"
    r"|" + _KEY_SET + r"[^\n]{0,40}\b(?:does not (?:contain|hold|list)|lacks|without|has no)\b"
)
_KEY_SET_UNREAD = re.compile(
    _KEY_SET + r"[^\n]{0,60}\b(?:answered|returned|unreachable|not reachable|timed out|timeout|refused|failed"
    r"|could not be (?:read|fetched|loaded|reached|retrieved)|is not (?:json|available|readable)|http|[345][0-9]{2})\b"
)


def explain_oauth(question: Question) -> Explanation:
    """Explain an OAuth error answer."""
    oauth = question.answer.oauth
    error = oauth.error if oauth else ""
    if error in _LIMITED or question.status == 429:
        return of_cause("net.rate.limited", PROVEN)
    if error in _INTERACTION:
        sure = PROVEN if _provider(question) else LIKELY
        return of_cause("auth.mfa.challenge", sure, f"The server wants a person to sign in again ({error}).")
    if error == "invalid_client":
        return _invalid_client(question)
    if error == "invalid_grant":
        return _invalid_grant(question)
    if error == "unauthorized_client":
        return _unauthorized_client(question)
    if error == "invalid_scope":
        return of_cause("auth.scope.invalid", PROVEN)
    if error == "insufficient_scope":
        return insufficient_scope(question)
    if error == "invalid_token" or error == "expired_token":
        return invalid_token(question)
    if error in _API_KEY:
        return of_cause("auth.apikey.missing", LIKELY)
    if error in _DEACTIVATED:
        return of_cause("auth.client.deactivated", PROVEN)
    if error in _ACCOUNT:
        return of_cause("perm.account.inactive", LIKELY)
    if error in ("invalid_target", "invalid_resource", "invalid_audience"):
        return of_cause("auth.audience.fhir_base", LIKELY)
    if error in _MALFORMED:
        if question.about("aud parameter", "'aud'", "audience") and not question.about("assertion", "jwt"):
            return of_cause("auth.audience.fhir_base", LIKELY)
        found = _assertion(question) if question.about("assertion", "jwt", "jti", "audience", "kid ") else None
        return found or of_cause("auth.request.malformed", LIKELY, firm=False)
    return _other(question, error)


def _invalid_client(question: Question) -> Explanation:
    if question.about("disabled", "deactivated", "inactive", "suspended", "not active", "revoked client"):
        return of_cause("auth.client.deactivated", LIKELY)
    found = None if question.about("secret") else _assertion(question)
    if found:
        return found
    if question.told("epic") and question.told("just enabled", "enabled today", "hours ago", "newly enabled"):
        return of_cause("auth.client.not_activated", POSSIBLE)
    if question.circumstance("rotat", "new secret", "changed secret", "new key"):
        return of_cause("auth.credential.rotated", LIKELY)
    if question.circumstance("deactivat", "access review", "disabled"):
        return of_cause("auth.client.deactivated", LIKELY)
    if question.about("environment", "non-production", "sandbox") or question.circumstance(
        "non-production", "sandbox id"
    ):
        return of_cause("auth.client.wrong_environment", LIKELY)
    if question.circumstance("epic") and question.circumstance("upgrade"):
        return of_cause("auth.jwks.static_key_retired", POSSIBLE)
    return of_cause("auth.client.invalid", LIKELY, firm=False)


def _invalid_grant(question: Question) -> Explanation:
    if question.about(
        "account disabled", "user disabled", "account is disabled", "account is locked", "user is disabled"
    ):
        return of_cause("perm.account.inactive", LIKELY)
    if question.about("refresh", "session not active", "token is not active", "stale token", "offline session"):
        return of_cause("auth.refresh.invalid", PROVEN if question.about("refresh") else LIKELY)
    if question.about("scope"):
        return of_cause("auth.scope.invalid", LIKELY)
    if question.about("assertion", "jwt", "jti", "audience", "signature"):
        found = _assertion(question)
        return found or category_only(
            _AUTH, LIKELY, "The signed assertion was not accepted; the answer does not say why."
        )
    if question.circumstance("refresh"):
        return of_cause("auth.refresh.invalid", PROVEN)
    if question.about("user credentials", "username", "password"):
        return category_only(_AUTH, LIKELY, "The user name or password was not accepted.")
    if question.circumstance("assertion", "jwt", "client_credentials", "backend"):
        return category_only(_AUTH, LIKELY, "The signed assertion was not accepted; the answer does not say why.")
    if question.about("authorization code", "code not valid", "code is invalid", "code has expired", "code expired"):
        return category_only(_AUTH, LIKELY, "The authorization code was used twice, too late or with another redirect.")
    if question.about("expired or revoked", "revoked"):
        return of_cause("auth.refresh.invalid", LIKELY)
    return of_cause("auth.refresh.invalid", POSSIBLE, firm=False)


def _unauthorized_client(question: Question) -> Explanation:
    if question.about("disabled", "deactivated", "inactive", "suspended") or question.circumstance(
        "deactivat", "access review", "disabled"
    ):
        return of_cause("auth.client.deactivated", LIKELY)
    sure = LIKELY if question.about("grant", "flow", "response type", "authentication method") else POSSIBLE
    return of_cause("auth.grant.not_entitled", sure, firm=sure is LIKELY)


def _assertion(question: Question) -> Explanation | None:
    """Name what the server says is wrong with the client assertion."""
    padded = f" {question.words} "
    if _KEY_ABSENT.search(padded):
        return of_cause("auth.assertion.kid", LIKELY)
    if _KEY_SET_UNREAD.search(padded):
        return of_cause("auth.jwks.unreachable", LIKELY)
    for cause, words in _ASSERTION:
        if any(word in padded for word in words):
            return of_cause(cause, LIKELY)
    return None


def insufficient_scope(question: Question) -> Explanation:
    """Explain RFC 6750's insufficient_scope: the token is good, and lacks a right."""
    return of_cause("perm.scope.write_missing", LIKELY, "The token is valid but lacks a scope this request needs.")


def invalid_token(question: Question) -> Explanation:
    """Explain RFC 6750's invalid_token by its description."""
    if question.about("not yet valid", "nbf", "not before", " iat ", "'iat'", "issued in the future"):
        return of_cause("auth.assertion.clock_skew", LIKELY, "The token counts as not yet valid: the clocks differ.")
    if question.about(
        "expired or revoked", "expired, revoked", "revoked or expired", "expired or invalid", "invalid or expired"
    ):
        return of_cause("auth.token.expired", LIKELY)
    if question.about("expired", "expiry", "token expir", "'exp'", "exp claim"):
        return of_cause("auth.token.expired", PROVEN)
    if question.about(
        "revoked", "inactive", "not active", "no longer active", "blacklist", "not found", "unknown token"
    ):
        return of_cause("auth.token.inactive", LIKELY)
    if question.about("audience", "aud claim", "'aud'"):
        return of_cause("auth.audience.fhir_base", LIKELY)
    if question.about("scope"):
        return insufficient_scope(question)
    if question.about("signature", "issuer", "malformed", "decode", "parse", "key", "algorithm"):
        return category_only(_AUTH, LIKELY, "The server does not recognise the token; it may come from another server.")
    if _provider(question) and question.circumstance("logout", "logged out", "workstation", "idle"):
        return of_cause("auth.session.ended", LIKELY)
    return of_cause("auth.token.expired", POSSIBLE, "The access token is no longer accepted.", firm=False)


def _other(question: Question, error: str) -> Explanation:
    if error == "access_denied":
        if question.about("consent", "multi-factor", "mfa"):
            return of_cause("auth.mfa.challenge", LIKELY)
        if question.circumstance("deactivat", "access review", "disabled"):
            return of_cause("auth.client.deactivated", LIKELY)
        return category_only(_AUTH, LIKELY, "The token server refused; it does not say what is missing.")
    if error in ("server_error", "temporarily_unavailable"):
        says = "The token server failed by its own account; keep the request id and time for the vendor."
        return category_only(Category.EHR_DEFECT, POSSIBLE, says)
    if question.protocol == "oauth" or question.status in (400, 401):
        return category_only(_AUTH, POSSIBLE, "The token server refused, with an error code of its own.")
    return category_only(None, None, "")


def _provider(question: Question) -> bool:
    return question.circumstance(*PROVIDER_CONTEXT)
