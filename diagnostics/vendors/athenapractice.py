"""Describe athenaPractice and athenaFlow (formerly GE Centricity), per-site FHIR servers."""

from diagnostics.vendors.model import KnownAnswer, Source, Surface, VendorProfile

_ANSWERS = (
    KnownAnswer(Surface.FHIR, "a scope is missing, or a right of the account: API Server User, API Writes",
                (403,), words=r"\bnot authorized\b", cause="perm.rbac.matrix"),
)  # fmt: skip

PROFILE = VendorProfile(
    slug="athenapractice",
    name="athenaPractice and athenaFlow",
    grants=("authorization_code", "refresh_token", "password"),
    request_id_headers=("x-request-id",),
    creates=("DocumentReference",),
    no_creates=("Encounter",),
    conditional_create=False,
    files_unsigned=True,
    content_types=("application/rtf", "text/rtf", "application/xml", "text/xml", "application/hl7-v3+xml"),
    standard_types_only=True,
    answers=_ANSWERS,
    sources=(
        Source("create of documents only, filed unsigned as an API Update; types, contents and rights",
               "athenaFlex developer issues 62 to 401", "2026-08", False,
               ("creates", "no_creates", "files_unsigned", "content_types", "standard_types_only", "answers", "grants",
                "conditional_create", "request_id_headers")),
    ),
)  # fmt: skip
