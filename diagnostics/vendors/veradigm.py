"""Describe Veradigm (formerly Allscripts): FHIR per tenant, or Unity."""

from diagnostics.vendors.model import Source, TenantRule, VendorProfile

PROFILE = VendorProfile(
    slug="veradigm",
    name="Veradigm",
    grants=("authorization_code", "refresh_token", "client_credentials"),
    auth_methods=("client_secret_basic", "private_key_jwt", "tls_client_auth"),
    sandbox_bases=("fhir.fhirpoint.open.allscripts.com/",),
    tenant=TenantRule(name="tenant", path=r"/fhirroute/fhir/([^/]{1,64})"),
    creates=("DocumentReference",),
    sources=(
        Source("sandbox host, tenant in the path, claimed create of documents: try it before relying on it",
               "Veradigm FHIR conformance file", "2026-08", False,
               ("sandbox_bases", "tenant", "creates", "grants", "auth_methods")),
    ),
)  # fmt: skip
