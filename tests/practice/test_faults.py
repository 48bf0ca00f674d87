"""Every fault yields a whole case folder whose logs tell the failure mode the fault promises."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diagnostics.case_folder import load
from diagnostics.practice import FAULTS, VARIATIONS, PracticeEhr, build_case, running_practice
from diagnostics.practice.audit_feed import AUDIT_TROUBLES
from diagnostics.practice.behaviour import BEHAVIOUR_KNOBS
from diagnostics.practice.fault import HABIT_KNOBS, STORY_KNOBS
from diagnostics.practice.hostile import HOSTILITIES
from diagnostics.practice.resending import RESEND_TROUBLES
from diagnostics.practice.server import UnknownName

CATEGORIES = {
    "auth": "authentication",
    "fhir": "endpoint_configuration",
    "hl7": "endpoint_configuration",
    "map": "field_mapping",
    "tmpl": "template_conflict",
    "net": "network",
    "perm": "permissions",
    "ehr": "ehr_defect",
    "scribe": "scribe_defect",
}
ACK_CATEGORIES = {"204": "field_mapping", "206": "permissions", "207": "ehr_defect"}
EVENTS = {
    "scribe": {"generated", "packaged", "token", "sent", "acked", "failed", "queued"},
    "ehr": {"received", "accepted", "rejected", "filed", "token", "change"},
}
EVERYTHING = [None, *FAULTS, *VARIATIONS]


@pytest.fixture(scope="module", params=[None, 20261122], ids=["plain", "randomised"])
def practice(request: pytest.FixtureRequest) -> Iterator[PracticeEhr]:
    with running_practice(randomize=request.param) as ehr:
        yield ehr


def rows(folder: Path, name: str) -> list[dict[str, Any]]:
    path = folder / f"{name}.ndjson"
    return [json.loads(line) for line in path.read_text().split("\n") if line] if path.exists() else []


class Tale:
    """What a case folder says, read back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.case = json.loads((folder / "case.json").read_text())
        note = self.case["note"]
        self.mine = [r for r in rows(folder, "scribe") if r["note_id"] == note["id"]]
        requests = {r["request_id"] for r in self.mine if "request_id" in r}
        ids = {r["transaction_id"] for r in self.mine}
        self.ehr = [
            r
            for r in rows(folder, "ehr")
            if (r["request_id"] in requests if "request_id" in r else r.get("transaction_id") in ids)
        ]
        filed = self.case.get("filed")
        self.filed = json.loads((folder / filed).read_text()) if filed else None
        self.last = self.mine[-1] if self.mine else {}

    def events(self, which: str) -> list[str]:
        return [r["event"] for r in (self.mine if which == "scribe" else self.ehr) if r["event"] != "token"]


def judge(tale: Tale, mode: str) -> None:
    """Hold the story against its failure mode."""
    scribe, ehr = tale.events("scribe"), tale.events("ehr")
    found = bool(tale.filed and tale.filed["found"])
    if mode == "not_generated":
        assert not scribe and not ehr and not found
    elif mode == "never_sent":
        assert not {"received", "accepted", "filed"} & set(ehr) and not found
        assert not any(200 <= r.get("status", 0) < 300 for r in tale.mine if r["event"] == "acked")
    elif mode == "rejected":
        assert scribe[-1] == "failed" and not found
        assert "status" in tale.last or "ack" in tale.last or ehr[-1:] == ["rejected"]
    elif mode in ("misplaced", "partial"):
        assert scribe[-1] == "acked" and ehr[-1] == "filed" and found
    elif mode == "duplicate":
        assert ehr.count("filed") == 2 and found
    elif mode == "delayed":
        assert scribe[-1] == "acked" and ehr == ["received", "accepted"] and not found
    elif mode == "delivered":
        assert ehr[-1] == "filed" and found
    else:
        assert mode == "unknown" and not found


def test_there_are_enough_faults_over_all_categories():
    assert len(FAULTS) >= 45
    assert len(VARIATIONS) >= 10
    assert {f.category for f in FAULTS.values()} == set(CATEGORIES.values())
    assert not FAULTS.keys() & VARIATIONS.keys()


def test_every_knob_is_turned_by_something():
    kinds = {"ehr": BEHAVIOUR_KNOBS, "scribe": HABIT_KNOBS, "story": STORY_KNOBS}
    named = [*FAULTS.values(), *VARIATIONS.values(), *HOSTILITIES.values(), *AUDIT_TROUBLES.values()]
    named += RESEND_TROUBLES.values()
    for kind, knobs in kinds.items():
        turned = {knob for one in named for knob in getattr(one, kind)}
        assert knobs == turned, kind


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_described_and_its_category_fits_its_cause(name: str):
    fault = FAULTS[name]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", name)
    assert fault.symptom.endswith(".") and len(fault.symptom) > 20
    assert fault.certainty in ("proven", "likely", "possible")
    if fault.cause == "hl7.ack.negative":
        assert fault.category in ACK_CATEGORIES.values()
    elif fault.cause != "fhir.payload.references":
        assert fault.category == CATEGORIES[fault.cause.partition(".")[0]]


@pytest.mark.parametrize("name", EVERYTHING, ids=str)
def test_the_case_folder_is_whole_and_tells_the_failure_mode(practice: PracticeEhr, tmp_path: Path, name: str | None):
    built = build_case(practice, "north", name, tmp_path)
    case = load(tmp_path)
    assert case.note is not None and case.note.id == built.note_id
    tale = Tale(tmp_path)
    for which, known in EVENTS.items():
        told = rows(tmp_path, which)
        assert {r["event"] for r in told} <= known
        assert [r["at"] for r in told] == sorted(r["at"] for r in told)
    earlier = [r for r in rows(tmp_path, "scribe") if r["note_id"] != built.note_id and r["event"] == "acked"]
    assert len(earlier) >= 3
    judge(tale, FAULTS[name].failure_mode if name in FAULTS else "delivered")
    if name not in FAULTS:
        assert tale.last["event"] == "acked"
        assert set(tale.filed["fields"].values()) == {text for _, text in sections(tmp_path)}


def sections(folder: Path) -> list[tuple[str, str]]:
    from diagnostics.practice.notes import split_sections

    found = split_sections((folder / "note.txt").read_text())
    if (folder / "note.hl7").exists() and "Caf\u00e9" in (folder / "note.hl7").read_text():
        found[-1] = (found[-1][0], found[-1][1] + " Caf\u00e9 au lait spots \u2013 none.")
    return found


def test_the_same_seed_writes_the_same_story(practice: PracticeEhr, tmp_path: Path):
    for name in ("a", "b"):
        build_case(practice, "north", "map-patient-mismatch", tmp_path / name, seed=5)
    build_case(practice, "north", "map-patient-mismatch", tmp_path / "c", seed=6)
    texts = [(tmp_path / name / "note.txt").read_text() for name in "abc"]
    ids = [json.loads((tmp_path / name / "case.json").read_text())["note"]["id"] for name in "abc"]
    assert texts[0] == texts[1]
    assert ids[0] == ids[1] != ids[2]


def test_the_ill_server_stays_ill_after_the_case_was_built(practice: PracticeEhr, tmp_path: Path):
    build_case(practice, "north", "auth-client-unknown", tmp_path)
    assert practice.tenant("north").faults == {"auth-client-unknown"}
    build_case(practice, "north", None, tmp_path / "healed")
    assert practice.tenant("north").faults == frozenset()


def test_an_unknown_fault_is_refused_by_name(practice: PracticeEhr, tmp_path: Path):
    with pytest.raises(UnknownName, match="no-such-fault"):
        build_case(practice, "north", "no-such-fault", tmp_path)


def test_randomising_replaces_every_plain_string(tmp_path: Path):
    """The words of two differently seeded runs share nothing but standard codes."""
    with running_practice(randomize=1) as ehr:
        for name in ("auth-client-unknown", "perm-write-denied", "net-gateway-502", "map-section-unmapped"):
            build_case(ehr, "north", name, tmp_path / name)
    text = "".join(path.read_text() for path in tmp_path.rglob("*") if path.suffix in (".json", ".ndjson", ".txt"))
    for word in (
        "practice.test",
        "/ehr/",
        "/oauth2",
        "registered",
        "account may",
        "gateway did",
        "HPI_TXT",
        "train journey",
    ):
        assert word not in text, word


def test_two_copies_of_a_retried_note_are_in_the_ledger(practice: PracticeEhr, tmp_path: Path):
    build_case(practice, "north", "scribe-retry-duplicate", tmp_path)
    encounter = json.loads((tmp_path / "case.json").read_text())["note"]["encounter_id"]
    mine = [r for r in rows(tmp_path, "ehr") if r["event"] == "filed" and r["encounter_id"] == encounter]
    documents = {r["resource"] for r in mine}
    assert len(documents) == 2
    assert documents <= {e.created for e in practice.ledger.creates("north")}


def test_no_token_and_no_secret_is_in_any_log(practice: PracticeEhr, tmp_path: Path):
    build_case(practice, "north", "perm-write-denied", tmp_path)
    tenant = practice.tenant("north")
    text = (tmp_path / "scribe.ndjson").read_text() + (tmp_path / "ehr.ndjson").read_text()
    for secret in (*tenant.tokens, tenant.client_secret, tenant.first_refresh_token):
        assert secret not in text
