"""Play a note's story against a running practice and write it down as a complete case folder."""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from diagnostics.practice.capability import US_CORE_DOCUMENT
from diagnostics.practice.fault import Fault, Habits, Story, Variation
from diagnostics.practice.faults import FAULTS
from diagnostics.practice.healthy import VARIATIONS
from diagnostics.practice.ledger import fingerprint
from diagnostics.practice.notes import APSO, SOAP, Note, write_note
from diagnostics.practice.packaging import frame
from diagnostics.practice.scribe import Attempt, PracticeScribe
from diagnostics.practice.server import PracticeEhr, UnknownName
from diagnostics.practice.store import Filing
from diagnostics.practice.tenant import Tenant, add_encounter, add_patient, iso

ALL_GRANTS = ("document:read", "document:write", "encounter:read", "encounter:write", "problem:write", "order:write")
DEPARTMENT = "internal-medicine"
EARLIER_MINUTES = (175.0, 118.0, 64.0)


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
    ehr: PracticeEhr, tenant: str, fault: str | None, folder: Path, *, seed: int = 1, live: bool = True
) -> BuiltCase:
    """Play the story of one note with this fault and write the case folder.

    The tenant is emptied first and keeps the fault afterwards, so that a live diagnosis meets it.
    `fault` is the name of a fault or of a healthy variation, or None. With `live=False` the clock of the
    case is fixed to the end of its story, for runs without network.
    """
    condition = condition_named(fault)
    target = ehr.tenant(tenant)
    ehr.reset(tenant)
    target.faults = frozenset()
    player = _Player(ehr, target, condition, random.Random(f"{seed}|{ehr.texts.seed}|{fault}"))
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


class _Player:
    """Hold what one story brings together."""

    def __init__(
        self, ehr: PracticeEhr, tenant: Tenant, condition: Fault | Variation | None, source: random.Random
    ) -> None:
        self.ehr, self.tenant, self.condition, self.source = ehr, tenant, condition, source
        self.habits = Habits(**condition.scribe) if condition else Habits()
        self.story = Story(**condition.story) if condition else Story()
        self.hl7 = bool(condition and condition.protocol == "hl7v2")
        tenant.discrete = tenant.template.discrete = not self.hl7
        trust = ehr.ca_pem
        if condition and condition.ehr.get("proxy") == "strip":
            trust += ehr.inspector.ca_pem
        self.trust_pem = trust
        good = replace(Habits(), flow=self.habits.flow, mllp_tls=self.habits.mllp_tls, proxy=self.habits.proxy)
        self.scribe = PracticeScribe(ehr, tenant, good, source, trust)
        self.changed_at = iso(tenant.clock.timestamp() - 40 * 86400)
        self.note = self._note(1)
        self.attempt = Attempt(self.note)

    def play(self) -> None:
        """Play three good notes, then the change, then the note in question."""
        tenant, story = self.tenant, self.story
        now_shift = -60.0 * story.minutes_ago
        earlier = list(EARLIER_MINUTES)
        for number, minutes in enumerate(earlier):
            tenant.clock.shift_s = now_shift - 60.0 * minutes
            self.scribe.deliver(self._admit(self._note(number + 2), {}))
        if self.habits.reuse_token:
            # The last good note left a token that is still cached when it has run out.
            tenant.clock.shift_s = now_shift - 60.0 * 11
            self.scribe.deliver(self._admit(self._note(9), {}))
        tenant.clock.shift_s = now_shift - 300.0
        if story.change:
            self.changed_at = iso(tenant.clock.timestamp())
            tenant.audit.write("change", change=self._change())
        self.ehr.set_faults(tenant.name, (self.condition.name,) if self.condition else ())
        tenant.unmapped = story.unmapped
        tenant.clock.shift_s = now_shift
        self.scribe.habits = self.habits
        note = self.note
        if self.habits.reuse_identifier:
            first = next(row for row in self.scribe.rows if row["event"] == "sent")
            note = replace(note, transaction_id=first["transaction_id"])
        if self.habits.payload == "references":
            self._admit(note, story.encounter)
            note = replace(note, encounter_id=f"{note.encounter_id}7")
        else:
            self._admit(note, story.encounter)
        self.note = note
        self.attempt = self.scribe.deliver(note)
        deadline = time.monotonic() + 2
        while tenant.open_mllp and time.monotonic() < deadline:
            time.sleep(0.01)  # a torn frame is noted when the connection has ended

    def _note(self, number: int) -> Note:
        current = number == 1
        bulk = self.habits.bulk if current else 0
        return write_note(
            self.tenant.texts,
            self.source,
            patient_id=f"P-{self.source.randrange(10**6):06d}",
            encounter_id=f"E-{self.source.randrange(10**6):06d}",
            provider_id="prov-7",
            department=str(self.story.encounter.get("department", DEPARTMENT)) if current else DEPARTMENT,
            discrete=not self.hl7,
            order=APSO if current and self.habits.note_order == "apso" else SOAP,
            bulk=bulk,
        )

    def _admit(self, note: Note, special: Any) -> Note:
        add_patient(self.tenant, note.patient_id)
        owner = special.get("owner", note.provider_id)
        rest = {name: value for name, value in special.items() if name != "owner"}
        add_encounter(self.tenant, note.encounter_id, note.patient_id, owner=owner, **rest)
        return note

    def _change(self) -> dict[str, str]:
        tenant = self.tenant
        left = [grant for grant in ALL_GRANTS if grant not in self.story.grants_lost]
        words = {
            "client": tenant.client_id,
            "practice": tenant.practice_id,
            "other_practice": other_practice(tenant),
            "template": tenant.template.template_id,
            "old_version": str(tenant.template.version),
            "new_version": str(tenant.template.version + 1),
            "account": tenant.account,
            "all_grants": " ".join(ALL_GRANTS),
            "left_grants": " ".join(left),
        }
        return {key: value.format(**words) for key, value in (self.story.change or {}).items()}

    def filings(self) -> list[Filing]:
        """List what the chart holds of the note, under whatever identifier it was sent."""
        ids = {row["transaction_id"] for row in self.scribe.rows if row["note_id"] == self.note.note_id}
        mine = [f for f in self.tenant.store.filings if f.transaction_id in ids]
        if self.habits.reuse_identifier:
            mine = [f for f in mine if f.encounter_id == self.note.encounter_id]
        return mine


def other_practice(tenant: Tenant) -> str:
    """Give the number of the practice the client is really allowed to use."""
    return str(int(tenant.practice_id) + 7)


def _write(player: _Player, folder: Path, *, live: bool) -> None:
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


def _integration(player: _Player, folder: Path) -> dict[str, Any]:
    tenant, scribe, story = player.tenant, player.scribe, player.story
    (folder / "ca.pem").write_bytes(player.trust_pem)
    part: dict[str, Any] = {
        "name": tenant.texts.say("North Campus").rstrip("."),
        "vendor": story.vendor,
        "environment": story.environment,
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


def _auth(player: _Player, folder: Path) -> dict[str, Any]:
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


def _note_part(player: _Player, folder: Path) -> dict[str, Any]:
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


def _filed(player: _Player) -> dict[str, Any]:
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


def _roles(player: _Player) -> dict[str, Any]:
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


def _encounter(player: _Player) -> Any:
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


__all__ = ["ALL_GRANTS", "BuiltCase", "build_case", "condition_named", "fingerprint"]
