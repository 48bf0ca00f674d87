"""Describe Veradigm (formerly Allscripts): FHIR per tenant, or Unity."""

from diagnostics.vendors.model import Source, VendorProfile

PROFILE = VendorProfile(
    slug="veradigm",
    name="Veradigm",
    sandbox_patterns=(r"fhir\.fhirpoint\.open\.allscripts\.com/",),
    sources=(Source("sandbox host, claimed document create", "Veradigm FHIR conformance file", "2026-08", False),),
)
