"""Play a note's story against a running practice and write it down as a complete case folder."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from diagnostics.practice.capability import US_CORE_DOCUMENT
from diagnostics.practice.fault import Fault, Variation
from diagnostics.practice.faults import FAULTS
from diagnostics.practice.healthy import VARIATIONS
from diagnostics.practice.notes import Note
from diagnostics.practice.packaging import frame
from diagnostics.practice.server import PracticeEhr, UnknownName
from diagnostics.practice.story import ALL_GRANTS, StoryPlayer, other_practice
from diagnostics.practice.tenant import Tenant, iso


@dataclass(frozen=True)
class BuiltCase:
    """Where the case lies, and what it is about."""

    folder: Path
    note_id: str
    fault: Fault | None
    variation: Variation | None


def condition_named(name: str | None) -> Fault | Variation | None:
    """Find a fault or a healthy variation by name; None is plain health."""
    if name is None:
        return None
    found = FAULTS.get(name) or VARIATIONS.get(name)
    if found is None:
        raise UnknownName(f"There is no fault called {name!r}.")
    return found


def build_case(
    ehr: PracticeEhr,
    tenant: str,
    fault: str | None,
    folder: Path,
    *,
    seed: int = 1,
    live: bool = True,
    minutes_ago: float | None = None,
    also: Iterable[str] = (),
) -> BuiltCase:
    """Play the story of one note with this fault and write the case folder.

    The tenant is emptied first and keeps the fault afterwards, so that a live diagnosis meets it.
    `fault` is the name of a fault or of a healthy variation, or None. With `live=False` the clock of the
    case is fixed to the end of its story, for runs without network. `minutes_ago` moves the story into the past,
    `also` adds further faults of the same protocol.
    """
    condition = condition_named(fault)
    target = ehr.tenant(tenant)
    ehr.reset(tenant)
    target.faults = frozenset()
    names = tuple(name for name in (fault, *also) if name)
    player = StoryPlayer(
        ehr,
        target,
        tuple(c for n in names if (c := condition_named(n))),
        random.Random(f"{seed}|{ehr.texts.seed}|{fault}"),
    )
    if minutes_ago is not None:
        player.story = replace(player.story, minutes_ago=minutes_ago)
    try:
        player.play()
    finally:
        target.clock.shift_s = 0.0
    folder.mkdir(parents=True, exist_ok=True)
    _write(player, folder, live=live)
    return BuiltCase(
        folder,
        player.note.note_id,
        condition if isinstance(condition, Fault) else None,
        condition if isinstance(condition, Variation) else None,
    )


def _write(player: StoryPlayer, folder: Path, *, live: bool) -> None:
    without = set(player.story.without)
    _dump(folder / "scribe.ndjson", player.scribe.rows, lines=True)
    logs = {"scribe": "scribe.ndjson"}
    if "ehr" not in without:
        _dump(folder / "ehr.ndjson", player.tenant.audit.rows(), lines=True)
        logs["ehr"] = "ehr.ndjson"
    case: dict[str, Any] = {
        "schema": 1,
        "integration": _integration(player, folder),
        "note": _note_part(player, folder),
        "logs": logs,
    }
    if not live:
        case["now"] = iso(player.tenant.clock.timestamp())
    snapshots: dict[str, Any] = {
        "filed": _filed(player),
        "template": player.tenant.template.snapshot(player.tenant.behaviour, player.changed_at),
        "mapping": player.tenant.template.mapping(
            without=player.story.unmapped, narrative_only=player.story.narrative_only
        ),
        "roles": _roles(player),
        "encounter": _encounter(player),
    }
    for name, document in snapshots.items():
        if name not in without:
            _dump(folder / f"{name}.json", document)
            case[name] = f"{name}.json"
    _dump(folder / "case.json", case)


def _dump(path: Path, document: Any, *, lines: bool = False) -> None:
    text = "".join(json.dumps(row) + "\n" for row in document) if lines else json.dumps(document, indent=2) + "\n"
    path.write_text(text, encoding="utf-8")


def _integration(player: StoryPlayer, folder: Path) -> dict[str, Any]:
    tenant, scribe, story = player.tenant, player.scribe, player.story
    (folder / "ca.pem").write_bytes(player.trust_pem)
    part: dict[str, Any] = {
        "name": tenant.texts.say("North Campus").rstrip("."),
        "vendor": story.vendor,
        "environment": "production",
        "protocol": "hl7v2" if player.hl7 else "fhir",
        "ca_bundle": "ca.pem",
        "resolver": player.ehr.resolver,
        "timeout_s": 3,
    }
    if player.hl7:
        role = "mllps" if player.habits.mllp_tls else "mllp"
        part["hl7"] = {
            "host": tenant.host(role),
            "port": tenant.ports[role],
            "tls": player.habits.mllp_tls,
            "version": "2.5.1",
            "message": "MDM^T02",
            "charset": story.charset,
            "sending_application": tenant.texts.ident("SCRIBE"),
            "receiving_application": tenant.texts.ident("EHR"),
        }
        if story.field_limits:
            part["hl7"]["field_limits"] = dict(story.field_limits)
        return part
    part |= {
        "fhir_base_url": scribe.fhir_base,
        "fhir_format": player.habits.media_type,
        "profile": US_CORE_DOCUMENT,
        "auth": _auth(player, folder),
        "resources_needed": ["DocumentReference", "Encounter", "Condition", "Observation"],
        "canary": {"patient": "Patient/canary-1", "encounter": "Encounter/canary-enc-1"},
    }
    if scribe.write_url:
        part["write_url"] = scribe.write_url
    if scribe.proxy:
        part["proxy"] = scribe.proxy
    return part


def _auth(player: StoryPlayer, folder: Path) -> dict[str, Any]:
    tenant, scribe, habits = player.tenant, player.scribe, player.habits
    auth: dict[str, Any] = {"flow": habits.flow}
    if habits.flow == "api-key":
        auth |= {"api_key_header": "x-api-key", "api_key": tenant.api_key if habits.send_api_key else ""}
        return auth
    auth |= {
        "token_url": tenant.token_url,
        "authorization_server": tenant.url("auth"),
        "client_id": tenant.client_id,
        "scopes": list(scribe.scopes),
    }
    if "token_url" in player.story.without:
        del auth["token_url"]
    if player.story.with_practice_id:
        auth["practice_id"] = other_practice(tenant)
    if habits.flow in ("client-secret", "provider-context"):
        auth["auth_method"] = "client_secret_basic"
        auth["client_secret"] = tenant.other_secret if habits.wrong_secret else tenant.client_secret
        if habits.flow == "provider-context":
            auth["refresh_token"] = scribe.refresh_token
        return auth
    _key, kid, pem = scribe.signing_key()
    (folder / "key.pem").write_bytes(pem)
    auth |= {
        "private_key_file": "key.pem",
        "key_id": kid,
        "algorithm": habits.algorithm,
        "jwks_url": tenant.jwks_url,
    }
    if habits.audience != "token":
        auth["audience"] = scribe.audience
    if player.attempt.assertion:
        # With its signature, which may be the question; it has run out long before anyone reads it.
        (folder / "assertion.jwt").write_text(player.attempt.assertion + "\n", encoding="utf-8")
        auth["assertion_file"] = "assertion.jwt"
    return auth


def _note_part(player: StoryPlayer, folder: Path) -> dict[str, Any]:
    note, attempt = player.note, player.attempt
    part: dict[str, Any] = {
        "id": note.note_id,
        "transaction_id": note.transaction_id,
        "encounter_id": note.encounter_id,
        "patient_id": note.patient_id,
        "provider_id": note.provider_id,
        "department": note.department,
    }
    generated = [r for r in player.scribe.rows if r["note_id"] == note.note_id and r["event"] == "generated"]
    if generated:
        part["generated_at"] = generated[0]["at"]
        (folder / "note.txt").write_text(note.narrative, encoding="utf-8")
        part["narrative"] = "note.txt"
    if attempt.payload:
        name = "note.hl7" if player.hl7 else "note.json"
        body = attempt.payload
        if player.habits.message == "no_end":
            body = frame(body, player.habits)
        (folder / name).write_bytes(body)
        part["payload"] = name
    return part


def _filed(player: StoryPlayer) -> dict[str, Any]:
    tenant, note = player.tenant, player.note
    at = iso(tenant.clock.timestamp())
    found = player.filings()
    if not found:
        return {"found": False, "at": at}
    filing = found[0]
    return {
        "found": True,
        "at": at,
        "resource": filing.resource,
        "status": filing.status,
        "document_type": filing.document_type,
        "patient_id": filing.patient_id,
        "encounter_id": filing.encounter_id,
        "author_id": filing.author_id,
        "fields": filing.fields,
        "discrete": _discrete(tenant, note),
    }


def _discrete(tenant: Tenant, note: Note) -> list[dict[str, str]]:
    query = [("encounter", note.encounter_id)]
    found = []
    for kind in ("Observation", "Condition"):
        for resource in tenant.store.search(kind, query):
            code = resource["code"]["coding"][0]["code"]
            found.append({"kind": kind.lower(), "code": code, "value": resource.get("valueString", "")})
    return found


def _roles(player: StoryPlayer) -> dict[str, Any]:
    story = player.story
    roles: dict[str, Any] = {
        "account": player.tenant.account,
        "kind": "service",
        "active": True,
        "changed_at": player.changed_at if story.roles_changed else iso(time.time() - 90 * 86400),
        "grants": [grant for grant in ALL_GRANTS if grant not in story.grants_lost],
    }
    if story.departments is not None:
        roles["departments"] = list(story.departments)
    return roles


def _encounter(player: StoryPlayer) -> Any:
    tenant, note = player.tenant, player.note
    first = _flat_encounter(tenant, note.encounter_id)
    if not player.story.second_encounter or first is None:
        return first
    other = {**first, "id": f"{note.encounter_id}9"}
    return [first, other]


def _flat_encounter(tenant: Tenant, encounter_id: str) -> dict[str, Any] | None:
    encounter = tenant.store.get("Encounter", encounter_id)
    if encounter is None:
        return None
    return {
        "id": encounter["id"],
        "status": encounter["status"],
        "signed": encounter["extension"][0]["valueBoolean"],
        "owner": encounter["participant"][0]["individual"]["reference"].partition("/")[2],
        "department": encounter["serviceType"]["text"],
        "confidentiality": encounter["meta"]["security"][0]["code"],
        "patient_id": encounter["subject"]["reference"].partition("/")[2],
        "period": encounter["period"],
    }
