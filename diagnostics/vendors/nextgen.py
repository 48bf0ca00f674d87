"""Describe NextGen Enterprise and Office: FHIR for reading; notes by HL7 v2 or proprietary routes."""

from diagnostics.vendors.model import Source, VendorProfile, WriteRoute

PROFILE = VendorProfile(
    slug="nextgen",
    name="NextGen",
    grants=("authorization_code", "refresh_token", "client_credentials"),
    auth_methods=("private_key_jwt", "client_secret_basic"),
    refresh_within_hours=48,
    production_bases=("fhir.nextgen.com/nge/prod/", "fhir.meditouchehr.com/"),
    advertises_create=False,
    separate_write_route=True,
    write_routes=(WriteRoute("hl7", "notes by HL7 v2, or by a route of the vendor's own"),),
    no_creates=("DocumentReference", "Composition"),
    sources=(
        Source("hosts, metadata that lists no document, grants; a refresh token must be exchanged within 48 hours",
               "NextGen Enterprise and Office metadata and smart-configuration", "2026-08", True,
               ("production_bases", "advertises_create", "no_creates", "grants", "auth_methods",
                "refresh_within_hours")),
        Source("notes by HL7 v2", "common knowledge of integrators", "2026-08", False,
               ("separate_write_route", "write_routes")),
    ),
)  # fmt: skip
