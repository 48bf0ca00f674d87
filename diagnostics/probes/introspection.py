"""Probe what the authorization server itself says of the token it granted (RFC 7662)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from diagnostics.case import Auth, Case
from diagnostics.evidence.auth import Discovery, TokenAnswer, TokenIntrospection
from diagnostics.evidence.base import Key, Missing
from diagnostics.gather import NO_SUCH_THING, Context
from diagnostics.net import Door, Exchange
from diagnostics.probes.declare import probe
from diagnostics.probes.seen import http_answer
from diagnostics.probes.token import authenticated
from diagnostics.vocabulary import Step


def _has_tokens(case: Case) -> bool:
    return case.integration.auth.flow not in ("none", "api-key")


@probe(
    gives=TokenIntrospection, needs=(TokenAnswer,), wants=(Discovery,), step=Step.AUTHENTICATION, applies=_has_tokens
)
async def introspect(
    context: Context, token: TokenAnswer | None, discovery: Discovery | None
) -> TokenIntrospection | Missing:
    """Ask once, only where discovery names an endpoint beside the token endpoint: a token is shown to nobody else."""
    key = Key(TokenIntrospection)
    auth = context.case.integration.auth
    url = discovery.introspection_endpoint if discovery is not None else None
    door: Door = context.door
    if url is None:
        return Missing(key, NO_SUCH_THING)
    if not _beside(url, auth):
        return Missing(key, "the introspection endpoint is not on the token server's host, so no token is shown to it")
    request = authenticated(auth, {"token": door.access_token or "", "token_type_hint": "access_token"})
    if door.access_token is None or request is None:
        return Missing(key, "there is no token, or no credential to ask about it with", TokenIntrospection.how_to_get)
    exchange = await door.http(
        "introspection",
        "POST",
        url,
        headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json", **request.headers},
        content=urlencode(request.form).encode("ascii"),
    )
    data = _json(exchange)
    active = data.get("active")
    return TokenIntrospection(
        seen_from=context.vantage,
        answer=http_answer(exchange, keep_body=not exchange.ok),
        active=active if isinstance(active, bool) else None,
        scope=data["scope"][:2000] if isinstance(data.get("scope"), str) else None,
        expires_at=_instant(data.get("exp")),
    )


def _beside(url: str, auth: Auth) -> bool:
    """Tell whether an address is on the host of the configured token endpoint or authorization server, as safely."""
    asked = _place(url)
    return asked is not None and asked in {_place(auth.token_url), _place(auth.authorization_server)}


def _place(url: str | None) -> tuple[str, str, int | None] | None:
    try:
        parts = urlsplit(url or "")
        default = {"https": 443, "http": 80}.get(parts.scheme)
        return (parts.scheme, (parts.hostname or "").lower(), parts.port or default) if parts.hostname else None
    except ValueError:
        return None


def _json(exchange: Exchange) -> dict[str, Any]:
    if not exchange.ok:
        return {}
    try:
        data = json.loads(exchange.body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _instant(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
