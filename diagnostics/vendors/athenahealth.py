"""Describe athenahealth athenaOne: FHIR for reading, its own v1 routes for writing notes."""

from diagnostics.vendors.model import (
    KnownAnswer,
    RateRule,
    Source,
    Surface,
    TenantRule,
    VendorCode,
    VendorProfile,
    WriteRoute,
    on,
)
from diagnostics.vocabulary import Strength

_V1 = {
    "Developer_Inactive": VendorCode("the token did not reach the gateway", "net.proxy.auth_stripped"),
}
_ANSWERS = (
    KnownAnswer(Surface.V1, "the token did not reach the gateway", (401, 403), words=r"\bdeveloper inactive\b",
                cause="net.proxy.auth_stripped"),
    KnownAnswer(Surface.FHIR, "the token did not reach the gateway", (401, 403), words=r"\bdeveloper inactive\b",
                cause="net.proxy.auth_stripped"),
    KnownAnswer(Surface.FHIR, "seen where the user or the practice did not fit the credential", (400,),
                issue="business-rule", words=r"\binvalid fhir request\b", cause="auth.practice.scope",
                strength=Strength.MODERATE),
    KnownAnswer(Surface.FHIR, "the gateway knows no such service: path, version or practice", (404,),
                words=r"service not registered with api gateway", cause="net.gateway.unrouted"),
    KnownAnswer(Surface.V1, "the gateway knows no such service: path, version or practice", (404,),
                words=r"service not registered with api gateway", cause="net.gateway.unrouted"),
)  # fmt: skip
_DOCUMENT = ("departmentid", "documentsubclass", "attachmentcontents")

PROFILE = VendorProfile(
    slug="athenahealth",
    name="athenahealth athenaOne",
    grants=("client_credentials", "authorization_code", "refresh_token"),
    auth_methods=("client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"),
    algorithms=("RS256", "RS384", "ES384"),
    token_ttl_s=3600,
    client_ids_by_environment=True,
    sandbox_bases=("api.preview.platform.athenahealth.com/",),
    production_bases=("api.platform.athenahealth.com/",),
    tenant=TenantRule(
        name="practice", path=r"/v1/([0-9]{1,12})(?:/|$)", statuses=(404,),
        words=r"service not registered with api gateway",
    ),
    request_id_headers=("identifier",),
    advertises_create=False,
    separate_write_route=True,
    write_routes=(
        WriteRoute("v1", "clinical documents: POST /v1/{practice}/patients/{id}/documents/clinicaldocument, as a form",
                   r"/v1/[0-9]{1,12}/patients/[^/]{1,40}/documents/clinicaldocument", _DOCUMENT),
        WriteRoute("v1", "parts of an encounter: /v1/{practice}/chart/encounter/{id}/…, as a form",
                   r"/v1/[0-9]{1,12}/chart/encounter/"),
        WriteRoute("v1", "other v1 routes, as a form", r"/v1/[0-9]{1,12}(?:/|$)"),
    ),
    creates=("QuestionnaireResponse",),
    no_creates=("DocumentReference", "Composition", "MedicationRequest"),
    conditional_create=False,
    rate=RateRule(token_requests_per_minute=50, daily_reset_utc=0),
    codes=on(Surface.V1, _V1),
    answers=_ANSWERS,
    sources=(
        Source("hosts, metadata that lists no document, v1 routes by practice",
               "athenahealth CapabilityStatement and conventions", "2026-08", True,
               ("sandbox_bases", "production_bases", "advertises_create", "creates", "no_creates", "tenant",
                "conditional_create", "separate_write_route", "client_ids_by_environment", "grants", "auth_methods")),
        Source("v1 clinical document route and its errors", "client libraries and developer issues", "2026-08", False,
               ("write_routes", "codes", "answers")),
        Source("50 token requests a minute in production; daily quota starts anew at midnight GMT; identifier header",
               "athenahealth best practices", "2026-08", True, ("rate", "request_id_headers")),
        Source("token lifetime; read expires_in", "third-party guides", "2026-08", False, ("token_ttl_s",)),
        Source("algorithms; the metadata decides", "athenahealth smart-configuration", "2026-08", False,
               ("algorithms", "assertion_life_s")),
    ),
)  # fmt: skip
