"""Each fate of an HL7 v2 resend is reached on the practice EHR; MSH-10 and TXA-12 keep a repetition recognisable."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from diagnostics.case import Case
from diagnostics.practice.server import PracticeEhr
from diagnostics.probes.vantage import door_for
from diagnostics.resend import Fate, Way, look
from tests.diagnostics.resend.conftest import NACKED_ONCE, Failed, Once, documents, planned, sent


def with_fhir(ehr: PracticeEhr, case: Case) -> Case:
    """Give an HL7 case the FHIR side of the same EHR to read at."""
    tenant = ehr.tenant("north")
    auth = replace(
        case.integration.auth,
        flow="client-secret",
        token_url=tenant.token_url,
        client_id=tenant.client_id,
        client_secret=tenant.client_secret,
        scopes=("system/DocumentReference.read", "system/DocumentReference.s", "system/Encounter.read"),
    )
    return replace(case, integration=replace(case.integration, fhir_base_url=tenant.fhir_base, auth=auth))


def test_a_healed_ehr_takes_the_same_message(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(NACKED_ONCE)
    how = planned(case)
    assert case.note is not None and how.way is Way.MESSAGE
    assert how.body == case.note.payload and how.control_id == case.note.transaction_id
    assert "only the EHR's log or the interface team" in how.warning
    answer = sent(case, how)
    assert (answer.fate, answer.ack, answer.found) == (Fate.CREATED, "AA", None)
    assert answer.request_id == how.control_id and documents(ehr, how) == 1


def test_the_same_message_again_is_answered_with_the_stored_acknowledgement(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(NACKED_ONCE)
    how = planned(case)
    assert [sent(case, how).fate for _ in range(3)] == [Fate.CREATED] * 3
    assert documents(ehr, how) == 1


@pytest.mark.parametrize("trouble", ["resend-answer-cut", "hl7-no-answer", "hl7-answer-for-another"])
def test_a_lost_acknowledgement_without_a_way_to_read_is_unknown(
    failed: Failed, ehr: PracticeEhr, trouble: str
) -> None:
    case = failed(NACKED_ONCE, timeout_s=0.5)
    how = planned(case)
    ehr.set_faults("north", {trouble})
    answer = sent(case, how)
    assert (answer.fate, answer.ack, answer.found) == (Fate.UNKNOWN, "", None)
    assert "Only the EHR's log or the interface team" in answer.says
    assert asyncio.run(look(case, how, door=door_for(case))).fate is Fate.UNKNOWN
    assert documents(ehr, how) <= 1


def test_a_lost_acknowledgement_is_found_where_the_ehr_has_a_fhir_side(failed: Failed, ehr: PracticeEhr) -> None:
    case = with_fhir(ehr, failed(NACKED_ONCE))
    how = planned(case)
    assert how.lookup.by_identifier and how.looks_for.startswith("A search for the note's own identifier")
    ehr.set_faults("north", {"resend-answer-cut"})
    answer = sent(case, how)
    assert (answer.fate, answer.found, answer.elsewhere) == (Fate.FOUND, 1, False)
    ehr.set_faults("north", ())
    assert sent(case, how).fate is Fate.ALREADY and documents(ehr, how) == 1


def test_a_message_lost_on_the_way_is_absent_where_it_can_be_read(failed: Failed, ehr: PracticeEhr) -> None:
    case = with_fhir(ehr, failed(NACKED_ONCE))
    how = planned(case)
    ehr.set_faults("north", {"resend-request-cut"})
    assert sent(case, how).fate is Fate.ABSENT
    assert documents(ehr, how) == 0


def test_a_refusal_carries_code_and_words(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(NACKED_ONCE, now=("hl7-patient-unknown",))
    answer = sent(case)
    assert (answer.fate, answer.ack) == (Fate.REFUSED, "AE") and "not known here" in answer.reason


def test_a_listener_that_is_closed_got_nothing(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(NACKED_ONCE)
    how = planned(case)
    ehr.set_faults("north", {"net-tcp-refused-mllp"})
    answer = sent(case, how)
    assert answer.fate is Fate.NOT_SENT and documents(ehr, how) == 0


def test_another_message_under_the_same_control_id_is_recognised(failed: Failed, ehr: PracticeEhr) -> None:
    case = with_fhir(ehr, failed(NACKED_ONCE))
    assert case.note is not None and case.note.payload is not None
    sent(case)
    blind = replace(case, integration=replace(case.integration, fhir_base_url=None))
    changed = replace(blind, note=replace(case.note, payload=case.note.payload.replace(b"OBX|1|", b"OBX|9|")))
    how = planned(changed)
    answer = sent(changed, how)
    assert (answer.fate, answer.ack) == (Fate.REFUSED, "AE") and "205" in answer.says
    assert documents(ehr, how) == 1


def test_a_commit_acknowledgement_is_not_taken_for_filing(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(NACKED_ONCE)
    assert case.note is not None and case.note.payload is not None
    head, _, rest = case.note.payload.partition(b"\r")
    enhanced = replace(case, note=replace(case.note, payload=head + b"|||AL|NE\r" + rest))
    answer = sent(enhanced)
    assert (answer.fate, answer.ack) == (Fate.UNKNOWN, "CA") and "safe keeping" in answer.says
    seen = sent(with_fhir(ehr, enhanced), planned(enhanced))
    assert seen.fate is Fate.UNKNOWN  # the plan was made without a way to read, and is carried out as it was made


def test_the_message_goes_over_tls(failed: Failed, ehr: PracticeEhr) -> None:
    tenant = ehr.tenant("north")
    case = failed(NACKED_ONCE)
    hl7 = replace(case.integration.hl7, tls=True, port=tenant.ports["mllps"])
    how = planned(replace(case, integration=replace(case.integration, hl7=hl7)))
    assert how.url.startswith("mllps://") and [d.where for d in how.differences] == ["Address"]
    assert sent(replace(case, integration=replace(case.integration, hl7=hl7)), how).fate is Fate.CREATED


def test_what_todays_settings_change_is_told(failed: Failed) -> None:
    case = failed(NACKED_ONCE)
    hl7 = replace(case.integration.hl7, version="2.4", receiving_application="EHR2")
    how = planned(replace(case, integration=replace(case.integration, hl7=hl7)))
    assert {(d.where, d.before, d.after) for d in how.differences} == {
        ("MSH-12", "2.5.1", "2.4"),
        ("MSH-5", "EHR", "EHR2"),
    }
    head = how.body.split(b"\r")[0].split(b"|")
    assert (head[4], head[9], head[11]) == (b"EHR2", how.control_id.encode(), b"2.4")


def test_a_captured_frame_and_line_feeds_are_tidied(failed: Failed, ehr: PracticeEhr, tmp_path: Path) -> None:
    case = failed(NACKED_ONCE)
    assert case.note is not None and case.note.payload is not None
    captured = b"\x0b" + case.note.payload.replace(b"\r", b"\n") + b"\x1c\r"
    how = planned(replace(case, note=replace(case.note, payload=captured)))
    assert how.body == case.note.payload and [d.where for d in how.differences] == ["Segment ends"]
    assert sent(replace(case, note=replace(case.note, payload=captured)), how, once=Once()).fate is Fate.CREATED
