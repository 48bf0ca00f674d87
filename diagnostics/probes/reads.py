"""Probe what may be read with the token: the resources a note refers to, its encounter, and the note itself."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.base import Key, Missing
from diagnostics.evidence.fhir import EncounterNow, ReadBack, ReadOfReference, Reads
from diagnostics.evidence.network import HttpAnswer, TlsHandshake
from diagnostics.gather import Context
from diagnostics.net import Exchange
from diagnostics.parsing.fhir import read_resource
from diagnostics.parsing.scopes import granting, parse_scopes
from diagnostics.probes.declare import probe
from diagnostics.probes.endpoints import FHIR
from diagnostics.probes.metadata import accept, has_fhir
from diagnostics.probes.network import bound
from diagnostics.probes.note_refs import NoteReferences, note_references
from diagnostics.probes.seen import http_answer
from diagnostics.probes.token import credentials
from diagnostics.vocabulary import Step

_NO_TOKEN = "the access token of the interrupted run is gone, and its refresh token is not used twice"
_NOT_ALLOWED = "the granted scopes do not allow this read"


async def fetch(context: Context, path: str, headers: dict[str, str], purpose: str) -> Exchange:
    """Return the answer to a GET below the FHIR base; a read that got no answer is asked once more."""
    door, _ = bound(context)
    url = (context.case.integration.fhir_base_url or "").rstrip("/") + "/" + path
    sent = {"Accept": accept(context), **headers}
    exchange = await door.http(purpose, "GET", url, headers=sent)
    if exchange.fault is not None and exchange.fault.kind == "reset":
        exchange = await door.http(purpose, "GET", url, headers=sent)
    return exchange


def readable(token: TokenAnswer | None, resource: str, letter: str = "r") -> bool:
    """Tell whether the granted scopes allow a read; an unknown scope is tried, it is the server's to refuse."""
    scopes = parse_scopes((token.scope or token.requested_scope) if token else "")
    return not scopes or bool(granting(scopes, resource, letter))


def answer_of(exchange: Exchange) -> HttpAnswer:
    """Keep a read's body only where it was refused: what was read is a patient's."""
    return http_answer(exchange, keep_body=not exchange.ok)


@probe(gives=Reads, needs=(TlsHandshake, TokenAnswer), step=Step.PERMISSIONS, at=FHIR, applies=has_fhir)
async def read_references(context: Context, tls: TlsHandshake, token: TokenAnswer | None) -> Reads | Missing:
    """Read the patient and author the note names, and search documents, all within the granted scopes."""
    headers = await credentials(context, token)
    if headers is None:
        return Missing(Key(Reads), _NO_TOKEN)
    note = note_references(context.case)
    wanted = [(role, ref) for role, ref in note.references if role != "encounter"]
    wanted = [(role, ref) for role, ref in wanted if readable(token, ref.split("/")[0])]
    patient = next((ref for role, ref in note.references if role == "subject"), None)
    if context.case.integration.canary is not None and patient is None:
        patient = context.case.integration.canary.patient
    if patient and readable(token, note.resource_type, "s"):
        wanted.append(("search", f"{note.resource_type}?patient={quote(patient.split('/')[-1])}&_count=1"))
    if not wanted:
        return Missing(Key(Reads), _NOT_ALLOWED if note.references else "the note names nothing that could be read")
    exchanges = await asyncio.gather(*(fetch(context, path, headers, "read") for _, path in wanted))
    results = [
        ReadOfReference(role, path.split("?")[0], answer_of(exchange))
        for (role, path), exchange in zip(wanted, exchanges, strict=True)
    ]
    return Reads(seen_from=context.vantage, results=tuple(results))


@probe(gives=EncounterNow, needs=(TlsHandshake, TokenAnswer), step=Step.PERMISSIONS, at=FHIR, applies=has_fhir)
async def read_encounter(context: Context, tls: TlsHandshake, token: TokenAnswer | None) -> EncounterNow | Missing:
    """Read the note's encounter: its state, owner and confidentiality decide whether it still takes notes."""
    reference = next((ref for role, ref in note_references(context.case).references if role == "encounter"), None)
    if reference is None:
        return Missing(Key(EncounterNow), "the note names no encounter")
    if not readable(token, "Encounter"):
        return Missing(Key(EncounterNow), _NOT_ALLOWED, "the scope system/Encounter.read for the integration")
    headers = await credentials(context, token)
    if headers is None:
        return Missing(Key(EncounterNow), _NO_TOKEN)
    exchange = await fetch(context, reference, headers, "encounter")
    data = read_resource(exchange.body).resource if exchange.ok else None
    return encounter_now(context.vantage, answer_of(exchange), data or {})


def encounter_now(vantage: str, answer: HttpAnswer, data: dict[str, Any]) -> EncounterNow:
    """Return the facts of an Encounter resource."""
    raw_period, meta = data.get("period"), data.get("meta")
    period: dict[str, Any] = raw_period if isinstance(raw_period, dict) else {}
    labels = meta.get("security") if isinstance(meta, dict) else None
    return EncounterNow(
        seen_from=vantage,
        answer=answer,
        status=data["status"] if isinstance(data.get("status"), str) else None,
        patient=_reference(data.get("subject")),
        participants=tuple(
            ref for each in _list(data.get("participant")) if (ref := _reference(each.get("individual"))) is not None
        ),
        start=_instant(period.get("start")),
        end=_instant(period.get("end")),
        confidentiality=tuple(str(each["code"]) for each in _list(labels) if "code" in each),
    )


@probe(gives=ReadBack, needs=(TlsHandshake, TokenAnswer), step=Step.WRITE_BACK, at=FHIR, applies=has_fhir)
async def read_back(context: Context, tls: TlsHandshake, token: TokenAnswer | None) -> ReadBack | Missing:
    """Look for the note by its own identifier, and at the location the scribe was told."""
    note = note_references(context.case)
    if note.identifier is None:
        return Missing(Key(ReadBack), "the note has no identifier to search for")
    if not readable(token, note.resource_type, "s"):
        return Missing(Key(ReadBack), _NOT_ALLOWED, f"the scope system/{note.resource_type}.read for the integration")
    headers = await credentials(context, token)
    if headers is None:
        return Missing(Key(ReadBack), _NO_TOKEN)
    exchange = await fetch(
        context, f"{note.resource_type}?identifier={quote(note.identifier, safe='')}", headers, "read-back"
    )
    found = _matches(exchange, note)
    paths = _told_locations(context)
    located = await asyncio.gather(*(fetch(context, path, headers, "read-back") for path in paths))
    return ReadBack(
        seen_from=context.vantage,
        answer=answer_of(exchange),
        found=None if found is None else len(found),
        statuses=tuple(str(each.get("status")) for each in found or ()),
        patients=tuple(ref for each in found or () if (ref := _reference(each.get("subject"))) is not None),
        encounters=tuple(_encounters(each) for each in found or ()),
        locations=tuple(answer_of(each) for each in located),
    )


def _matches(exchange: Exchange, note: NoteReferences) -> list[dict[str, Any]] | None:
    bundle = read_resource(exchange.body).resource if exchange.ok else None
    if bundle is None or bundle.get("resourceType") != "Bundle":
        return None
    resources = [each.get("resource") for each in _list(bundle.get("entry"))]
    return [each for each in resources if isinstance(each, dict) and each.get("resourceType") == note.resource_type]


def _told_locations(context: Context) -> list[str]:
    """Return the paths below the base that accepted writes of this note named in Location; at most three."""
    base = (context.case.integration.fhir_base_url or "").rstrip("/") + "/"
    note, rows = context.case.note, context.case.logs.scribe or ()
    told = []
    for row in rows:
        headers = row.get("response_headers")
        if note is None or row.get("note_id") != note.id or not isinstance(headers, dict):
            continue
        location = headers.get("location")
        if isinstance(location, str) and row.get("status") == 201:
            path = urlsplit(location).path if not location.startswith(base) else location[len(base) :]
            told.append("/".join(path.split("/_history/")[0].strip("/").split("/")[-2:]))
    return list(dict.fromkeys(told))[:3]


def _encounters(document: dict[str, Any]) -> str:
    context = document.get("context")
    first = _list(context.get("encounter"))[:1] if isinstance(context, dict) else []
    return _reference(first[0] if first else document.get("encounter")) or ""


def _reference(value: Any) -> str | None:
    reference = value.get("reference") if isinstance(value, dict) else None
    return reference[:200] if isinstance(reference, str) else None


def _list(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _instant(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
