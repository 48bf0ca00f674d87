"""Probes bring evidence home from a real, sometimes hostile, practice EHR, and never a secret with it."""

import asyncio
import json
import socket
from dataclasses import replace

import pytest

from diagnostics import diagnose
from diagnostics.case import CanaryTarget, Segment
from diagnostics.evidence.auth import ClientKeySet, Discovery, TokenAnswer
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.codec import decode, encode
from diagnostics.evidence.fhir import CanaryWrite, Capability, EncounterNow, Metadata, ReadBack, Reads
from diagnostics.evidence.hl7 import CanaryMessage
from diagnostics.evidence.network import DnsAnswer, SegmentReach, TcpConnect, TlsHandshake, TlsSamples
from diagnostics.gather import gather
from diagnostics.practice.server import PracticeEhr
from diagnostics.probes.vantage import door_for
from tests.diagnostics.probes.conftest import Played, seen

EVERY = (
    *(DnsAnswer, TcpConnect, TlsHandshake, Discovery, ClientKeySet, TokenAnswer, Metadata, Capability),
    *(Reads, EncounterNow, ReadBack, CanaryWrite),
)


def test_a_healthy_ehr_yields_every_kind_of_evidence_and_it_survives_storing(played: Played) -> None:
    bag = seen(played())
    for kind in EVERY:
        found = bag.every(kind)
        assert found, (kind.__name__, bag.missing(kind))
        for item in found:
            assert item.opens and decode(json.loads(json.dumps(encode(item)))) == item


def test_no_secret_is_in_any_evidence(played: Played) -> None:
    case = played()
    door = door_for(case)
    bag = seen(case, door=door)
    assert door.access_token
    told = json.dumps([encode(item) for kind in EVERY for item in bag.every(kind)], default=str)
    signature = (case.integration.auth.assertion or "").rpartition(".")[2]
    for secret in (door.access_token, "PRIVATE KEY", "client_assertion=", signature):
        assert secret and secret not in told


@pytest.mark.parametrize("fault", ["auth-key-not-published", "fhir-content-type", "net-proxy-407", "auth-mfa-page"])
def test_no_secret_is_in_the_evidence_of_a_failure(played: Played, fault: str) -> None:
    case = played(fault)
    door = door_for(case)
    bag = seen(case, door=door)
    told = json.dumps([encode(item) for kind in EVERY for item in bag.every(kind)], default=str)
    auth = case.integration.auth
    for secret in (door.access_token, auth.client_secret, auth.refresh_token, auth.api_key):
        assert not secret or secret not in told


def test_a_closed_door_blocks_what_lies_behind_it_and_names_it(played: Played) -> None:
    bag = seen(played("net-tls-expired"))
    (gone,) = bag.missing(Metadata)
    assert gone.blocked_by is not None and gone.blocked_by.kind is TlsHandshake
    assert bag.get(TokenAnswer) is not None, "the token host has a certificate of its own"


def test_the_canary_is_one_create_read_back_and_withdrawn(played: Played, ehr: PracticeEhr) -> None:
    case = played()
    before = len(ehr.ledger.creates("north"))
    bag = seen(case)
    made = ehr.ledger.creates("north")[before:]
    wrote = bag.get(CanaryWrite)
    assert wrote is not None and (wrote.state, wrote.found, wrote.withdrawn) == ("written", True, True)
    assert len(made) == 1
    note = (case.note.payload or b"").decode() if case.note else ""
    assert case.note is not None and case.note.patient_id and note
    assert [e.method for e in ehr.ledger.entries("north") if e.target.endswith(made[0].created or "?")].count(
        "PUT"
    ) == 1


def test_a_canary_of_an_interrupted_run_is_looked_for_and_never_made_again(played: Played, ehr: PracticeEhr) -> None:
    case = played()
    seen(case)
    before = len(ehr.ledger.creates("north"))
    wrote = seen(case, once=lambda act: False).get(CanaryWrite)
    assert wrote is not None and (wrote.state, wrote.found, wrote.withdrawn) == ("earlier", True, True)
    assert len(ehr.ledger.creates("north")) == before


def test_without_leave_nothing_is_written(played: Played, ehr: PracticeEhr) -> None:
    case = played()
    before = len(ehr.ledger.creates("north"))
    for quiet in (replace(case, allow_writes=False), replace(case, integration=replace(case.integration, canary=None))):
        assert seen(quiet).get(CanaryWrite) is None
    assert len(ehr.ledger.creates("north")) == before


def test_a_refused_canary_says_so(played: Played) -> None:
    wrote = seen(played("perm-write-denied")).get(CanaryWrite)
    assert wrote is not None and wrote.state == "refused" and wrote.answer is not None and wrote.answer.status == 403


def test_a_lost_answer_to_the_canary_is_read_back_and_never_sent_again(played: Played, ehr: PracticeEhr) -> None:
    case = played()
    quick = replace(case, integration=replace(case.integration, timeout_s=0.6))
    token = seen(replace(case, allow_writes=False)).get(TokenAnswer)
    metadata = seen(replace(case, allow_writes=False)).get(Metadata)
    ehr.set_faults("north", {"net-gateway-timeout-filed"})
    before = len(ehr.ledger.creates("north"))
    assert token is not None and metadata is not None
    wrote = seen(quick, have=[token, metadata], wanted={CanaryWrite}).get(CanaryWrite)
    assert len(ehr.ledger.creates("north")) - before <= 1
    assert wrote is None or wrote.state in ("written", "unknown", "refused")


def test_a_refresh_token_is_used_at_most_once(played: Played, ehr: PracticeEhr) -> None:
    case = played("auth-refresh-invalid")
    asked: list[str] = []

    def once(act: str) -> bool:
        asked.append(act)
        return False

    before = len([e for e in ehr.ledger.entries("north") if e.method == "POST"])
    bag = seen(replace(case, allow_writes=False), once=once)
    assert "refresh_token" in asked
    assert "not used again" in bag.missing(TokenAnswer)[0].because
    assert len([e for e in ehr.ledger.entries("north") if e.method == "POST"]) == before


def test_a_restored_token_answer_gets_a_new_token_only_where_that_burns_nothing(played: Played) -> None:
    case = replace(played(), allow_writes=False)
    token = seen(case).get(TokenAnswer)
    assert token is not None
    assert seen(case, have=[token]).get(Reads) is not None
    spent = replace(token, grant="refresh_token")
    bag = seen(case, have=[spent])
    assert bag.get(Reads) is None and "not used twice" in bag.missing(Reads)[0].because


def test_scopes_bound_what_is_read(played: Played) -> None:
    case = replace(played(), allow_writes=False)
    auth = replace(case.integration.auth, scopes=("system/DocumentReference.write",))
    bag = seen(replace(case, integration=replace(case.integration, auth=auth)))
    assert "scopes" in bag.missing(EncounterNow)[0].because


def test_every_further_segment_is_looked_from(played: Played) -> None:
    dead = f"127.0.0.1:{_closed_udp()}"
    case = played(segments=(Segment("west", "127.0.0.2", None, None), Segment("east", None, None, dead)), timeout_s=0.8)
    reach = seen(case, wanted={SegmentReach}).get(SegmentReach)
    assert reach is not None
    assert {(each.segment, each.layer) for each in reach.results} == {("west", "ok"), ("east", "dns")}


def test_a_segment_without_a_way_out_of_its_own_is_not_looked_from(played: Played) -> None:
    case = played(segments=(Segment("west", "127.0.0.2", None, None), Segment("attic", None, None, None)))
    reach = seen(case, wanted={SegmentReach}).get(SegmentReach)
    assert reach is not None and {each.segment for each in reach.results} == {"west"}


@pytest.mark.parametrize(
    ("source", "says"), [("192.0.2.77", "does not have the address"), ("::1", "no IPv6"), ("ward", "no IP address")]
)
def test_a_source_address_that_is_not_this_machines_speaks_of_no_network(played: Played, source, says) -> None:
    case = played(segments=(Segment("west", source, None, None),))
    reach = seen(case, wanted={SegmentReach}).get(SegmentReach)
    assert reach is not None and reach.results
    assert all(each.layer == "place" and each.fault and says in each.fault.says for each in reach.results)
    assert diagnose(case, seen(case)).root_cause is None


def test_from_inside_one_segment_no_other_is_looked_out_of(played: Played) -> None:
    case = played(segments=(Segment("west", "127.0.0.2", None, None),))
    inside = gather(case, door=door_for(case), wanted={SegmentReach, TcpConnect}, vantage="lake", budget_s=5.0)
    bag = asyncio.run(inside)
    assert bag.get(SegmentReach) is None and "lake" in bag.missing(SegmentReach)[0].because
    assert {each.seen_from for each in bag.every(TcpConnect)} == {"lake"}


def test_a_pinned_host_is_shaken_hands_with_five_times_and_another_once(played: Played) -> None:
    case = played(tls_pins=("sha256/AAAA",))
    pinned = seen(case, wanted={TlsSamples}).every(TlsSamples)
    by_role = {role: len(each.samples) for each in pinned for role in each.roles}
    assert by_role["fhir"] == 5 and all(s.verified for each in pinned for s in each.samples)
    assert all(not each.samples for each in seen(played(), wanted={TlsSamples}).every(TlsSamples))


def _closed_udp() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_message_for_the_test_patient_goes_out_only_where_allowed(played: Played) -> None:
    case = played("healthy-declared-utf8", canary=CanaryTarget("Patient/canary-1", "Encounter/canary-enc-1"))
    assert seen(case).get(CanaryMessage) is None
    hl7 = replace(case.integration.hl7, canary_message=True)
    allowed = replace(case, integration=replace(case.integration, hl7=hl7))
    got = seen(allowed).get(CanaryMessage)
    assert got is not None and got.state == "acknowledged" and got.ack is not None


def test_an_impossible_address_is_missing_evidence_and_no_traceback(played: Played) -> None:
    case = played(fhir_base_url="not an address", write_url="http://[::1")
    bag = seen(case)
    assert bag.get(Metadata) is None and bag.get(TokenAnswer) is not None


def test_the_whole_run_ends_within_its_budget(played: Played) -> None:
    case = played("net-tcp-timeout", timeout_s=20.0)
    bag = asyncio.run(gather(case, door=door_for(case), budget_s=1.0))
    assert [m.because for m in bag.missing(TcpConnect)] == ["the time for this run was over before an answer came"]
    assert all(isinstance(item, Evidence) for item in bag)


@pytest.mark.parametrize("knob", ["huge", "deep", "endless", "stalled", "torn", "garbage"])
def test_a_hostile_capability_statement_is_evidence(played: Played, ehr: PracticeEhr, knob: str) -> None:
    case = played(timeout_s=2.0)
    ehr.set_faults("north", {f"hostile-metadata-{knob}"})
    metadata = seen(replace(case, allow_writes=False), wanted={Metadata}).get(Metadata)
    assert metadata is not None and metadata.capability is None
