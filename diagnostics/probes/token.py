"""Probe the token endpoint with the integration's own credential, as the scribe would ask."""

from __future__ import annotations

import base64
import json
import time
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus, urlencode

from diagnostics.case import Auth, Case
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.base import Key, Missing
from diagnostics.evidence.network import TlsHandshake
from diagnostics.gather import Context
from diagnostics.net import Door, Exchange
from diagnostics.parsing.jwt import read_jwt, sign
from diagnostics.probes.declare import probe
from diagnostics.probes.endpoints import TOKEN
from diagnostics.probes.network import bound
from diagnostics.probes.seen import http_answer
from diagnostics.vocabulary import Step

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_ASSERTION_LIFE_S = 240
_CLAIMS_KEPT = ("exp", "iat", "nbf", "aud", "scope", "scp")


@dataclass(frozen=True)
class TokenRequest:
    """Be a token request ready to send; its form and headers hold secrets."""

    grant: str
    form: dict[str, str] = field(repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    assertion_header: dict[str, Any] = field(default_factory=dict)
    assertion_claims: dict[str, Any] = field(default_factory=dict)


def _asks_for_tokens(case: Case) -> bool:
    return case.integration.auth.flow not in ("none", "api-key")


@probe(gives=TokenAnswer, needs=(TlsHandshake,), step=Step.AUTHENTICATION, at=TOKEN, applies=_asks_for_tokens)
async def ask_for_token(context: Context, tls: TlsHandshake) -> TokenAnswer | Missing:
    """Ask for a token once; a refresh token is used at most once in a run, because using it may burn it."""
    door, _ = bound(context)
    auth = context.case.integration.auth
    try:
        request = prepare(auth)
    except ValueError as error:
        return Missing(Key(TokenAnswer), str(error), TokenAnswer.how_to_get)
    if request.grant == "refresh_token" and not context.once("refresh_token"):
        return Missing(Key(TokenAnswer), "the refresh token was used by an interrupted run and is not used again")
    exchange = await request_token(door, auth, request)
    data = _json(exchange)
    granted = door.access_token is not None
    issued = read_jwt(door.access_token or "")
    given = data.get("refresh_token")
    return TokenAnswer(
        seen_from=context.vantage,
        flow=auth.flow,
        grant=request.grant,
        answer=http_answer(exchange, keep_body=not granted),
        granted=granted,
        problem="" if granted or not exchange.ok else "the answer holds no access token",
        expires_in=_seconds(data.get("expires_in")),
        scope=data["scope"] if isinstance(data.get("scope"), str) else None,
        requested_scope=" ".join(auth.scopes),
        token_form=("jwt" if issued else "opaque") if granted else "",
        token_claims={k: v for k, v in issued.claims.items() if k in _CLAIMS_KEPT} if issued else {},
        refresh_rotated=given != auth.refresh_token if isinstance(given, str) else None,
        assertion_header=request.assertion_header,
        assertion_claims=request.assertion_claims,
    )


def prepare(auth: Auth) -> TokenRequest:
    """Build the request of the configured flow; raises ValueError saying what the case lacks."""
    if not auth.client_id:
        raise ValueError("the integration names no client id")
    form = {"scope": " ".join(auth.scopes)} if auth.scopes else {}
    if auth.flow == "provider-context":
        if not auth.refresh_token:
            raise ValueError("the case holds no refresh token")
        form = {"grant_type": "refresh_token", "refresh_token": auth.refresh_token}
        return _with_secret(auth, "refresh_token", form)
    form["grant_type"] = "client_credentials"
    if auth.flow == "backend-services":
        return _with_assertion(auth, form)
    if not auth.client_secret:
        raise ValueError("the case holds no client secret")
    return _with_secret(auth, "client_credentials", form)


def authenticated(auth: Auth, form: dict[str, str]) -> TokenRequest | None:
    """Return a form with the client's own proof, as RFC 7662 section 2.1 asks for; None where the client has none."""
    if auth.flow == "backend-services" and auth.private_key:
        return _with_assertion(auth, form)
    return _with_secret(auth, "introspection", form) if auth.client_secret and auth.client_id else None


def _with_assertion(auth: Auth, form: dict[str, str]) -> TokenRequest:
    if not auth.private_key:
        raise ValueError("the case holds no private key to sign with")
    algorithm = auth.algorithm or ("ES384" if b"EC PRIVATE" in auth.private_key else "RS384")
    header = {"alg": algorithm, "typ": "JWT", **({"kid": auth.key_id} if auth.key_id else {})}
    claims = {
        "iss": auth.client_id,
        "sub": auth.client_id,
        "aud": auth.audience or auth.token_url,
        "jti": str(uuid.uuid4()),
        "exp": int(time.time()) + _ASSERTION_LIFE_S,
    }
    form["client_assertion_type"] = ASSERTION_TYPE
    form["client_assertion"] = sign(header, claims, auth.private_key)
    kept = {name: value for name, value in claims.items() if name != "jti"}
    return TokenRequest("client_credentials", form, {}, header, kept)


def _with_secret(auth: Auth, grant: str, form: dict[str, str]) -> TokenRequest:
    # RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined for Basic.
    if not auth.client_secret:
        return TokenRequest(grant, {**form, "client_id": auth.client_id or ""})
    if auth.auth_method == "client_secret_post":
        return TokenRequest(grant, {**form, "client_id": auth.client_id or "", "client_secret": auth.client_secret})
    pair = f"{quote_plus(auth.client_id or '')}:{quote_plus(auth.client_secret)}"
    basic = base64.b64encode(pair.encode("ascii")).decode("ascii")
    return TokenRequest(grant, form, {"Authorization": f"Basic {basic}"})


def _seconds(value: object) -> float | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return float(value[:9])
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value < 1e9 else None


async def credentials(context: Context, token: TokenAnswer | None) -> dict[str, str] | None:
    """Return the headers that authorize a FHIR request, or None where the token of an interrupted run is gone.

    Credentials that may be used again (not a refresh token) are used again then.
    """
    auth = context.case.integration.auth
    headers: dict[str, str] = {}
    if auth.api_key:
        headers[auth.api_key_header or "x-api-key"] = auth.api_key
    if token is None:
        return headers
    door: Door = context.door
    if door.access_token is None and token.grant != "refresh_token":
        await request_token(door, auth, prepare(auth))
    if door.access_token is None:
        return None
    headers["Authorization"] = f"Bearer {door.access_token}"
    return headers


async def request_token(door: Door, auth: Auth, request: TokenRequest) -> Exchange:
    """Post one token request; the answer's token is kept in the door only."""
    exchange = await door.http(
        "token",
        "POST",
        auth.token_url or "",
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", **request.headers},
        content=urlencode(request.form).encode("ascii"),
    )
    token = _json(exchange).get("access_token") if exchange.ok else None
    door.access_token = token if isinstance(token, str) and token else None
    return exchange


def _json(exchange: Exchange) -> dict[str, Any]:
    try:
        data = json.loads(exchange.body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
