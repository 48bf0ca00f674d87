"""Describe an EHR of no known vendor: plain FHIR R4, SMART and US Core."""

from diagnostics.vendors.model import Source, VendorProfile

# Nothing beyond the FHIR base resource is demanded of an unknown EHR: US Core minima are judged only where the
# integration names the profile.
PROFILE = VendorProfile(
    slug="generic",
    name="Generic FHIR or HL7 v2 EHR",
    conditional_create=True,
    sources=(
        Source("defaults", "FHIR R4 http; SMART App Launch 2.0", "2024-05", True,
               ("conditional_create", "algorithms", "assertion_life_s")),
    ),
)  # fmt: skip
