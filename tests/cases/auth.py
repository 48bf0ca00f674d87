"""Step 1: tokens, assertions, key sets, refresh and sign-in, as logs and captured assertions show them."""

import base64
import json
from typing import Any

from tests.cases.building import TOKEN_URL, Story, Trial, outcome

INVALID = "invalid_client"


def jwt(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """A client assertion whose signature is left empty, good at 17:00:03 unless changed; None removes a claim."""
    head = {"alg": "RS384", "typ": "JWT", "kid": "2026-05"} | (header or {})
    body = {
        "iss": "scribe-writer",
        "sub": "scribe-writer",
        "aud": TOKEN_URL,
        "jti": "5f0c2d",
        "iat": 1795366803,  # 2026-11-22T17:00:03Z
        "exp": 1795367043,
    } | claims
    parts = ({k: v for k, v in part.items() if v is not None} for part in (head, body))
    return ".".join(base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts) + "."


def refused_with(assertion: str, error: Any = None, status: int = 400, **integration: Any) -> Story:
    """A token request refused as servers do: `invalid_client` and no word why."""
    story = Story(integration={"auth": {"assertion_file": "assertion.jwt"}} | integration)
    story.files["assertion.jwt"] = assertion
    return story.made().token_refused(status, error or {"error": INVALID})


def expired() -> list[Trial]:
    why = "2.1 auth.token.expired; section 5 row 7"
    bearer = {"www-authenticate": 'Bearer realm="fhir", error="invalid_token", error_description="token expired"'}
    plain = Story().s("17:00:00", "generated").token("16:40:00").sent().refused(401, "", response_headers=bearer)
    body = outcome("expired", "Access token expired")
    acked = Story().made().token("16:30:00", expires_in=600).sent().s("17:00:06", "acked", status=401, error=body)
    epic = Story(vendor="epic").made().token("15:59:58", expires_in=3600, token_id="9c1f")
    epic.sent(token_id="9c1f").refused(401, "", response_headers={"www-authenticate": 'Bearer error="invalid_token"'})
    tied = Story().made()
    tied.token("16:20:00", note_id="N-88", token_id="old").token("16:58:00", note_id="N-99", token_id="other-app")
    tied.sent(token_id="old").refused(401, "", response_headers=bearer).e("17:00:05", "rejected", status=401)
    zone = Story().s("2026-11-22T12:00:00-05:00", "generated").token("2026-11-22T11:50:00-05:00")
    zone.sent("2026-11-22T12:00:05-05:00").refused(401, "", "2026-11-22T12:00:06-05:00", response_headers=bearer)
    many = Story().s("17:00:00", "generated").token("16:40:00")
    for n, time in enumerate(("17:00:05", "17:01:05", "17:05:05"), 1):
        many.sent(time, attempt=n).refused(401, "", time[:-1] + "6", response_headers=bearer, attempt=n)
    return [
        plain.expect("token_expired", "auth.token.expired", "rejected", why, certainty=("proven",)),
        acked.expect("token_expired_logged_as_acked", "auth.token.expired", "rejected", why),
        epic.expect("token_expired_after_an_hour", "auth.token.expired", "rejected", why),
        tied.expect("token_expired_by_its_own_fingerprint", "auth.token.expired", "rejected", why),
        zone.expect("token_expired_in_local_time", "auth.token.expired", "rejected", why),
        many.expect("token_expired_three_attempts", "auth.token.expired", "rejected", why),
    ]


def tokens() -> list[Trial]:
    why = "2.1; section 5 row 3"
    ttl = Story().s("17:00:00", "generated")
    for hour in range(8, 15):
        ttl.token(f"{hour:02}:00:00", expires_in=3600, token_id=f"t{hour}")
    ttl.change("14:30:00", "upgrade", "authorization server", "8.1", "8.2").token("16:30:00", token_id="new")
    ttl.sent(token_id="new")
    ttl.refused(401, "", response_headers={"www-authenticate": 'Bearer error="invalid_token"'})
    user = {"auth": {"flow": "provider-context", "refresh_token": "rt-planted-value"}}
    refresh = (
        Story(integration=user)
        .made()
        .token_refused(
            400, {"error": "invalid_grant", "error_description": "The refresh token is invalid or has been revoked."}
        )
    )
    entra = (
        Story(integration=user)
        .made()
        .token_refused(
            400,
            {
                "error": "invalid_grant",
                "error_description": "AADSTS700082: The refresh token has expired due to inactivity. Issued "
                "on 2026-06-01T08:00:00Z and was inactive for 90.00:00:00.",
            },
        )
    )
    okta = Story(vendor="athenahealth", integration=user).made()
    okta.token_refused(400, {"error": "invalid_grant", "error_description": "The refresh token is invalid or expired."})
    secret = {"auth": {"flow": "client-secret", "client_secret": "planted"}}
    client = (
        Story(integration=secret)
        .made()
        .token_refused(401, {"error": INVALID, "error_description": "Client authentication failed"})
    )
    shared = Story(integration=secret).made().token_refused(401, {"error": INVALID}, note_id=None)
    scope = Story().made().token_refused(400, {"error": "invalid_scope", "error_description": "system/Foo.c"})
    ecw = (
        Story(vendor="eclinicalworks")
        .made()
        .token_refused(
            400, {"error": "invalid_grant", "error_description": "Invalid scope requested: system/Group.read"}
        )
    )
    grant = Story().made().token_refused(400, {"error": "unsupported_grant_type"}, content_type="application/json")
    request = (
        Story()
        .made()
        .token_refused(400, {"error": "invalid_request", "error_description": "client_assertion_type is missing"})
    )
    moved = Story().change(
        "02:00:00", "endpoint", "token endpoint", TOKEN_URL, "https://id.northcampus.example/v2/token"
    )
    moved.made().token_refused(404, "<html><head><title>404 Not Found</title></head></html>")
    return [
        ttl.expect("token_lifetime_cut_by_upgrade", ("auth.token.expired", "auth.token.ttl_changed"), "rejected", why),
        refresh.expect("refresh_token_revoked", "auth.refresh.invalid", "never_sent", why),
        entra.expect("refresh_token_inactive", "auth.refresh.invalid", "never_sent", why),
        okta.expect("refresh_token_expired", "auth.refresh.invalid", "never_sent", why),
        client.expect("client_secret_wrong", "auth.client.invalid", "never_sent", why),
        shared.expect("client_secret_wrong_row_without_note", "auth.client.invalid", "never_sent", why),
        scope.expect("scope_not_registered", "auth.scope.invalid", "never_sent", why),
        ecw.expect("scope_message_as_invalid_grant", "auth.scope.invalid", "never_sent", "2.1 auth.scope.invalid: eCW"),
        grant.expect("token_request_posted_as_json", "auth.request.malformed", "never_sent", why),
        request.expect("assertion_type_missing", "auth.request.malformed", "never_sent", why),
        moved.expect("token_endpoint_moved", "auth.discovery.token_endpoint_changed", "never_sent", "2.1", sure=False),
    ]


def accounts() -> list[Trial]:
    why = "2.1"
    off = Story().change("09:00:00", "credential", "client scribe-writer deactivated", "active", "disabled")
    off.e("16:50:00", "token", transaction_id=None, client_id="lab-router", status=200)
    off.made().token_refused(401, {"error": "unauthorized_client", "error_description": "Client is disabled"})
    review = Story(vendor="eclinicalworks")
    review.change("08:00:00", "credential", "quarterly access review: service account svc-scribe", "active", "inactive")
    review.made().token_refused(500, {"error": "access_denied"})
    rotated = Story(integration={"auth": {"flow": "client-secret"}})
    rotated.token("09:00:00", note_id="N-90").change("12:00:00", "credential", "client secret", "v3", "v4")
    rotated.made().token_refused(401, {"error": INVALID})
    wrong = (
        Story(vendor="epic")
        .made()
        .token_refused(
            400,
            {"error": INVALID, "error_description": "Non-production client ID used against a production environment"},
        )
    )
    key = Story(vendor="eclinicalworks", integration={"auth": {"api_key_header": "x-api-key"}})
    key.made().token().sent().refused(401, '{"message":"No API key found in request"}')
    stale = Story(vendor="eclinicalworks", integration={"auth": {"api_key": "planted", "api_key_header": "x-api-key"}})
    stale.made().token().sent().refused(403, '{"message":"API key has expired"}')
    athena = (
        Story(
            vendor="athenahealth",
            base="https://api.platform.athenahealth.com/fhir/r4",
            integration={
                "auth": {"practice_id": "195900"},
                "write_url": "https://api.platform.athenahealth.com/v1/204455/patients/P-100/documents/clinicaldocument",
            },
        )
        .made()
        .token()
    )
    url = "https://api.platform.athenahealth.com/v1/204455/patients/P-100/documents/clinicaldocument"
    athena.sent(url=url).refused(403, '{"error":"Access denied for this practice"}', url=url)
    moved = Story(vendor="athenahealth", integration={"auth": {"practice_id": "195900"}})
    moved.change("03:00:00", "endpoint", "practice migration", "195900", "204455").made().token()
    moved.sent().refused(400, outcome("business-rule", "Invalid FHIR request"))
    mixed = ("auth.client.deactivated", "perm.account.inactive")
    return [
        off.expect("client_disabled_by_event", "auth.client.deactivated", "never_sent", why),
        review.expect("access_review_disabled_account", mixed, "never_sent", why + "; trap 6: access_denied as 500"),
        rotated.expect("secret_rotated", ("auth.credential.rotated", "auth.client.invalid"), "never_sent", why),
        wrong.expect("non_production_client_id", "auth.client.wrong_environment", "never_sent", why),
        key.expect("api_key_missing", "auth.apikey.missing", "rejected", why),
        stale.expect("api_key_expired", "auth.apikey.missing", "rejected", why),
        athena.expect("other_practice_in_url", "auth.practice.scope", "rejected", why),
        moved.expect("practice_migrated", "auth.practice.scope", "rejected", why + ", 3.3 athena 400", sure=False),
    ]


def assertions() -> list[Trial]:
    why = "2.1 assertion rows: the captured assertion proves it, not the words of the answer"
    skew = (
        Story()
        .made()
        .token_refused(400, {"error": INVALID}, response_headers={"date": "Sun, 22 Nov 2026 16:52:04 GMT"})
    )
    told = [
        ("jti_seen_before", {"error": INVALID, "error_description": "JWT ID (jti) has already been used"}, "jti_reuse"),
        (
            "jti_replay",
            {"error": "invalid_grant", "error_description": "assertion replay detected: jti 5f0c2d"},
            "jti_reuse",
        ),
        (
            "signature_refused",
            {"error": INVALID, "error_description": "Invalid signature: JWT signature does not match"},
            "signature",
        ),
        ("kid_unknown", {"error": INVALID, "error_description": "Public key with kid '2026-05' not found"}, "kid"),
        ("audience_refused", {"error": INVALID, "error_description": "Invalid aud claim in client assertion"}, "aud"),
        (
            "assertion_too_old",
            {"error": INVALID, "error_description": "client_assertion expired: exp is in the past"},
            "exp",
        ),
    ]
    spoken = [
        Story().made().token_refused(401, body).expect(name, f"auth.assertion.{cause}", "never_sent", "2.1; text")
        for name, body, cause in told
    ]
    jwks = (
        Story()
        .made()
        .token_refused(
            401,
            {
                "error": INVALID,
                "error_description": "Unable to retrieve JWK Set from https://keys.scribe.example/jwks.json: 404",
            },
        )
    )
    held = [
        ("assertion_lives_an_hour", jwt(exp=1795366803 + 3600), "exp"),
        ("assertion_expired_already", jwt(iat=1795366203, exp=1795366443), "exp"),
        ("assertion_without_exp", jwt(exp=None), "exp"),
        ("assertion_aud_is_fhir_base", jwt(aud="https://fhir.northcampus.example/r4"), "aud"),
        ("assertion_aud_trailing_slash", jwt(aud=TOKEN_URL + "/"), "aud"),
        ("assertion_iss_differs", jwt(iss="scribe-platform"), "iss_sub"),
        ("assertion_of_another_client", jwt(iss="scribe-test", sub="scribe-test"), "iss_sub"),
        ("assertion_hs256", jwt({"alg": "HS256"}), "alg_typ"),
        ("assertion_typ_wrong", jwt({"typ": "at+jwt"}), "alg_typ"),
        ("assertion_without_kid", jwt({"kid": None}), "kid"),
    ]
    proven = [
        refused_with(text).expect(name, f"auth.assertion.{cause}", "never_sent", why) for name, text, cause in held
    ]
    return [
        *proven,
        *spoken,
        refused_with(jwt({"alg": "ES384"}), vendor="eclinicalworks").expect(
            "assertion_es384_where_only_rs384", "auth.assertion.alg_typ", "never_sent", "2.1; 3.1 eCW RS384 only"
        ),
        skew.expect(
            "scribe_clock_eight_minutes_ahead", "auth.assertion.clock_skew", "never_sent", "2.1 clock_skew > 300 s"
        ),
        jwks.expect("key_set_not_retrievable", "auth.jwks.unreachable", "never_sent", "2.1 auth.jwks.unreachable"),
    ]


def sign_in() -> list[Trial]:
    why = "2.1 auth.mfa.challenge; anchors 6 no. 5"
    user = {"auth": {"flow": "provider-context"}}
    page = (
        "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form action='/adfs/ls'><input type='password'>"
    )
    html = {"content-type": "text/html; charset=utf-8"}
    away = {"location": "https://login.microsoftonline.com/common/oauth2/authorize?client_id=x"}
    entra = (
        Story(integration=user)
        .made()
        .token_refused(
            400,
            {
                "error": "invalid_grant",
                "error_description": "AADSTS50076: Due to a configuration change by your administrator, you must use "
                "multi-factor authentication to access the resource.",
            },
        )
    )
    inter = Story(integration=user).made().token_refused(400, {"error": "interaction_required"})
    login = Story(integration=user).made().token().sent().refused(401, page, response_headers=html)
    okay = (
        Story(integration=user)
        .made()
        .token()
        .sent()
        .s("17:00:06", "acked", status=200, error=page, response_headers=html)
    )
    moved = Story(integration=user).made().token().sent().refused(302, "", response_headers=away)
    step_up = (
        Story(integration=user)
        .made()
        .token()
        .sent()
        .refused(
            401,
            "",
            response_headers={"www-authenticate": 'Bearer error="insufficient_user_authentication", acr_values="mfa"'},
        )
    )
    return [
        entra.expect("entra_wants_second_factor", "auth.mfa.challenge", "never_sent", why),
        inter.expect("interaction_required", "auth.mfa.challenge", "never_sent", why),
        login.expect("login_page_with_401", "auth.mfa.challenge", "rejected", why),
        okay.expect("login_page_with_200", "auth.mfa.challenge", "rejected", why),
        moved.expect("redirect_to_identity_provider", "auth.mfa.challenge", "rejected", why),
        step_up.expect("step_up_wanted", "auth.mfa.challenge", "rejected", why),
    ]


def trials() -> list[Trial]:
    return [*expired(), *tokens(), *accounts(), *assertions(), *sign_in()]
