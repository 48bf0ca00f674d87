"""Declare the causes that lie in the signed sign-in request (private_key_jwt) and the key set it is checked with."""

from diagnostics.causes.authentication import NO_TOKEN
from diagnostics.causes.model import RUN_AGAIN, Action, RemedyStep, declare
from diagnostics.vocabulary import Layer, WhoActs

ASSERTION_EXP = declare(
    "auth.assertion.exp",
    "The signed sign-in request has an end time that the EHR does not accept",
    layer=Layer.TOKEN,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Set exp to no more than five minutes after the time of signing; four minutes is safe",
        "Sign a new assertion for each request instead of keeping one",
        "Keep the scribe's clock on a time server",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.1",),
    standard="SMART backend services, client-confidential-asymmetric (exp); RFC 7523 section 3",
    caution="A few seconds between two good clocks are no fault.",
    explains=(*NO_TOKEN,),
)
ASSERTION_CLOCK_SKEW = declare(
    "auth.assertion.clock_skew",
    "The scribe's clock and the EHR's clock disagree",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Put the scribe's servers on the same time source as the EHR and check that the clock is being kept",
        RemedyStep("Then have the scribe ask for a new token", Action.TEST_TOKEN),
        RUN_AGAIN,
    ),
    checklist=("TOKEN.1",),
    standard="RFC 7523 section 3 (exp, nbf, iat); RFC 9110 section 6.6.1",
    caution="The time in an answer from a cache proves nothing.",
    explains=(*NO_TOKEN, "auth.assertion.exp"),
)
ASSERTION_AUD = declare(
    "auth.assertion.aud",
    "The signed sign-in request names another audience than the token endpoint",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        RemedyStep("Set the assertion's aud to the exact URL the token request is posted to", Action.TEST_TOKEN),
        "Mind the scheme, the host's spelling and a trailing slash: it is compared letter by letter",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.4",),
    standard="RFC 7523 section 3; SMART client-confidential-asymmetric (aud)",
    caution="Some servers also accept their issuer; a token that was issued shows that this one does.",
    explains=(*NO_TOKEN,),
)
ASSERTION_ISS_SUB = declare(
    "auth.assertion.iss_sub",
    "The signed sign-in request does not carry the client id as issuer and subject",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        RemedyStep(
            "Set both iss and sub of the assertion to the client id registered for this environment", Action.TEST_TOKEN
        ),
        RUN_AGAIN,
    ),
    checklist=("TOKEN.5",),
    standard="SMART client-confidential-asymmetric (iss, sub); RFC 7523 section 3",
    explains=(*NO_TOKEN,),
)
ASSERTION_ALG_TYP = declare(
    "auth.assertion.alg_typ",
    "The sign-in request is signed in a way the EHR does not accept",
    layer=Layer.TOKEN,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Sign with RS384, or with ES384 where the key is an elliptic-curve key and the vendor allows it",
        "Check that the header says typ JWT and that the algorithm fits the key's kind",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.5",),
    standard="SMART client-confidential-asymmetric (alg); RFC 7518 section 3",
    caution="A server may accept more algorithms than it lists.",
    explains=(*NO_TOKEN,),
)
ASSERTION_KID = declare(
    "auth.assertion.kid",
    "The key that signed the sign-in request is not in the published key set",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        RemedyStep(
            "Publish the public half of the signing key in the client's key set, under the key id the scribe sends",
            Action.TEST_TOKEN,
        ),
        "Keep the old and the new key published together while a rotation is under way",
        "Allow for the EHR's cache of the key set before testing again",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.5", "TOKEN.6"),
    standard="SMART client-confidential-asymmetric, signature validation; RFC 7517 section 4.5",
    caution="The EHR may hold an older copy of the key set for as long as its cache headers allow.",
    explains=(*NO_TOKEN, "auth.credential.rotated", "auth.assertion.signature"),
)
ASSERTION_JTI_REUSE = declare(
    "auth.assertion.jti_reuse",
    "The scribe sent the same signed sign-in request twice",
    layer=Layer.TOKEN,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        RemedyStep(
            "Ask the scribe vendor to make a new assertion with a new jti for every token request, retries included",
            Action.SEND_PACKET,
        ),
        RUN_AGAIN,
    ),
    checklist=("TOKEN.1",),
    standard="RFC 7523 section 3 (jti); SMART client-confidential-asymmetric",
    caution="An HTTP library that repeats a lost request by itself sends the same assertion unasked.",
    explains=(*NO_TOKEN,),
)
ASSERTION_SIGNATURE = declare(
    "auth.assertion.signature",
    "The signature of the sign-in request does not fit the published key",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Check which private key the scribe has loaded and publish its public half under that key id",
        "If the key was rotated, deploy the new private key to every worker and site",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.5", "TOKEN.6"),
    standard="RFC 7515 section 5.2",
    caution="Only an assertion that was captured with its signature, or the signing key itself, can show it.",
    explains=(*NO_TOKEN, "auth.credential.rotated"),
)
JWKS_UNREACHABLE = declare(
    "auth.jwks.unreachable",
    "The EHR cannot read the scribe's public key set",
    layer=Layer.TOKEN,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Host the key set at a public https address that needs no sign-in and does not redirect",
        "Give that host a certificate that any client trusts",
        "Where the EHR keeps an allow-list of key set addresses, ask for yours to be added",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.5",),
    standard="RFC 7517 section 5; SMART client-confidential-asymmetric",
    caution="A filter may let us through and still stop the EHR: test from outside as well.",
    explains=(*NO_TOKEN, "auth.assertion.kid", "auth.assertion.signature"),
)
JWKS_STATIC_KEY_RETIRED = declare(
    "auth.jwks.static_key_retired",
    "The EHR version no longer accepts keys uploaded by hand; it wants a key set address",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Register a key set URL for the client in the vendor's portal",
        "Ask the site which rule its EHR version applies before changing anything: sources disagree",
        RUN_AGAIN,
    ),
    checklist=("TOKEN.5", "WRITE.7"),
    explains=("auth.client.invalid", "auth.refresh.last_success_gap"),
)
AUDIENCE_FHIR_BASE = declare(
    "auth.audience.fhir_base",
    "The sign-in request names another FHIR base as its audience than the one used",
    layer=Layer.TOKEN,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Copy the FHIR base URL letter by letter into the aud parameter of the authorization request",
        "Mind the tenant in the path and a trailing slash; then have the provider sign in again",
        RUN_AGAIN,
    ),
    checklist=("WRITE.3",),
    standard="SMART App Launch 2.0, authorization request (aud)",
    caution="Not every server checks it; at some vendors each customer decides.",
    explains=("auth.http401.classify", "auth.request.malformed", "auth.refresh.last_success_gap"),
)
