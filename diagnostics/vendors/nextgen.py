"""Describe NextGen Enterprise and Office: FHIR for reading; notes by HL7 v2 or proprietary routes."""

from diagnostics.vendors.model import Source, VendorProfile

PROFILE = VendorProfile(
    slug="nextgen",
    name="NextGen",
    advertises_create=False,
    separate_write_route=True,
    production_patterns=(r"fhir\.nextgen\.com/nge/prod/", r"fhir\.meditouchehr\.com/"),
    sources=(
        Source("hosts, metadata without document create", "NextGen Enterprise and Office metadata", "2026-08", True),
        Source("notes by HL7 v2", "common knowledge of integrators", "2026-08", False),
    ),
)
