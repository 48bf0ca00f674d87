"""Describe Epic (Interconnect FHIR R4, HL7 v2 by Bridges)."""

from diagnostics.vendors.model import RequiredElement, Source, Surface, VendorCode, VendorProfile, on

_FHIR = {
    "4100 4102 59102 59144": VendorCode("an id or reference in the note is not valid here", "fhir.payload.references"),
    "4107": VendorCode("the patient was merged into another record", "map.patient.mismatch"),
    "4118": VendorCode("the user is not authorized for this", "perm.rbac.matrix"),
    "4130 4131": VendorCode("break-the-glass protects this chart", "perm.department.restricted", decisive=True),
    "4134": VendorCode("break-the-glass was considered; for information only"),
    "4135": VendorCode("the daily limit of document queries is used up", "net.rate.limited", decisive=True),
    "4127 59133": VendorCode("the answer was capped"),
    "40000 59187 59188 59189": VendorCode(
        "a code has no entry in this site's tables", "map.code.local_missing", decisive=True
    ),
    "59105": VendorCode("the body is not valid JSON", "fhir.payload.structure", decisive=True),
    "59108": VendorCode("a required element is missing", "fhir.payload.required", decisive=True),
    "59111": VendorCode("a required element has a wrong value", "fhir.payload.structure"),
    "59100 59101 59109": VendorCode("an element was ignored; for information only"),
    "59141": VendorCode("the same document is already there", "fhir.outcome.duplicate", decisive=True),
    "59159": VendorCode("a business rule of the site stopped the note"),
    "59177": VendorCode("an error inside the EHR", "ehr.server.error"),
}

PROFILE = VendorProfile(
    slug="epic",
    name="Epic",
    conditional_create=False,
    client_ids_by_environment=True,
    algorithms=("RS384", "ES384", "ES256"),
    token_ttl_s=3600,
    sandbox_patterns=(r"fhir\.epic\.com/", r"vendorservices\.epic\.com/"),
    required=(
        RequiredElement("type", "the note type, mapped at the site"),
        RequiredElement("subject", "the patient"),
        RequiredElement("context.encounter", "the encounter"),
        RequiredElement("content.attachment.contentType", "the attachment's content type"),
        RequiredElement("content.attachment.data", "the attachment's text"),
    ),
    inline_data_only=True,
    content_types=("text/plain", "text/html", "text/rtf", "text/richtext", "application/rtf"),
    codes=on(Surface.FHIR, _FHIR),
    request_id_headers=(),
    sources=(
        Source("sandbox base, client ids, code registry, conditionalCreate", "Epic R4 metadata and error codes",
               "2026-08", True),
        Source("required elements and content types of a create", "common knowledge of integrators", "2026-08", False),
        Source("token lifetime; ES256", "third-party guides", "2026-08", False),
    ),
)  # fmt: skip
