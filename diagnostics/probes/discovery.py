"""Probe the well-known addresses that announce where and how to sign in (SMART App Launch, OpenID, RFC 8414)."""

from __future__ import annotations

import asyncio
from typing import Any

from diagnostics.case import Case
from diagnostics.evidence.auth import Discovery, DiscoveryDocument
from diagnostics.evidence.network import TlsHandshake
from diagnostics.gather import Context
from diagnostics.net import Door, Exchange
from diagnostics.parsing.fhir import read_resource
from diagnostics.probes.declare import probe
from diagnostics.probes.endpoints import AUTHORIZATION, FHIR
from diagnostics.probes.seen import http_answer
from diagnostics.vocabulary import Step

SMART = "/.well-known/smart-configuration"
OPENID = "/.well-known/openid-configuration"


def _has_discovery(case: Case) -> bool:
    auth = case.integration.auth
    known = bool(case.integration.fhir_base_url or auth.authorization_server)
    return known and auth.flow not in ("none", "api-key")


@probe(gives=Discovery, needs=(TlsHandshake,), step=Step.AUTHENTICATION, at=AUTHORIZATION, applies=_has_discovery)
async def discover(context: Context, tls: TlsHandshake) -> Discovery:
    """Ask every place where the EHR may publish its sign-in configuration, all at once."""
    door: Door = context.door
    asked = _addresses(context)
    exchanges = await asyncio.gather(*(_get(door, url) for url in asked))
    documents = [
        found for url, exchange in zip(asked, exchanges, strict=True) if (found := _document(url, exchange)) is not None
    ]
    return Discovery(
        seen_from=context.vantage,
        answers=tuple(http_answer(each, keep_body=not each.ok) for each in exchanges),
        documents=tuple(documents),
    )


def _addresses(context: Context) -> list[str]:
    integration = context.case.integration
    base = integration.fhir_base_url
    server = integration.auth.authorization_server or base
    urls = []
    if base and context.at(FHIR):
        urls.append(base.rstrip("/") + SMART)
    if server:
        urls += [server.rstrip("/") + SMART, server.rstrip("/") + OPENID]
    return list(dict.fromkeys(urls))


async def _get(door: Door, url: str) -> Exchange:
    return await door.http("discovery", "GET", url, headers={"Accept": "application/json"})


def _document(url: str, exchange: Exchange) -> DiscoveryDocument | None:
    if not exchange.ok:
        return None
    data = read_resource(exchange.body).resource
    if data is None or not ({"token_endpoint", "issuer", "authorization_endpoint", "capabilities"} & data.keys()):
        return None
    return DiscoveryDocument(
        url=exchange.url,
        issuer=_text(data.get("issuer")),
        token_endpoint=_text(data.get("token_endpoint")),
        auth_methods=_texts(data.get("token_endpoint_auth_methods_supported")),
        signing_algorithms=_texts(data.get("token_endpoint_auth_signing_alg_values_supported")),
        scopes=_texts(data.get("scopes_supported")),
        grants=_texts(data.get("grant_types_supported")),
        capabilities=_texts(data.get("capabilities")),
        introspection_endpoint=_text(data.get("introspection_endpoint")),
    )


def _text(value: Any) -> str | None:
    return value[:2000] if isinstance(value, str) else None


def _texts(value: Any) -> tuple[str, ...] | None:
    return tuple(each for each in value[:500] if isinstance(each, str)) if isinstance(value, list) else None
