"""Describe athenaPractice and athenaFlow (formerly GE Centricity), per-site FHIR servers."""

from diagnostics.vendors.model import Source, VendorProfile

PROFILE = VendorProfile(
    slug="athenapractice",
    name="athenaPractice and athenaFlow",
    conditional_create=False,
    files_unsigned=True,
    content_types=("application/rtf", "text/rtf", "application/xml", "text/xml", "application/hl7-v3+xml"),
    request_id_headers=("x-request-id",),
    sources=(Source("create, unsigned filing, content types", "athenaFlex developer issues", "2026-08", False),),
)
