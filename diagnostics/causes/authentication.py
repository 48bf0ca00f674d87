"""Declare the causes of step 1: who the scribe says it is, and whether the EHR believes it."""

from diagnostics.causes.model import RUN_AGAIN, Action, Kind, RemedyStep, declare
from diagnostics.vocabulary import Layer, WhoActs

# what an unusable identity brings with it: the token request is refused, later writes run without a valid token
NO_TOKEN = (
    "auth.client.invalid", "auth.token.expired", "auth.token.cached_past_expiry", "auth.http401.classify",
    "perm.http403.classify", "scribe.note.not_sent", "auth.refresh.last_success_gap",
)  # fmt: skip

DISCOVERY_UNREACHABLE = declare(
    "auth.discovery.unreachable",
    "The EHR's sign-in configuration cannot be read",
    layer=Layer.DISCOVERY,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Open the discovery address under the configured base URL and compare it with the vendor's published one",
        "Ask the EHR team whether the authorization server is up or has moved",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.4",),
    standard="SMART App Launch 2.0, discovery; RFC 8414",
    caution="Some servers publish their endpoints only in the capability statement.",
    explains=("auth.refresh.last_success_gap",),
)
DISCOVERY_TOKEN_ENDPOINT_CHANGED = declare(
    "auth.discovery.token_endpoint_changed",
    "The EHR has moved its token endpoint and the scribe still uses the old address",
    layer=Layer.DISCOVERY,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Set the scribe's token URL to the one that discovery announces now",
        "Set the audience of the signed assertion to that same URL",
        "Ask the EHR team when the endpoint moved and which other integrations use the old one",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.4", "WRITE.7"),
    standard="RFC 8414 section 2; SMART App Launch 2.0",
    caution="Two addresses may be valid aliases; a token issued at the old one shows that they are.",
    explains=(*NO_TOKEN, "auth.request.malformed", "auth.assertion.aud", "net.dns.nxdomain", "net.tcp.refused"),
)
DISCOVERY_CAPABILITY_MISSING = declare(
    "auth.discovery.capability_missing",
    "The authorization server does not offer the sign-in method the scribe uses",
    layer=Layer.DISCOVERY,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Compare the configured client authentication with the methods that discovery lists",
        "Change the scribe to a listed method, or ask the EHR team to enable the missing one",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.4",),
    standard="RFC 8414 section 2 (token_endpoint_auth_methods_supported)",
    caution="The list is optional; where it is absent, client_secret_basic is the default.",
    explains=("auth.client.invalid", "auth.request.malformed", "auth.refresh.last_success_gap"),
)
GRANT_NOT_ENTITLED = declare(
    "auth.grant.not_entitled",
    "This client is not allowed to ask for tokens in this way",
    layer=Layer.TOKEN,
    who=WhoActs.EHR_TEAM,
    remedy=(
        RemedyStep("Ask the EHR vendor to enable the grant type for this client id at this site", Action.SEND_PACKET),
        "Until then, use the grant the client was registered for",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.7",),
    standard="RFC 6749 section 5.2 (unauthorized_client)",
    caution="Discovery may list a grant that this client may not use.",
    explains=NO_TOKEN,
)
TOKEN_EXPIRED = declare(
    "auth.token.expired",
    "The access token had expired before the note was sent",
    layer=Layer.TOKEN,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        RemedyStep("Have the scribe fetch a new token", Action.TEST_TOKEN),
        RemedyStep("Resend the waiting notes", Action.RESEND),
        "Ask the scribe vendor to renew the token at 80% of its lifetime, or one minute before it ends",
        "Check that the scribe reads the lifetime from each token answer instead of a fixed number",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.1", "TOKEN.2"),
    standard="RFC 6749 section 5.1; RFC 6750 section 3.1 (invalid_token)",
    caution="A clock that is a minute or more off looks alike.",
    explains=("auth.http401.classify", "perm.http403.classify", "auth.token.cached_past_expiry"),
)
TOKEN_CACHED_PAST_EXPIRY = declare(
    "auth.token.cached_past_expiry",
    "The scribe keeps using a token after it has expired",
    layer=Layer.TOKEN,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Restart the scribe's connector so that it drops the cached token",
        RemedyStep(
            "Ask the scribe vendor to keep tokens per client, tenant and scope, and to drop them at their end",
            Action.SEND_PACKET,
        ),
        RUN_AGAIN,
    ),
    checklist=("TOKEN.1",),
    standard="RFC 6750 section 3.1",
    caution="Tokens are told apart by a fingerprint in the log, never by the token itself.",
    explains=("auth.http401.classify",),
)
TOKEN_TTL_CHANGED = declare(
    "auth.token.ttl_changed",
    "The EHR now issues tokens with another lifetime than before",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Ask the EHR team what changed the token lifetime and whether it is meant to stay",
        "Make the scribe read the lifetime from each token answer; never configure it as a fixed number",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.2", "TOKEN.6"),
    standard="RFC 6749 section 5.1 (expires_in)",
    caution="Different grants and clients may have different lifetimes by design.",
)
TOKEN_INACTIVE = declare(
    "auth.token.inactive",
    "The EHR has revoked the token the scribe uses",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        RemedyStep("Have the scribe fetch a new token", Action.TEST_TOKEN),
        "Ask the EHR team whether the token was revoked on purpose or by a credential rotation",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.1", "TOKEN.6"),
    standard="RFC 7662 section 2.2",
    caution="Introspection needs an authorization of its own; many servers offer none.",
    explains=("auth.http401.classify",),
)
REFRESH_INVALID = declare(
    "auth.refresh.invalid",
    "The refresh token is no longer accepted",
    layer=Layer.TOKEN,
    who=WhoActs.PROVIDER,
    remedy=(
        RemedyStep("Have the provider sign in again, which gives the scribe a new refresh token", Action.TEST_TOKEN),
        "Ask the EHR team how long refresh tokens live and what ends them (sign-out, rotation, password change)",
        "If several workers share one refresh token, let only one of them renew it",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.3", "TOKEN.6"),
    standard="RFC 6749 sections 5.2 and 6 (invalid_grant)",
    caution="Servers that rotate refresh tokens refuse the old one when two workers use it at the same time.",
    explains=("auth.token.expired", "auth.http401.classify", "auth.refresh.last_success_gap"),
)
REFRESH_LAST_SUCCESS_GAP = declare(
    "auth.refresh.last_success_gap",
    "The scribe has asked for tokens in vain since well before the note failed",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Get the token endpoint's whole answer to the first request that failed; it says what to mend",
        RemedyStep("Ask the scribe vendor to log status and error code of every token request", Action.SEND_PACKET),
        RUN_AGAIN,
    ),
    checklist=("TOKEN.1", "TOKEN.3"),
    standard="RFC 6749 sections 5.1 and 5.2",
    caution="An hour without notes needs no token: only requests that were made and failed count.",
    explains=("auth.token.expired", "auth.token.cached_past_expiry", "auth.http401.classify", "scribe.note.not_sent"),
)
REFRESH_UNEXPECTED_MODEL = declare(
    "auth.refresh.unexpected_model",
    "A refresh token is configured although this kind of account never gets one",
    kind=Kind.WARNING,
    layer=Layer.CONFIGURATION,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=("Remove the refresh token from the integration; ask for a new access token instead",),
    checklist=("TOKEN.3",),
    standard="SMART backend services, access token response",
)
CLIENT_INVALID = declare(
    "auth.client.invalid",
    "The token endpoint does not accept the scribe's credentials",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Compare the client id and the secret or signing key with what is registered at the EHR",
        "Check that the client's key set is public and holds the key in use",
        "Ask the EHR team whether the credential was rotated or the client was switched off",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.5", "TOKEN.6"),
    standard="RFC 6749 section 5.2 (invalid_client)",
    caution="Some vendors give this one answer for a wrong key id, an unreachable key set and an unknown client alike.",
    explains=("auth.http401.classify", "auth.token.expired", "auth.refresh.last_success_gap"),
)
CLIENT_WRONG_ENVIRONMENT = declare(
    "auth.client.wrong_environment",
    "The client id belongs to another environment than the server",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Look up in the vendor's developer portal which client id is for production and which for testing",
        RemedyStep(
            "Configure the id that fits the server's environment, with its own key or secret", Action.TEST_TOKEN
        ),
        RUN_AGAIN,
    ),
    checklist=("WRITE.3", "TOKEN.6"),
    standard="RFC 6749 section 2.2",
    caution="Not every vendor splits client ids by environment.",
    explains=("auth.client.invalid", "auth.http401.classify", "auth.refresh.last_success_gap"),
)
CLIENT_DEACTIVATED = declare(
    "auth.client.deactivated",
    "The scribe's client has been switched off at the EHR",
    layer=Layer.TOKEN,
    who=WhoActs.EHR_TEAM,
    remedy=(
        RemedyStep("Ask the EHR team to switch the client or its service account on again", Action.TEST_TOKEN),
        "Find out who switched it off and why, usually an access review or an upgrade",
        "Name an owner for the account so that the next review asks first",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.7", "PERM.7"),
    standard="RFC 6749 section 5.2 (unauthorized_client, access_denied)",
    caution="eClinicalWorks answers this with status 500.",
    explains=(*NO_TOKEN, "perm.read_ok_write_denied", "perm.rbac.matrix"),
)
SCOPE_INVALID = declare(
    "auth.scope.invalid",
    "The scribe asks for scopes that its client is not registered for",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Compare the configured scopes with those registered for the client, letter by letter",
        "Use the scope style the server supports: .read and .write, or .cruds letters in that order",
        "Ask the EHR team to register a scope that is missing",
        RUN_AGAIN,
    ),
    checklist=("PERM.1",),
    standard="RFC 6749 section 5.2 (invalid_scope); SMART App Launch 2.0 scopes",
    caution="eClinicalWorks says invalid_grant with a message about the scope.",
    explains=(
        *("auth.http401.classify", "perm.scope.write_missing", "perm.http403.classify"),
        *("auth.refresh.last_success_gap", "perm.scope.context"),
    ),
)
REQUEST_MALFORMED = declare(
    "auth.request.malformed",
    "The token request itself is not in the form the standard asks for",
    layer=Layer.TOKEN,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Send the request as a form (application/x-www-form-urlencoded) by POST",
        "Check grant_type, client_assertion_type and client_assertion for spelling and presence",
        "Rule out that a proxy re-encodes the request's body",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.4",),
    standard="RFC 6749 sections 4.4.2 and 5.2; RFC 7523 section 2.2",
    caution="A proxy may re-encode the body on its way.",
    explains=("auth.http401.classify", "auth.refresh.last_success_gap"),
)
MFA_CHALLENGE = declare(
    "auth.mfa.challenge",
    "The EHR asks a person to sign in where the scribe must work alone",
    layer=Layer.TOKEN,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Ask the identity team to exempt the integration from the second factor, or to sign the provider in again",
        "Plan the move to a backend service account, which no sign-in policy interrupts",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.7",),
    standard="OpenID Connect Core section 3.1.2.6; RFC 9470",
    caution="A block page of a proxy also shows a form; its host tells them apart.",
    explains=(*NO_TOKEN, "auth.refresh.invalid"),
)
SESSION_ENDED = declare(
    "auth.session.ended",
    "The provider's EHR session had ended, and the token with it",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Use offline access or a backend service account, so that a note can be written after sign-out",
        "Until then, have the provider sign in again and resend",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.7",),
    standard="SMART App Launch 2.0 (online_access, offline_access)",
    caution="Some scribes send notes after sign-out by design, with offline access.",
    explains=("auth.http401.classify", "auth.token.expired", "auth.refresh.invalid", "auth.refresh.last_success_gap"),
)
HTTP401_CLASSIFY = declare(
    "auth.http401.classify",
    "The EHR answered that the request was not authenticated",
    kind=Kind.CLASSIFIER,
    layer=Layer.AUTHORIZATION,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=("Read the WWW-Authenticate header of the answer; it says whether the token was bad or never arrived",),
    checklist=("TOKEN.1",),
    standard="RFC 6750 section 3; RFC 9110 section 15.5.2",
    caution="Some servers never send the header, whatever the reason.",
)
CREDENTIAL_ROTATED = declare(
    "auth.credential.rotated",
    "A credential was replaced at the EHR shortly before the first failure",
    layer=Layer.CONFIGURATION,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Get the new secret, key or certificate from whoever rotated it",
        "Deploy it to every scribe worker and site, and remove the old one",
        "Agree on overlapping validity for the next rotation",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.6",),
    standard="RFC 6749 section 2.3",
    caution="With an overlap both credentials work for a while.",
    explains=(*NO_TOKEN, "auth.refresh.invalid"),
)
APIKEY_MISSING = declare(
    "auth.apikey.missing",
    "The extra API key this vendor asks for is missing or has run out",
    layer=Layer.AUTHORIZATION,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        RemedyStep("Ask the EHR vendor for the present API key of this practice", Action.SEND_PACKET),
        "Enter it in the integration together with the header's name",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.6",),
    caution="Only some vendors have this second layer.",
    explains=("auth.http401.classify", "perm.http403.classify"),
)
PRACTICE_SCOPE = declare(
    "auth.practice.scope",
    "The credential is not enabled for this practice or tenant",
    layer=Layer.AUTHORIZATION,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Compare the practice or tenant id in the URL with the one the credential was enabled for",
        "After a move to another tenant, ask the vendor to enable the integration there and update the id",
        RUN_AGAIN,
    ),
    checklist=("WRITE.3", "TOKEN.6"),
    caution="athenahealth answers with a business-rule error that does not name the practice.",
    explains=("auth.http401.classify", "perm.http403.classify"),
)
