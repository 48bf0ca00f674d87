"""Describe eClinicalWorks: FHIR facade for reading, a documented write-back, an HL7 clinical-note interface."""

from diagnostics.vendors.model import RateRule, Source, Surface, VendorCode, VendorProfile, on

_WRITEBACK = {
    "100": VendorCode("the patient is not valid", "fhir.payload.references"),
    "101": VendorCode("the provider is not valid", "fhir.payload.references"),
    "107": VendorCode("the facility is not valid", "fhir.payload.references"),
    "102 105 111 120 121 122 141": VendorCode("a code or category is not valid", "map.code.local_missing"),
    "103 104 112 136": VendorCode("a transient error inside the EHR", "ehr.server.error"),
    "108 614": VendorCode("the text contains characters the EHR does not take", "fhir.payload.attachment"),
    "109": VendorCode("the document is too large", "fhir.request.size", decisive=True),
    "110": VendorCode("the document's status is not accepted", "fhir.payload.structure"),
    "113": VendorCode("the document type is not supported", "fhir.payload.type_code"),
    "114": VendorCode("the content type is not supported", "fhir.payload.attachment"),
    "116": VendorCode("the period is not valid", "fhir.payload.structure"),
    "123 164 608": VendorCode("the encounter does not belong to the patient", "map.encounter.mismatch", decisive=True),
    "139": VendorCode("the encounter is locked", "perm.encounter.closed", decisive=True),
    "203": VendorCode("a value has the wrong data type", "fhir.payload.structure"),
    "304 611 613": VendorCode("a local code is not mapped", "map.code.local_missing", decisive=True),
    "308": VendorCode("the default write-back user is not configured", "perm.rbac.matrix", decisive=True),
}
_HL7 = {
    "301": VendorCode("the header segment is missing or wrong", "hl7.msh.first"),
    "303 304": VendorCode("the encounter does not belong to the patient", "map.encounter.mismatch", decisive=True),
    "306": VendorCode("the progress-note identifier is missing", "hl7.grammar.missing"),
    "307": VendorCode("the OBR segment is missing", "hl7.grammar.missing", decisive=True),
}

PROFILE = VendorProfile(
    slug="eclinicalworks",
    name="eClinicalWorks",
    has_api_key_layer=True,
    advertises_create=False,
    separate_write_route=True,
    conditional_create=False,
    algorithms=("RS384",),
    token_ttl_s=300,
    rate=RateRule(per_minute=250, calendar=True, retry_after=False),
    production_patterns=(r"fhir4\.eclinicalworks\.com/",),
    codes={**on(Surface.WRITEBACK, _WRITEBACK), **on(Surface.HL7, _HL7)},
    request_id_headers=(),
    sources=(
        Source("error codes", "eClinicalWorks Error Code Reference Guide 1.0", "2026-07", True),
        Source("rate limit, signing algorithm, metadata", "eClinicalWorks developer documentation", "2026-08", True),
        Source("extra API key layer", "the field guide this product follows", "2026-08", False),
    ),
)
