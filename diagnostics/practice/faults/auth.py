"""Faults of token, client, assertion, key set and session."""

from __future__ import annotations

from typing import Any

from diagnostics.practice.fault import Fault

NEVER, REJECTED = "never_sent", "rejected"
_GRANTED_LATE = {"flow": "provider-context"}


def _fault(
    name: str,
    cause: str,
    symptom: str,
    *,
    mode: str = NEVER,
    certainty: str = "proven",
    needs: tuple[str, ...] = ("live", "logs"),
    ehr: dict[str, Any] | None = None,
    scribe: dict[str, Any] | None = None,
    story: dict[str, Any] | None = None,
) -> Fault:
    return Fault(
        name,
        symptom,
        cause,
        "authentication",
        mode,
        certainty,
        needs,
        "fhir",
        ehr or {},
        scribe or {},
        story or {},
    )


AUTH_FAULTS = (
    _fault(
        "auth-discovery-unreachable",
        "auth.discovery.unreachable",
        "No note leaves the scribe since this morning; its log says that it cannot find the sign-in server.",
        certainty="possible",
        ehr={"discovery": "down"},
        scribe={"discover": True},
        story={"without": ("token_url",)},
    ),
    _fault(
        "auth-token-endpoint-moved",
        "auth.discovery.token_endpoint_changed",
        "All notes stop at once after the EHR was upgraded; the token request answers 404.",
        ehr={"token_moved": True},
    ),
    _fault(
        "auth-token-expired",
        "auth.token.expired",
        "A note dictated after a quiet spell is refused with 401; the next one goes through.",
        mode=REJECTED,
        needs=("logs",),
        scribe={"reuse_token": True},
    ),
    _fault(
        "auth-refresh-invalid",
        "auth.refresh.invalid",
        "One provider's notes stop; the scribe asks him to connect the EHR again.",
        ehr={"refresh": "used"},
        scribe={"flow": "provider-context"},
    ),
    _fault(
        "auth-client-secret-wrong",
        "auth.client.invalid",
        "A newly installed integration has never sent a note: the token server does not know it.",
        certainty="likely",
        scribe={"flow": "client-secret", "wrong_secret": True},
    ),
    _fault(
        "auth-client-unknown",
        "auth.client.invalid",
        "No note leaves the scribe: the token server knows no such client.",
        certainty="likely",
        ehr={"client": "unknown"},
    ),
    _fault(
        "auth-client-deactivated",
        "auth.client.deactivated",
        "All notes stop after the yearly access review.",
        certainty="likely",
        ehr={"client": "inactive"},
        story={"change": {"kind": "credential", "what": "{client} deactivated", "from": "active", "to": "inactive"}},
    ),
    _fault(
        "auth-scope-invalid",
        "auth.scope.invalid",
        "All notes stop after the scribe's release: the token request is refused for a scope.",
        certainty="likely",
        scribe={
            "scopes": ("system/DocumentReference.write", "system/Encounter.read", "system/MedicationRequest.write")
        },
    ),
    _fault(
        "auth-scope-withdrawn",
        "auth.scope.invalid",
        "All notes stop after the EHR team tidied up what the integration is registered for.",
        certainty="likely",
        ehr={"registered_scopes": ("system/DocumentReference.read", "system/Encounter.read", "system/Patient.read")},
    ),
    _fault(
        "auth-token-request-malformed",
        "auth.request.malformed",
        "No token since the scribe changed its HTTP library.",
        certainty="likely",
        needs=("logs",),
        scribe={"token_form": "json"},
    ),
    _fault(
        "auth-assertion-type-wrong",
        "auth.request.malformed",
        "A new scribe build asks for tokens and gets 400 each time.",
        certainty="likely",
        needs=("logs",),
        scribe={"token_form": "wrong_type"},
    ),
    _fault(
        "auth-assertion-lives-too-long",
        "auth.assertion.exp",
        "No token since the scribe's release: its assertions live for an hour.",
        needs=("assertion", "logs"),
        scribe={"assertion_life_s": 3600},
    ),
    _fault(
        "auth-clock-skew",
        "auth.assertion.clock_skew",
        "No token since the weekend, though nothing was changed; the EHR's clock is seven minutes ahead.",
        ehr={"clock_offset_s": 420.0},
    ),
    _fault(
        "auth-assertion-audience",
        "auth.assertion.aud",
        "A new integration gets no token: its assertion names the wrong audience.",
        needs=("assertion", "logs"),
        scribe={"audience": "base"},
    ),
    _fault(
        "auth-assertion-issuer",
        "auth.assertion.iss_sub",
        "No token since the scribe's release: issuer and subject of the assertion differ.",
        needs=("assertion", "logs"),
        scribe={"issuer": "other"},
    ),
    _fault(
        "auth-assertion-algorithm",
        "auth.assertion.alg_typ",
        "A new integration gets no token: it signs with RS256, which the EHR does not take.",
        scribe={"algorithm": "RS256"},
    ),
    _fault(
        "auth-key-not-published",
        "auth.assertion.kid",
        "All notes stop after a key rotation: the key in use is not in the published key set.",
        ehr={"jwks": "key_gone"},
    ),
    _fault(
        "auth-key-replaced",
        "auth.assertion.signature",
        "All notes stop after a key rotation that kept the key id.",
        ehr={"jwks": "key_replaced"},
    ),
    _fault(
        "auth-key-set-missing",
        "auth.jwks.unreachable",
        "All notes stop after a web site change: the key set's address answers 404.",
        ehr={"jwks": "not_found"},
    ),
    _fault(
        "auth-key-set-is-a-page",
        "auth.jwks.unreachable",
        "All notes stop: the key set now sits behind a sign-in page.",
        ehr={"jwks": "page"},
    ),
    _fault(
        "auth-key-set-certificate",
        "auth.jwks.unreachable",
        "All notes stop at night: the certificate of the key set's host has run out.",
        ehr={"tls_keys": "expired"},
    ),
    _fault(
        "auth-mfa-redirect",
        "auth.mfa.challenge",
        "One provider's notes stop since second factors were made mandatory.",
        ehr={"token_door": "redirect"},
        scribe=_GRANTED_LATE,
    ),
    _fault(
        "auth-mfa-page",
        "auth.mfa.challenge",
        "One provider's notes stop; the scribe's log holds a sign-in page instead of a token.",
        ehr={"token_door": "page"},
        scribe=_GRANTED_LATE,
    ),
    _fault(
        "auth-mfa-interaction",
        "auth.mfa.challenge",
        "One provider's notes stop: the token server wants him to act himself.",
        ehr={"token_door": "interaction"},
        scribe=_GRANTED_LATE,
    ),
    _fault(
        "auth-mfa-step-up",
        "auth.mfa.challenge",
        "Notes of one provider are refused with 401 although his token is fresh.",
        mode=REJECTED,
        ehr={"step_up": True, "refresh": "keep"},
        scribe=_GRANTED_LATE,
    ),
    _fault(
        "auth-secret-rotated",
        "auth.credential.rotated",
        "All notes stop minutes after the EHR team renewed the integration's secret.",
        certainty="likely",
        ehr={"secret_rotated": True},
        scribe={"flow": "client-secret"},
        story={"change": {"kind": "credential", "what": "client secret of {client}", "from": "1", "to": "2"}},
    ),
    _fault(
        "auth-api-key-missing",
        "auth.apikey.missing",
        "Every note is refused with 401 after the integration was moved to another server.",
        mode=REJECTED,
        ehr={"api_key_needed": True},
        scribe={"flow": "api-key", "send_api_key": False},
    ),
    _fault(
        "auth-practice-moved",
        "auth.practice.scope",
        "Every note is refused with 403 since the clinic was moved to another practice number.",
        mode=REJECTED,
        certainty="likely",
        ehr={"practice_moved": True},
        story={
            "vendor": "athenahealth",
            "with_practice_id": True,
            "change": {"kind": "endpoint", "what": "practice", "from": "{practice}", "to": "{other_practice}"},
        },
    ),
)
