"""Probe the client's own key set, as the EHR would fetch it: without any credential, without following redirects."""

from __future__ import annotations

import base64
import hashlib
import json
import re

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from diagnostics.case import Auth, Case
from diagnostics.evidence.auth import ClientKeySet, PublishedKey
from diagnostics.evidence.network import TlsHandshake
from diagnostics.gather import Context
from diagnostics.parsing.jwks import KeySet, PublicKey, read_jwks
from diagnostics.parsing.jwt import private_key, read_jwt, verifies
from diagnostics.probes.declare import probe
from diagnostics.probes.endpoints import JWKS
from diagnostics.probes.network import bound
from diagnostics.probes.seen import http_answer
from diagnostics.vocabulary import Step


def _has_key_set(case: Case) -> bool:
    auth = case.integration.auth
    return auth.flow == "backend-services" and bool(auth.jwks_url)


@probe(gives=ClientKeySet, needs=(TlsHandshake,), step=Step.AUTHENTICATION, at=JWKS, applies=_has_key_set)
async def fetch_key_set(context: Context, tls: TlsHandshake) -> ClientKeySet:
    """Fetch the key set and compare it with the key and the assertion of the case."""
    door, _ = bound(context)
    auth = context.case.integration.auth
    exchange = await door.http("key set", "GET", auth.jwks_url or "", headers={"Accept": "application/json"})
    keys = read_jwks(exchange.body) if exchange.ok else KeySet()
    return ClientKeySet(
        seen_from=context.vantage,
        answer=http_answer(exchange, keep_body=not exchange.ok or bool(keys.problem)),
        keys=tuple(
            PublishedKey(key.kid, key.kty, key.alg, key.use, key.exposed, thumbprint(key.members)) for key in keys.keys
        ),
        problem=keys.problem,
        max_age_s=_max_age(exchange.headers.get("cache-control", "")),
        own_key=own_thumbprint(auth),
        assertion_verifies=_assertion_verifies(auth, keys),
    )


def thumbprint(members: object) -> str:
    """Return the RFC 7638 thumbprint of a public key, or an empty string for one that is damaged."""
    if not isinstance(members, dict):
        return ""
    required = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}.get(str(members.get("kty")), ())
    if not required or not all(isinstance(members.get(name), str) for name in required):
        return ""
    plain = json.dumps({name: members[name] for name in required}, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(plain.encode()).digest()).decode("ascii").rstrip("=")


def own_thumbprint(auth: Auth) -> str:
    """Return the thumbprint of the private key the integration signs with, or an empty string."""
    for kind in (RSAKey, ECKey):
        if auth.private_key is None:
            return ""
        try:
            return thumbprint(private_key(kind, auth.private_key).as_dict(private=False))
        except (JoseError, ValueError, TypeError):
            continue
    return ""


def _assertion_verifies(auth: Auth, keys: KeySet) -> bool | None:
    token = read_jwt(auth.assertion) if auth.assertion else None
    if token is None or not token.signed:
        return None
    kid, algorithm = token.header.get("kid"), str(token.header.get("alg", ""))
    candidates: tuple[PublicKey, ...] = keys.with_id(kid if isinstance(kid, str) else None, algorithm)
    return verifies(token, candidates[0]) if len(candidates) == 1 else None


def _max_age(header: str) -> int | None:
    match = re.search(r"max-age=(\d{1,9})", header)
    return int(match.group(1)) if match else None
