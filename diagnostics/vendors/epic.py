"""Describe Epic (Interconnect FHIR R4, HL7 v2 by Bridges)."""

from diagnostics.vendors.model import KeyRule, RateRule, RequiredElement, Source, Surface, VendorCode, VendorProfile, on

_FHIR = {
    "4100 4102 59102 59144": VendorCode("an id or reference in the note is not valid here", "fhir.payload.references"),
    "4101": VendorCode("nothing was found; a warning", harmless=True),
    "4103": VendorCode("what the request refers to was deleted", "fhir.payload.references"),
    "4104": VendorCode("the EHR lacks an element that its own answer needs", "ehr.server.error"),
    "4107": VendorCode("the patient was merged into another record", "map.patient.mismatch"),
    "4110 4111 4112 4115": VendorCode("a search lacks a parameter, or its parameters do not fit together"),
    "4113 4116": VendorCode("the session of a paged search has ended"),
    "4117 4119 4122": VendorCode("a remark about the data that was read; a warning", harmless=True),
    "4118": VendorCode("the user is not authorized for this", "perm.rbac.matrix"),
    "4130 4131": VendorCode("break-the-glass protects this chart", "perm.department.restricted", decisive=True),
    "4134": VendorCode("break-the-glass was considered; for information only", harmless=True),
    "4135": VendorCode("the daily limit of document queries is used up", "net.rate.limited", decisive=True),
    "4127 59133": VendorCode("the answer was capped, or parts of the request were left aside", harmless=True),
    "40000": VendorCode("a code has no entry in this site's tables", "map.code.local_missing", decisive=True),
    "59187 59188 59189": VendorCode("no flowsheet row is mapped to it", "map.code.local_missing", decisive=True),
    "59105": VendorCode("the body is not valid JSON", "fhir.payload.structure", decisive=True),
    "59108": VendorCode("a required element is missing", "fhir.payload.required", decisive=True),
    "59111": VendorCode("a required element has a wrong value", "fhir.payload.structure"),
    "59100 59101 59109": VendorCode("an element was ignored; for information only", harmless=True),
    "59141": VendorCode("the same document is already there", "fhir.outcome.duplicate", decisive=True),
    "59159": VendorCode("a business rule of the site stopped the note; its text says which"),
    "59177": VendorCode("an error inside the EHR", "ehr.server.error"),
}
_CONFLICT = (
    "Epic's front page says that existing licences with an uploaded key are kept and may be rotated; its documentation "
    "says that they end in customer environments at the May 2026 version. Ask the site."
)

PROFILE = VendorProfile(
    slug="epic",
    name="Epic",
    grants=("authorization_code", "refresh_token", "client_credentials"),
    auth_methods=("private_key_jwt",),
    algorithms=("RS384", "ES384", "ES256"),
    token_ttl_s=3600,
    client_ids_by_environment=True,
    client_sync_hours=12,
    key_rule=KeyRule(
        key_set_from=(2026, 2), uploaded_keys_end=(2026, 5), site_keys_from=(2026, 8), conflict=_CONFLICT
    ),
    sandbox_bases=("fhir.epic.com/", "vendorservices.epic.com/"),
    request_id_headers=(),
    creates=("DocumentReference", "Condition", "Observation", "ServiceRequest", "Procedure", "AllergyIntolerance"),
    no_creates=("Composition", "MedicationRequest"),
    conditional_create=False,
    required=(
        RequiredElement("type", "the note type, mapped at the site"),
        RequiredElement("subject", "the patient"),
        RequiredElement("context.encounter", "the encounter"),
        RequiredElement("content.attachment.contentType", "the attachment's content type"),
        RequiredElement("content.attachment.data", "the attachment's text"),
    ),
    inline_data_only=True,
    content_types=("text/plain", "text/html", "text/rtf", "text/richtext", "application/rtf"),
    rate=RateRule(),
    daily_limit_codes=("4135",),
    codes=on(Surface.FHIR, _FHIR),
    sources=(
        Source("what the metadata lists, If-None-Exist", "Epic R4 CapabilityStatement, software May 2026", "2026-08",
               True, ("creates", "no_creates", "conditional_create", "advertises_create")),
        Source("sandbox addresses, grants, client ids and their 12-hour synchronization",
               "Epic on FHIR: smart-configuration, sandbox notes", "2026-08", True,
               ("sandbox_bases", "grants", "client_ids_by_environment", "client_sync_hours")),
        Source("error codes; no rate headers, daily document limit", "Epic on FHIR: error code registry, rate notes",
               "2026-08", True, ("codes", "daily_limit_codes", "rate", "request_id_headers")),
        Source("key sets instead of uploaded keys (the vendor's texts contradict each other)",
               "Epic on FHIR: OAuth 2.0 documentation and front page", "2026-08", False, ("key_rule",)),
        Source("RS384, signed assertions of at most five minutes", "SMART App Launch 2.0 and integrators' reports",
               "2024-05", False, ("algorithms", "assertion_life_s", "auth_methods")),
        Source("required elements and content types; pages differ by site", "common knowledge of integrators",
               "2026-08", False, ("required", "content_types", "inline_data_only")),
        Source("token lifetime; read expires_in", "third-party guides", "2026-08", False, ("token_ttl_s",)),
    ),
)  # fmt: skip
