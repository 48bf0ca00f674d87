"""What must not be resent is refused in words that say what to do instead."""

from dataclasses import replace

import pytest

from diagnostics.case import Case, Hl7Interface, Logs
from diagnostics.evidence.chart_seen import ChartSeen, DocumentSeen
from diagnostics.evidence.fhir import EncounterNow, ReadBack
from diagnostics.evidence.network import HttpAnswer
from diagnostics.resend import plan
from tests.diagnostics.resend.cases import bag_of, case_of, document, message, offered, plan_of

ANSWER = HttpAnswer("GET", "https://ehr.example/fhir/DocumentReference", 200)
NOTE_ROW = {"note_id": "N-1", "transaction_id": "TX-1"}


def row(event: str, at: str = "2026-03-02T09:00:00+00:00", **more: object) -> dict[str, object]:
    return {**NOTE_ROW, "at": at, "event": event, **more}


def filed_row(**more: object) -> dict[str, object]:
    held = {"at": "2026-03-02T09:00:01+00:00", "event": "filed", "transaction_id": "TX-1", "patient_id": "P-1"}
    return {**held, "encounter_id": "E-1", "fields": {"PLAN": "Rest"}, **more}


def without_listener() -> Case:
    case = case_of(message(), hl7=True)
    return replace(case, integration=replace(case.integration, hl7=Hl7Interface()))


TAKEN = (row("generated"), row("sent", url="https://ehr.example/fhir/DocumentReference"), row("acked", status=201))


def logged(scribe: tuple[object, ...], ehr: tuple[object, ...] | None = None) -> Logs:
    return Logs(scribe=scribe, ehr=ehr)  # type: ignore[arg-type]


REFUSED: dict[str, tuple[Case, str, tuple[object, ...]]] = {
    "no payload": (case_of(None), "as it was sent is not at hand", ()),
    "an empty payload": (case_of(b""), "cannot be read", ()),
    "a torn payload": (case_of(b'{"resourceType": "Docu'), "cannot be read", ()),
    "the other protocol": (case_of(message()), "of another protocol", ()),
    "the other protocol, the other way": (case_of(document(), hl7=True), "of another protocol", ()),
    "a bundle": (case_of({"resourceType": "Bundle", "entry": []}), "a Bundle", ()),
    "no document": (case_of({"resourceType": "Observation"}), "Observation and no document", ()),
    "another patient": (case_of(document(), note_patient_id="P-2"), "another patient than the note", ()),
    "another visit": (case_of(document(), note_encounter_id="E-2"), "another visit than the note", ()),
    "another patient in PID-3": (case_of(message(), hl7=True, note_patient_id="P-2"), "another patient", ()),
    "another visit in PV1-19": (case_of(message(), hl7=True, note_encounter_id="E-2"), "another visit", ()),
    "a visit of another patient": (
        case_of(document(), encounters=({"id": "E-1", "status": "in-progress", "patient_id": "P-2"},)),
        "visit belongs to another patient",
        (),
    ),
    "delivered": (
        case_of(document(), logs=logged(TAKEN, (filed_row(),))),
        "in the chart already, so resending",
        (),
    ),
    "misplaced": (
        case_of(document(), logs=logged(TAKEN, (filed_row(patient_id="P-9"),))),
        "in the wrong place",
        (),
    ),
    "not yet due": (
        case_of(document(), logs=logged((row("generated", "2026-03-02T09:59:30+00:00"),))),
        "may still be sent. It may still arrive",
        (),
    ),
    "never made": (case_of(document(), logs=logged((row("token", status=200),))), "never made this note", ()),
    "in the chart as given": (case_of(document(), filed={"found": True}, logs=Logs()), "in the chart already", ()),
    "found by looking": (case_of(document()), "in the chart already", (ChartSeen(found=1),)),
    "found twice by looking": (case_of(document()), "more than once", (ChartSeen(found=2),)),
    "found under another patient": (
        case_of(document()),
        "privacy officer at once",
        (ChartSeen(found=1, elsewhere=True),),
    ),
    "withdrawn": (case_of(document()), "withdrawn there", (ChartSeen(found=0, withdrawn=1),)),
    "found by a run's read-back": (
        case_of(document()),
        "in the chart already",
        (offered(), ReadBack(answer=ANSWER, found=1)),
    ),
    "a cancelled visit": (
        case_of(document()),
        "cancelled or entered in error",
        (EncounterNow(answer=ANSWER, status="cancelled"),),
    ),
    "no address": (case_of(document(), fhir_base_url=None), "no web address", ()),
    "no http address": (case_of(document(), fhir_base_url="ftp://ehr.example"), "no web address", ()),
    "no listener": (without_listener(), "no host and port", ()),
    "a batch": (case_of(b"BHS|^~\\&|A\r" + message(), hl7=True), "several messages", ()),
    "two messages": (
        case_of(b"\x0b" + message() + b"\x1c\r\x0b" + message() + b"\x1c\r", hl7=True),
        "several messages",
        (),
    ),
    "no note": (
        case_of(message(MSH="MSH|^~\\&|A|S|B|H|2026||ADT^A01|TX-1|P|2.5.1"), hl7=True),
        "ADT and carries no note",
        (),
    ),
    "no control id": (
        case_of(message(MSH="MSH|^~\\&|A|S|B|H|2026||MDM^T02||P|2.5.1"), hl7=True),
        "no control id",
        (),
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_words(name: str) -> None:
    case, words, evidence = REFUSED[name]
    how = plan_of(case, *evidence)  # type: ignore[arg-type]
    assert how.way is None and words in how.refused, how.refused
    assert (how.digest, how.body, how.headers, how.url) == ("", b"", (), "")
    assert how.refused.endswith(".") and how.looks_for


def test_each_refusal_says_something_of_its_own() -> None:
    assert len(REFUSED) > 25
    case, _words, _evidence = REFUSED["no payload"]
    without_note = Case(integration=case.integration, now=case.now)
    assert "about no single note" in plan(without_note, bag_of(without_note)).refused


def test_a_read_back_by_a_parameter_that_the_server_does_not_know_proves_nothing() -> None:
    back = ReadBack(answer=ANSWER, found=7)
    assert plan_of(case_of(document()), offered(search_params=("patient",)), back).way is not None


@pytest.mark.parametrize("written", ["Patient/P-1", "P-1", "https://ehr.example/fhir/Patient/P-1/_history/3"])
def test_the_same_patient_written_another_way_is_the_same(written: str) -> None:
    assert plan_of(case_of(document(), note_patient_id=written), offered()).way is not None


def test_a_record_number_with_its_authority_and_zeros_is_the_same() -> None:
    case = case_of(message(PID="PID|1||0042^^^A^MR~X7^^^B^PI||SAMPLE^PATIENT"), hl7=True, note_patient_id="42^^^A")
    assert plan_of(case).way is not None


def test_a_refused_plan_still_says_how_the_note_is_found() -> None:
    how = plan_of(case_of(document()), offered(), ChartSeen(found=1, others=(DocumentSeen("1"),)))
    assert how.way is None and how.lookup.identifiers == (("urn:scribe", "TX-1"),) and how.lookup.possible
