"""Ways of being healthy that look odd: none of them may be called a fault."""

from __future__ import annotations

from diagnostics.practice.fault import Variation

_ALL = (
    Variation("healthy-apso-order", "The note puts assessment and plan first.", scribe={"note_order": "apso"}),
    Variation(
        "healthy-declared-utf8",
        "The message holds accents and declares UTF-8 in MSH-18.",
        "hl7v2",
        scribe={"message": "unicode_declared"},
        story={"charset": "UNICODE UTF-8"},
    ),
    Variation("healthy-z-segments", "The message carries a Z segment.", "hl7v2", scribe={"message": "z_segment"}),
    Variation("healthy-opaque-token", "The access token is no JWT.", ehr={"token_opaque": True}),
    Variation("healthy-short-token", "Tokens live for one minute.", ehr={"token_ttl_s": 60}),
    Variation(
        "healthy-plain-json",
        "The scribe says application/json, and the EHR takes it.",
        ehr={"strict_media_type": False},
        scribe={"media_type": "application/json"},
    ),
    Variation("healthy-two-keys", "The key set holds the old and the new key.", ehr={"jwks": "two_keys"}),
    Variation(
        "healthy-certificate-40-days", "The certificate runs for forty more days.", ehr={"tls_fhir": "expiring_40"}
    ),
    Variation(
        "healthy-certificate-10-days",
        "The certificate runs for ten more days: a warning, no cause.",
        ehr={"tls_fhir": "expiring_10"},
    ),
    Variation("healthy-clock-offset-45", "The EHR's clock is 45 seconds ahead.", ehr={"clock_offset_s": 45.0}),
    Variation(
        "healthy-protected-metadata", "The capability statement wants a token.", ehr={"metadata_protected": True}
    ),
    Variation(
        "healthy-separate-write-route",
        "Notes are created at an address of their own; the FHIR base offers no create.",
        ehr={"write_route": True},
    ),
    Variation("healthy-accepted-then-filed", "The EHR answers 202 and files the note.", ehr={"accept_later": "filed"}),
    Variation("healthy-through-proxy", "Traffic goes through a proxy that does its work.", scribe={"proxy": True}),
    Variation("healthy-client-secret", "The integration uses a client secret.", scribe={"flow": "client-secret"}),
    Variation("healthy-es384", "The assertion is signed with ES384.", scribe={"algorithm": "ES384"}),
    Variation("healthy-mllp-over-tls", "Messages travel in MLLP over TLS.", "hl7v2", scribe={"mllp_tls": True}),
)

VARIATIONS: dict[str, Variation] = {variation.name: variation for variation in _ALL}
