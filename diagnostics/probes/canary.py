"""Probe whether a note can really be written: one create for the test patient, read back, then withdrawn.

Never the note's own text or patient, at most one create in a run, never sent again: an answer that was lost is read
back by our own identifier, and what that does not show stays unknown.
"""

from __future__ import annotations

import base64
import json
import uuid
from typing import Any
from urllib.parse import quote

from diagnostics.case import CanaryTarget, Case
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.base import Key, Missing
from diagnostics.evidence.fhir import CanaryWrite, Metadata
from diagnostics.evidence.network import TlsHandshake
from diagnostics.gather import Context
from diagnostics.net import Exchange
from diagnostics.parsing.fhir import read_resource
from diagnostics.probes.declare import probe
from diagnostics.probes.endpoints import FHIR, WRITE
from diagnostics.probes.metadata import accept
from diagnostics.probes.network import bound
from diagnostics.probes.reads import fetch
from diagnostics.probes.seen import http_answer
from diagnostics.probes.token import credentials
from diagnostics.vocabulary import Step

SYSTEM = "urn:notetrace:canary"
_TEXT = "Test document written by NoteTrace for a test patient. It holds no clinical content."


def _may_write(case: Case) -> bool:
    integration = case.integration
    return case.allow_writes and integration.protocol == "fhir" and integration.canary is not None


@probe(
    gives=CanaryWrite,
    needs=(TlsHandshake, TokenAnswer),
    wants=(Metadata,),
    step=Step.WRITE_BACK,
    at=FHIR,
    applies=_may_write,
)
async def write_canary(
    context: Context, tls: TlsHandshake, token: TokenAnswer | None, metadata: Metadata | None
) -> CanaryWrite | Missing:
    """Create the canary once; where an interrupted run may have done so, look for it instead and withdraw it."""
    target = context.case.integration.canary
    headers = await credentials(context, token)
    if target is None or headers is None:
        return Missing(Key(CanaryWrite), "there is no token to write with")
    kind = "DocumentReference"
    if not context.once("canary"):
        found = await _find(context, headers, kind, target)
        gone = await _withdraw(context, headers, found) if found else None
        return CanaryWrite(
            seen_from=context.vantage, state="earlier", resource_type=kind, found=found is not None, withdrawn=gone
        )
    identifier = str(uuid.uuid4())
    exchange = await _create(context, headers, kind, canary_document(target, identifier, context.case))
    answer = http_answer(exchange, keep_body=not exchange.ok)
    lost = exchange.status is None
    if lost and (exchange.fault is None or not exchange.fault.request_may_have_arrived):
        return CanaryWrite(seen_from=context.vantage, state="unknown", resource_type=kind, answer=answer, found=None)
    if not lost and not exchange.ok and exchange.status is not None and exchange.status < 500:
        return CanaryWrite(seen_from=context.vantage, state="refused", resource_type=kind, answer=answer)
    back, found = await _read_back(context, headers, exchange, kind, identifier, target)
    gone = await _withdraw(context, headers, found) if found else None
    state = "written" if exchange.ok or found else "unknown" if lost else "refused"
    return CanaryWrite(
        seen_from=context.vantage,
        state=state,
        resource_type=kind,
        answer=answer,
        read_back=http_answer(back, keep_body=not back.ok),
        found=found is not None,
        withdrawn=gone,
    )


def canary_document(target: CanaryTarget, identifier: str, case: Case) -> dict[str, Any]:
    """Return a document that every US Core server takes, for the test patient only."""
    content_type = "text/plain;charset=utf-8" if case.vendor.charset_required else "text/plain"
    now = case.now.isoformat()
    document: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "identifier": [{"system": SYSTEM, "value": identifier}],
        "status": "current",
        "docStatus": "final",
        "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3", "display": "Progress note"}]},
        "category": [{"coding": [{
            "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
            "code": "clinical-note",
        }]}],
        "subject": {"reference": target.patient},
        "date": now,
        "content": [{"attachment": {
            "contentType": content_type,
            "data": base64.b64encode(_TEXT.encode()).decode("ascii"),
        }}],
    }  # fmt: skip
    if target.encounter:
        document["context"] = {"encounter": [{"reference": target.encounter}], "period": {"start": now, "end": now}}
    return document


def _write_url(context: Context, kind: str) -> str:
    integration = context.case.integration
    if integration.write_url and context.at(WRITE):
        return integration.write_url
    return f"{(integration.fhir_base_url or '').rstrip('/')}/{kind}"


async def _create(context: Context, headers: dict[str, str], kind: str, document: dict[str, Any]) -> Exchange:
    door, _ = bound(context)
    sent = {"Accept": accept(context), "Content-Type": "application/fhir+json", "Prefer": "return=minimal", **headers}
    return await door.http(
        "canary", "POST", _write_url(context, kind), headers=sent, content=json.dumps(document).encode()
    )


async def _read_back(
    context: Context, headers: dict[str, str], created: Exchange, kind: str, identifier: str, target: CanaryTarget
) -> tuple[Exchange, dict[str, Any] | None]:
    location = created.headers.get("location", "").split("/_history/")[0].rstrip("/")
    if created.ok and location.split("/")[-2:-1] == [kind]:
        exchange = await fetch(context, "/".join(location.split("/")[-2:]), headers, "canary read-back")
        resource = read_resource(exchange.body).resource if exchange.ok else None
        return exchange, resource if resource and resource.get("resourceType") == kind else None
    query = f"&identifier={quote(f'{SYSTEM}|{identifier}', safe='')}"
    exchange, ours = await _search(context, headers, kind, query, target)
    mine = [
        each for each in ours if any(isinstance(i, dict) and i.get("value") == identifier for i in each["identifier"])
    ]
    return exchange, mine[0] if mine else None


async def _find(context: Context, headers: dict[str, str], kind: str, target: CanaryTarget) -> dict[str, Any] | None:
    """Return a canary of ours that an interrupted run may have left, one still current before one withdrawn.

    Its value is not known any more, so the test patient's documents are asked for by our system, then all of them:
    not every server takes a token without a value.
    """
    left: list[dict[str, Any]] = []
    for query in (f"&identifier={quote(SYSTEM + '|', safe='')}", "&_count=50"):
        _, found = await _search(context, headers, kind, query, target)
        left += found
        if found:
            break
    return next((each for each in left if each.get("status") == "current"), left[0] if left else None)


async def _search(
    context: Context, headers: dict[str, str], kind: str, query: str, target: CanaryTarget
) -> tuple[Exchange, list[dict[str, Any]]]:
    patient = target.patient.split("/")[-1]
    exchange = await fetch(context, f"{kind}?patient={quote(patient)}{query}", headers, "canary read-back")
    bundle = read_resource(exchange.body).resource if exchange.ok else None
    entries = (bundle or {}).get("entry")
    resources = [e.get("resource") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    return exchange, [r for r in resources if isinstance(r, dict) and r.get("resourceType") == kind and _is_ours(r)]


def _value(resource: dict[str, Any]) -> object:
    """Return the value of our own identifier."""
    ours = [i for i in resource["identifier"] if isinstance(i, dict) and i.get("system") == SYSTEM]
    return ours[0].get("value") if ours else None


def _is_ours(resource: dict[str, Any]) -> bool:
    # A server may ignore the identifier parameter and return other documents: those must never be touched.
    listed = resource.get("identifier")
    return isinstance(listed, list) and any(isinstance(i, dict) and i.get("system") == SYSTEM for i in listed)


async def _withdraw(context: Context, headers: dict[str, str], resource: dict[str, Any]) -> bool:
    """Mark our own document entered-in-error; returns whether the server took it."""
    id = resource.get("id")
    if not isinstance(id, str) or not _is_ours(resource):
        return False
    if resource.get("status") == "entered-in-error":
        return True
    door, _ = bound(context)
    version = (resource.get("meta") or {}).get("versionId") if isinstance(resource.get("meta"), dict) else None
    sent = {"Accept": accept(context), "Content-Type": "application/fhir+json", **headers}
    if isinstance(version, str):
        sent["If-Match"] = f'W/"{version}"'
    base = (context.case.integration.fhir_base_url or "").rstrip("/")
    url = f"{base}/{resource['resourceType']}/{quote(id)}"
    body = json.dumps({**resource, "status": "entered-in-error"}).encode()
    return (await door.http("canary withdrawal", "PUT", url, headers=sent, content=body)).ok
