"""Describe MEDITECH Expanse: FHIR for reading, HL7 v2 for notes."""

from diagnostics.vendors.model import KnownAnswer, Source, Surface, VendorProfile, WriteRoute

_ANSWERS = (
    KnownAnswer(Surface.TOKEN, "this grant is listed for everybody and opened for a client only when it goes live",
                (400,), issue="unauthorized_client", cause="auth.grant.not_entitled"),
    KnownAnswer(Surface.TOKEN, "the client id or its secret is wrong", (401,), issue="invalid_client",
                cause="auth.client.invalid"),
)  # fmt: skip

PROFILE = VendorProfile(
    slug="meditech",
    name="MEDITECH Expanse",
    grants=("authorization_code", "refresh_token", "client_credentials"),
    restricted_grants=("client_credentials",),
    auth_methods=("client_secret_basic", "client_secret_post", "private_key_jwt"),
    sandbox_bases=("greenfield-prod-apis.meditech.com/", "greenfield-apis.meditech.com/"),
    advertises_create=False,
    separate_write_route=True,
    write_routes=(WriteRoute("hl7", "notes by HL7 v2 (MDM or ORU)"),),
    creates=("Communication", "QuestionnaireResponse"),
    no_creates=("DocumentReference", "Composition"),
    answers=_ANSWERS,
    sources=(
        Source("sandbox host (a sandbox although its name says prod), metadata that lists no document, grants",
               "MEDITECH Greenfield metadata and grant findings", "2026-08", True,
               ("sandbox_bases", "advertises_create", "creates", "no_creates", "grants", "restricted_grants",
                "auth_methods", "answers")),
        Source("notes by HL7 v2", "common knowledge of integrators", "2026-08", False,
               ("separate_write_route", "write_routes")),
    ),
)  # fmt: skip
