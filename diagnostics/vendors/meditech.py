"""Describe MEDITECH Expanse: FHIR for reading, HL7 v2 for notes."""

from diagnostics.vendors.model import Source, VendorProfile

PROFILE = VendorProfile(
    slug="meditech",
    name="MEDITECH Expanse",
    advertises_create=False,
    separate_write_route=True,
    sandbox_patterns=(r"greenfield-prod-apis\.meditech\.com/", r"greenfield-apis\.meditech\.com/"),
    sources=(
        Source("sandbox host, metadata without document create", "MEDITECH Greenfield metadata", "2026-08", True),
        Source("notes by HL7 v2", "common knowledge of integrators", "2026-08", False),
    ),
)
