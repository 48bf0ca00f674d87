"""Describe Oracle Health Millennium (formerly Cerner), Ignite R4."""

from diagnostics.vendors.model import RequiredElement, Source, VendorProfile

PROFILE = VendorProfile(
    slug="oracle-health",
    name="Oracle Health Millennium",
    conditional_create=False,
    charset_required=True,
    one_document_per_note=True,
    type_system_exclusive=True,
    inline_data_only=True,
    rejects_modifier_extensions=True,
    token_ttl_s=570,
    sandbox_patterns=(r"fhir-open\.cerner\.com/", r"fhir-ehr-code\.cerner\.com/"),
    production_patterns=(r"fhir-ehr\.cerner\.com/", r"fhir-myrecord\.cerner\.com/"),
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
    content_types=(
        "application/pdf", "text/plain", "text/richtext", "text/rtf", "text/html", "application/xml",
        "application/xhtml+xml",
    ),
    request_id_headers=("x-request-id", "opc-request-id"),
    sources=(
        Source("document create, content types, errors, service roots", "Cerner Millennium R4 documentation", "2024-05",
               True),
        Source("token lifetime", "Cerner authorization documentation", "2024-05", True),
    ),
)  # fmt: skip
