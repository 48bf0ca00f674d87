"""Describe Oracle Health Millennium (formerly Cerner), Ignite R4."""

from diagnostics.vendors.model import (
    AllowedValues,
    KnownAnswer,
    RequiredElement,
    Source,
    Surface,
    TenantRule,
    VendorProfile,
)
from diagnostics.vocabulary import Strength

_ANSWERS = (
    KnownAnswer(Surface.FHIR, "the address names a tenant that is not served here", (401, 403, 404),
                words=r"tenant not valid or accessible", cause="fhir.base.environment"),
    KnownAnswer(Surface.FHIR, "the body holds elements this EHR does not support", (422,),
                words=r"unsupported fields?\b|body contained unsupported", cause="fhir.payload.extension",
                strength=Strength.DECISIVE),
    KnownAnswer(Surface.FHIR, "the body holds a modifier extension or implicit rules", (422,), issue="extension",
                cause="fhir.payload.extension", strength=Strength.DECISIVE),
    KnownAnswer(Surface.FHIR, "stored data of the EHR lack an element that its own answer needs", (500,),
                issue="required", cause="ehr.server.error"),
    KnownAnswer(Surface.FHIR, "the document was changed in the meantime (If-Match is stale)", (409, 412),
                words=r"if-match|version"),
)  # fmt: skip

PROFILE = VendorProfile(
    slug="oracle-health",
    name="Oracle Health Millennium",
    grants=("client_credentials", "authorization_code", "refresh_token"),
    auth_methods=("private_key_jwt", "client_secret_basic"),
    algorithms=("RS384", "ES384"),
    token_ttl_s=570,
    refresh_ends_with_session=True,
    sandbox_bases=("fhir-open.cerner.com/", "fhir-ehr-code.cerner.com/"),
    production_bases=("fhir-ehr.cerner.com/", "fhir-myrecord.cerner.com/"),
    tenant=TenantRule(
        name="tenant", path=r"/r4/([^/]{1,64})", statuses=(401, 403, 404), words=r"tenant not valid or accessible"
    ),
    request_id_headers=("x-request-id", "opc-request-id"),
    creates=("DocumentReference",),
    conditional_create=False,
    required=(
        RequiredElement("status", "status current"),
        RequiredElement("docStatus", "docStatus final (or amended, for system accounts)"),
        RequiredElement("type", "the note type"),
        RequiredElement("subject", "the patient"),
        RequiredElement("content", "exactly one content"),
        RequiredElement("content.attachment.contentType", "the content type with its character set"),
        RequiredElement("content.attachment.data", "the attachment's text"),
        RequiredElement("context.period.end", "the end of the context period, with time"),
    ),
    allowed=(
        AllowedValues("status", ("current",)),
        AllowedValues("docStatus", ("final",), persona="provider"),
        AllowedValues("docStatus", ("final", "amended"), persona="system"),
    ),
    refused=(RequiredElement("authenticator", "an authenticator from a person signed in", persona="provider"),),
    single=("content", "author", "context.encounter"),
    timed=("*",),
    content_types=(
        "application/pdf", "text/plain", "text/richtext", "text/rtf", "text/html", "application/xml",
        "application/xhtml+xml",
    ),
    charset_required=True,
    inline_data_only=True,
    type_system_exclusive=True,
    rejects_modifier_extensions=True,
    ignores_unsupported=True,
    answers=_ANSWERS,
    sources=(
        Source("create of a document: required elements, values, dates, content types, ignored elements",
               "Oracle Health: Millennium R4 DocumentReference, create", "2024-05", True,
               ("required", "allowed", "refused", "single", "timed", "content_types", "charset_required",
                "inline_data_only", "type_system_exclusive", "rejects_modifier_extensions", "ignores_unsupported",
                "creates", "conditional_create")),
        Source("errors, service roots, tenants, request ids", "Oracle Health: Millennium R4 overview", "2024-05", True,
               ("answers", "tenant", "sandbox_bases", "production_bases", "request_id_headers")),
        Source("570 seconds; online_access lasts as long as the person's session",
               "Oracle Health: authorization documentation", "2024-05", True,
               ("token_ttl_s", "refresh_ends_with_session", "grants", "auth_methods")),
        Source("signing", "SMART App Launch 2.0", "2024-05", False, ("algorithms", "assertion_life_s")),
    ),
)  # fmt: skip
