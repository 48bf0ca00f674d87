"""Describe eClinicalWorks: FHIR facade for reading, a documented write-back, an HL7 clinical-note interface."""

from diagnostics.vendors.eclinicalworks_codes import HL7, WRITEBACK
from diagnostics.vendors.model import (
    KnownAnswer,
    RateRule,
    RequiredElement,
    Source,
    Surface,
    TenantRule,
    VendorProfile,
    VersionFloor,
    WriteRoute,
    on,
)
from diagnostics.vocabulary import Strength

_ANSWERS = (
    KnownAnswer(Surface.TOKEN, "the client, its key id, or its key set: not reachable, or not on the vendor's list",
                (401,), issue="invalid_client", cause="auth.client.invalid"),
    KnownAnswer(Surface.TOKEN, "the scope is not one of this client's", (400,), issue="invalid_grant",
                words=r"\bscopes?\b", cause="auth.scope.invalid"),
    KnownAnswer(Surface.TOKEN, "a scope this client may not have, or an assertion that has ended or is malformed",
                (400,), issue="invalid_grant", cause="auth.scope.invalid", strength=Strength.MODERATE),
    KnownAnswer(Surface.TOKEN, "a refusal for the client and no fault of the server, although it comes as 500",
                (500,), issue="access_denied", cause="auth.client.invalid", strength=Strength.MODERATE),
    KnownAnswer(Surface.FHIR, "every request of the application is blocked for the rest of the minute", (429,),
                cause="net.rate.limited", strength=Strength.DECISIVE),
)  # fmt: skip

PROFILE = VendorProfile(
    slug="eclinicalworks",
    name="eClinicalWorks",
    grants=("authorization_code", "refresh_token", "client_credentials"),
    auth_methods=("client_secret_basic", "client_secret_post", "private_key_jwt", "client_secret_jwt"),
    algorithms=("RS384",),
    token_ttl_s=300,
    key_set_allow_listed=True,
    has_api_key_layer=True,
    production_bases=("fhir4.eclinicalworks.com/",),
    tenant=TenantRule(name="practice code", path=r"/fhir/r4/([A-Za-z0-9]{6})(?:/|$)"),
    request_id_headers=(),
    advertises_create=False,
    separate_write_route=True,
    write_routes=(
        WriteRoute("writeback", "documented write-back create; its answer carries a numeric status (1 is success)"),
        WriteRoute("hl7", "HL7 clinical-note interface: needs OBR and the PROG identifier"),
    ),
    no_creates=("Composition",),
    version_floor=VersionFloor("DocumentReference of a progress note", "12.0.3.04009405"),
    conditional_create=False,
    required=(
        RequiredElement("subject", "a valid patient"),
        RequiredElement("author", "a valid provider"),
        RequiredElement("type", "a supported type code"),
        RequiredElement("context.encounter", "an encounter of the same patient"),
        RequiredElement("content.attachment.contentType", "a supported content type"),
    ),
    rate=RateRule(per_minute=250, calendar=True, retry_after=False, counts_tokens=True),
    codes={**on(Surface.WRITEBACK, WRITEBACK), **on(Surface.HL7, HL7)},
    answers=_ANSWERS,
    sources=(
        Source("error codes of write-back, HL7 interface and token server",
               "eClinicalWorks Error Code Reference Guide 1.0", "2026-07", True, ("codes", "answers")),
        Source("250 requests a calendar minute and practice since 7 October 2025, token requests included",
               "eClinicalWorks developer documentation", "2026-08", True, ("rate",)),
        Source("RS384 only, key sets from listed addresses, grants, metadata that lists no document",
               "eClinicalWorks smart-configuration and CapabilityStatement", "2026-08", True,
               ("algorithms", "assertion_life_s", "key_set_allow_listed", "grants", "auth_methods",
                "advertises_create", "separate_write_route", "production_bases", "tenant", "request_id_headers",
                "token_ttl_s", "no_creates", "conditional_create", "version_floor")),
        Source("what a write-back asks for, as its error codes tell", "eClinicalWorks Error Code Reference Guide 1.0",
               "2026-07", False, ("required", "write_routes")),
        Source("an API key beside the token; the vendor's own documentation names none",
               "the field guide this product follows", "2026-08", False, ("has_api_key_layer",)),
    ),
)  # fmt: skip
