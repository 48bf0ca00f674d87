"""Describe athenahealth athenaOne: FHIR for reading, its own v1 routes for writing notes."""

from diagnostics.vendors.model import RateRule, Source, Surface, VendorCode, VendorProfile, on

_V1 = {
    "Developer_Inactive": VendorCode("the token did not reach the gateway", "net.proxy.auth_stripped"),
}

PROFILE = VendorProfile(
    slug="athenahealth",
    name="athenahealth athenaOne",
    advertises_create=False,
    separate_write_route=True,
    conditional_create=False,
    algorithms=("RS256", "RS384", "ES384"),
    token_ttl_s=3600,
    rate=RateRule(token_requests_per_minute=50),
    sandbox_patterns=(r"api\.preview\.platform\.athenahealth\.com/",),
    production_patterns=(r"api\.platform\.athenahealth\.com/",),
    codes=on(Surface.V1, _V1),
    request_id_headers=("identifier",),
    sources=(
        Source("hosts, metadata without document create", "athenahealth CapabilityStatement and conventions", "2026-08",
               True),
        Source("v1 clinical document route and its errors", "client libraries and developer issues", "2026-08", False),
        Source("token request limit", "athenahealth best practices", "2026-08", True),
        Source("token lifetime", "third-party guides", "2026-08", False),
    ),
)  # fmt: skip
