"""Probe what the FHIR server says it can do: its capability statement, first without a token, then with one."""

from __future__ import annotations

from typing import Any

from diagnostics.case import Case
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.base import Key, Missing
from diagnostics.evidence.fhir import Capability, CapabilityFacts, Metadata, ResourceCapability
from diagnostics.evidence.network import TlsHandshake
from diagnostics.gather import Context
from diagnostics.net import Exchange
from diagnostics.parsing.fhir import read_resource
from diagnostics.probes.declare import probe
from diagnostics.probes.endpoints import FHIR
from diagnostics.probes.network import bound
from diagnostics.probes.seen import http_answer
from diagnostics.probes.token import credentials
from diagnostics.vocabulary import Step

_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
_MAX_RESOURCES = 400


def has_fhir(case: Case) -> bool:
    """Tell whether the integration has a FHIR base URL."""
    return bool(case.integration.fhir_base_url)


def accept(context: Context) -> str:
    """Return the media type the integration works with."""
    return context.case.integration.fhir_format or "application/fhir+json"


async def _get(context: Context, headers: dict[str, str]) -> Exchange:
    door, _ = bound(context)
    url = (context.case.integration.fhir_base_url or "").rstrip("/") + "/metadata"
    return await door.http("metadata", "GET", url, headers={"Accept": accept(context), **headers})


@probe(gives=Metadata, needs=(TlsHandshake,), step=Step.WRITE_BACK, at=FHIR, applies=has_fhir)
async def read_metadata(context: Context, tls: TlsHandshake) -> Metadata:
    """Ask for the capability statement as anybody may (FHIR: it needs no authorization)."""
    exchange = await _get(context, {})
    statement, problem = read_capability(exchange)
    keep = statement is None
    return Metadata(
        seen_from=context.vantage, answer=http_answer(exchange, keep_body=keep), capability=statement, problem=problem
    )


@probe(gives=Capability, needs=(Metadata,), wants=(TokenAnswer,), step=Step.WRITE_BACK, at=FHIR, applies=has_fhir)
async def read_capability_statement(
    context: Context, metadata: Metadata, token: TokenAnswer | None
) -> Capability | Missing:
    """Return the statement, asking again with the token where the server protects it."""
    if metadata.capability is not None:
        return Capability(seen_from=context.vantage, statement=metadata.capability)
    because = metadata.problem or "the server did not answer with a capability statement"
    if not metadata.protected or token is None:
        return Missing(Key(Capability), because, Capability.how_to_get, metadata.key)
    headers = await credentials(context, token)
    statement = None
    if headers:
        statement, because = read_capability(await _get(context, headers))
    if statement is None:
        return Missing(Key(Capability), because, Capability.how_to_get, metadata.key)
    return Capability(seen_from=context.vantage, statement=statement, with_token=True)


def read_capability(exchange: Exchange) -> tuple[CapabilityFacts | None, str]:
    """Return the statement's facts, or why the answer holds none."""
    if not exchange.ok:
        return None, f"the answer was {exchange.status}" if exchange.status else "no answer came"
    text = read_resource(exchange.body)
    if text.resource is None:
        return None, "; ".join(each.says for each in text.problems) or "the answer cannot be read"
    if text.resource_type not in ("CapabilityStatement", "Conformance"):
        kind = text.resource_type[:40]
        return None, f"the answer is {kind or 'no FHIR resource'}, not a CapabilityStatement"
    return _statement(text.resource), ""


def _statement(data: dict[str, Any]) -> CapabilityFacts:
    software, implementation = _dict(data.get("software")), _dict(data.get("implementation"))
    servers = [rest for rest in _dicts(data.get("rest")) if rest.get("mode", "server") == "server"]
    resources = [each for rest in servers for each in _dicts(rest.get("resource"))][:_MAX_RESOURCES]
    return CapabilityFacts(
        fhir_version=_text(data.get("fhirVersion")),
        software_name=_text(software.get("name")),
        software_version=_text(software.get("version")),
        release_date=_text(software.get("releaseDate")),
        description=_text(implementation.get("description")),
        implementation_url=_text(implementation.get("url")),
        formats=_texts(data.get("format")),
        resources=tuple(_resource(each) for each in resources if _text(each.get("type"))),
        token_endpoint=_oauth_uri(servers, "token"),
        dstu2=data.get("resourceType") == "Conformance",
    )


def _resource(data: dict[str, Any]) -> ResourceCapability:
    conditional = data.get("conditionalCreate")
    return ResourceCapability(
        type=_text(data.get("type")) or "",
        interactions=tuple(code for each in _dicts(data.get("interaction")) if (code := _text(each.get("code")))),
        conditional_create=conditional if isinstance(conditional, bool) else None,
        supported_profiles=_texts(data.get("supportedProfile")),
        search_params=tuple(name for each in _dicts(data.get("searchParam")) if (name := _text(each.get("name")))),
    )


def _oauth_uri(servers: list[dict[str, Any]], name: str) -> str | None:
    for rest in servers:
        for extension in _dicts(_dict(rest.get("security")).get("extension")):
            if extension.get("url") == _OAUTH_URIS:
                for part in _dicts(extension.get("extension")):
                    if part.get("url") == name:
                        return _text(part.get("valueUri"))
    return None


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value[:500] if isinstance(value, str) else None


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(each[:500] for each in value[:100] if isinstance(each, str)) if isinstance(value, list) else ()
