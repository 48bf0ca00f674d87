"""Name the endpoints that an integration talks to, each host and port once with all its roles."""

from __future__ import annotations

from urllib.parse import urlsplit

from diagnostics.case import Case, Integration
from diagnostics.probes.declare import Endpoint

FHIR, WRITE, TOKEN, AUTHORIZATION, JWKS, MLLP = "fhir", "write", "token", "authorization", "jwks", "mllp"


def endpoints_of(case: Case) -> tuple[Endpoint, ...]:
    """Return the endpoints in the order in which a note passes them; an address that is none is left out."""
    integration = case.integration
    found: dict[tuple[str, int], Endpoint] = {}
    for role, url in _addresses(integration):
        _add(found, role, url, integration.proxy)
    hl7 = integration.hl7
    if integration.protocol == "hl7v2" and hl7.host and hl7.port:
        host = hl7.host.strip("[]")
        found[host, hl7.port] = Endpoint(host, hl7.port, hl7.tls, (MLLP,), None)
    return tuple(found.values())


def _addresses(integration: Integration) -> list[tuple[str, str]]:
    auth = integration.auth
    token_needed = auth.flow not in ("none", "api-key")
    pairs = [
        (TOKEN, auth.token_url if token_needed else None),
        (AUTHORIZATION, auth.authorization_server or integration.fhir_base_url if token_needed else None),
        (FHIR, integration.fhir_base_url),
        (WRITE, integration.write_url),
        (JWKS, auth.jwks_url if auth.flow == "backend-services" else None),
    ]
    return [(role, url) for role, url in pairs if url]


def _add(found: dict[tuple[str, int], Endpoint], role: str, url: str, proxy: str | None) -> None:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return
    if parts.scheme not in ("http", "https") or not host:
        return
    secure = parts.scheme == "https"
    place = (host, port or (443 if secure else 80))
    held = found.get(place)
    roles = (*held.roles, role) if held and role not in held.roles else held.roles if held else (role,)
    found[place] = Endpoint(host, place[1], secure or bool(held and held.tls), roles, proxy)
