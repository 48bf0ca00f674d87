"""A signed visit takes an addendum to the note that is filed in it, and nothing else."""

from dataclasses import replace

import pytest

from diagnostics.case import Case, Logs
from diagnostics.practice.fault import Habits
from diagnostics.practice.packaging import document_reference
from diagnostics.practice.server import PracticeEhr
from diagnostics.resend import Fate, Way
from tests.diagnostics.resend.conftest import NACKED_ONCE, Failed, documents, planned, sent
from tests.diagnostics.resend.test_fates_over_hl7 import with_fhir

CLOSED = "perm-encounter-closed"


def file_another(ehr: PracticeEhr, case: Case, **more: object) -> str:
    """File an earlier progress note in the case's visit; returns its id."""
    import datetime
    import random

    from diagnostics.practice.notes import write_note

    tenant = ehr.tenant("north")
    assert case.note is not None
    written = write_note(
        tenant.texts,
        random.Random(len(tenant.store.all("DocumentReference"))),
        patient_id=str(case.note.patient_id),
        encounter_id=str(case.note.encounter_id),
        provider_id=str(case.note.provider_id),
        department="internal-medicine",
        discrete=False,
    )
    at = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)
    resource = {**document_reference(written, at, Habits()), **more}
    return str(tenant.store.create("DocumentReference", resource, at.isoformat())["id"])


def test_the_note_is_appended_to_the_one_filed(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(CLOSED)
    parent = file_another(ehr, case)
    how = planned(case)
    assert how.way is Way.APPEND and how.differences[0].after == f"appends DocumentReference/{parent}"
    answer = sent(case, how)
    assert (answer.fate, answer.status) == (Fate.CREATED, 201), answer
    stored = ehr.tenant("north").store.get("DocumentReference", answer.document_id) or {}
    assert stored["relatesTo"] == [{"code": "appends", "target": {"reference": f"DocumentReference/{parent}"}}]
    assert documents(ehr, how) == 1
    again = sent(case, how)
    assert again.fate is Fate.ALREADY and documents(ehr, how) == 1


def test_every_byte_of_the_original_stays_in_the_addendum(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(CLOSED)
    file_another(ehr, case)
    assert case.note is not None and case.note.payload is not None
    assert planned(case).body.endswith(case.note.payload[1:])


@pytest.mark.parametrize(
    ("others", "words"),
    [
        ((), "no note of this kind is filed"),
        (({"status": "entered-in-error"},), "no note of this kind is filed"),
        (({"docStatus": "preliminary"},), "no note of this kind is filed"),
        (({"type": {"coding": [{"code": "28570-0"}]}},), "no note of this kind is filed"),
        (({}, {}), "2 notes of this kind"),
    ],
)
def test_without_one_note_to_append_to_it_is_refused(
    failed: Failed, ehr: PracticeEhr, others: tuple[dict[str, object], ...], words: str
) -> None:
    case = failed(CLOSED)
    for each in others:
        file_another(ehr, case, **each)
    how = planned(case)
    assert how.way is None and words in how.refused and how.digest == ""
    assert sent(case, how).fate is Fate.NOT_SENT


def test_a_visit_whose_documents_cannot_be_read_is_refused(failed: Failed) -> None:
    how = planned(failed(CLOSED, now=("resend-no-search",)))
    assert how.way is None and "could not be read" in how.refused


def test_a_visit_that_merely_ended_takes_its_note(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    assert case.note is not None and case.encounters
    ended = replace(case, encounters=({**case.encounters[0], "status": "finished", "signed": False},))
    assert planned(ended).way is Way.CONDITIONAL_CREATE
    unsigned = {k: v for k, v in case.encounters[0].items() if k != "signed"} | {"status": "finished"}
    assert planned(replace(case, encounters=(unsigned,))).way is Way.CONDITIONAL_CREATE
    signed = replace(case, encounters=({**case.encounters[0], "signed": True},))
    assert "signed or closed" in planned(signed).refused


def test_the_ehrs_refusal_closes_a_visit_of_which_no_signature_is_known(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(CLOSED)
    assert case.encounters
    unsigned = {k: v for k, v in case.encounters[0].items() if k != "signed"}
    file_another(ehr, case)
    assert planned(replace(case, encounters=(unsigned,))).way is Way.APPEND
    assert planned(replace(case, encounters=None)).way is Way.APPEND


def test_a_message_becomes_an_addendum_with_its_parent(failed: Failed, ehr: PracticeEhr) -> None:
    first = with_fhir(ehr, failed(NACKED_ONCE))
    assert first.note is not None and first.note.payload is not None and first.encounters
    filed = planned(first)
    sent(first, filed)  # the note that is filed in the visit
    close(ehr, first)
    later = first.note.payload.replace(filed.control_id.encode(), b"TX-LATER").replace(b"Plan", b"Also plan")
    case = replace(
        first,
        note=replace(first.note, id="N-later", transaction_id="TX-LATER", payload=later, generated_at=None),
        encounters=({**first.encounters[0], "signed": True, "status": "finished"},),
        logs=Logs(),
    )
    how = planned(case)
    assert how.way is Way.ADDENDUM, how.refused
    segments = {line.split(b"|")[0]: line.split(b"|") for line in how.body.split(b"\r") if line}
    assert segments[b"MSH"][8] == b"MDM^T06^MDM_T02" and segments[b"EVN"][1] == b"T06"
    assert segments[b"TXA"][13] == filed.body.split(b"TXA|")[1].split(b"|")[11]
    assert segments[b"TXA"][12] == b"DTX-LATER"
    assert how.control_id == segments[b"MSH"][9].decode() and len(how.control_id) == 20
    assert {d.where for d in how.differences} == {"MSH-9", "EVN-1", "TXA-13", "MSH-10"}
    answer = sent(case, how)
    assert (answer.fate, answer.ack, answer.found) == (Fate.CREATED, "AA", 1), answer
    assert sent(case, how).fate is Fate.ALREADY and documents(ehr, how) == 1


def close(ehr: PracticeEhr, case: Case) -> None:
    """Sign the case's visit at the EHR."""
    store = ehr.tenant("north").store
    assert case.note is not None
    held = store.get("Encounter", str(case.note.encounter_id)) or {}
    store.put({**held, "status": "finished", "extension": [{"url": "urn:practice:signed", "valueBoolean": True}]})


def test_a_message_to_a_closed_visit_without_a_way_to_read_is_refused(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(NACKED_ONCE)
    assert case.encounters
    signed = replace(case, encounters=({**case.encounters[0], "signed": True},))
    how = planned(signed)
    assert how.way is None and "could not be read" in how.refused


def test_the_ehr_refuses_a_plain_message_to_a_closed_visit_and_an_addendum_to_nothing(
    failed: Failed, ehr: PracticeEhr
) -> None:
    case = failed(NACKED_ONCE)
    close(ehr, case)
    answer = sent(replace(case, encounters=None), planned(replace(case, encounters=None)))
    assert (answer.fate, answer.ack) == (Fate.REFUSED, "AE")
    assert case.note is not None and case.note.payload is not None
    t06 = case.note.payload.replace(b"MDM^T02^MDM_T02", b"MDM^T06^MDM_T02")
    lost = replace(case, encounters=None, note=replace(case.note, payload=t06))
    assert "not known" in sent(lost).reason
