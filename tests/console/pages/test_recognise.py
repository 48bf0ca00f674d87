"""What a paste is taken for, by its form alone."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.tickets.recognise import recognise

MESSAGE = "\n".join(
    [
        "MSH|^~\\&|SCRIBE|NC|EHR|NC|20261122165813||MDM^T02|TX-77|P|2.5.1",
        "PID|1||MRN-4^^^NC||Sample^Person",
        "PV1|1|O|||||||||||||||||E-88213",
        "TXA|1|PN",
    ]
)
REFERENCE = {
    "resourceType": "DocumentReference",
    "id": "dr-9",
    "identifier": [{"system": "urn:x", "value": "TX-91"}],
    "subject": {"reference": "Patient/p-3"},
    "context": {"encounter": [{"reference": "Encounter/E-5"}]},
}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "required", "diagnostics": "note N-5f21c"}],
}


@pytest.mark.parametrize(
    ("text", "kind", "lookups"),
    [
        ("N-5f21c", "id", ("N-5f21c",)),
        ("  E-88213 \n", "id", ("E-88213",)),
        ("Encounter/E-88213", "id", ("Encounter/E-88213", "E-88213")),
        ("note id: N-5f21c", "id", ("N-5f21c",)),
        ("encounter E-88213", "id", ("E-88213",)),
        ("7d9a1f5e-2a9a-4e15-9be2-1d5d3b7cb2aa", "id", ("7d9a1f5e-2a9a-4e15-9be2-1d5d3b7cb2aa",)),
        (MESSAGE, "hl7", ("TX-77", "E-88213")),
        (MESSAGE.replace("\n", "\r"), "hl7", ("TX-77", "E-88213")),
        ("\x0b" + MESSAGE.replace("\n", "\r") + "\r\x1c\r", "hl7", ("TX-77", "E-88213")),
        (json.dumps(REFERENCE), "fhir", ("dr-9", "TX-91", "E-5")),
        (json.dumps({"resourceType": "Bundle", "entry": [{"resource": REFERENCE}]}), "fhir", ("dr-9", "TX-91", "E-5")),
        (
            (
                '<DocumentReference xmlns="http://hl7.org/fhir"><id value="dr-9"/>'
                '<identifier><value value="TX-91"/></identifier></DocumentReference>'
            ),
            "fhir",
            ("dr-9", "TX-91"),
        ),
        (json.dumps(OUTCOME), "error", ("N-5f21c",)),
        ("MSH|^~\\&|EHR|NC|SCRIBE|NC|20261122||ACK|A-1|P|2.5.1\rMSA|AE|TX-77|Field missing", "error", ("TX-77",)),
        ("connection refused", "error", ()),
        ("timeout", "error", ()),
        ("HTTP/1.1 401 Unauthorized for N-5f21c", "error", ("N-5f21c",)),
        ('{"error": "invalid_client"', "error", ()),
    ],
)
def test_a_paste_is_recognised(text, kind, lookups) -> None:
    found = recognise(text)
    assert (found.kind, found.lookups) == (kind, lookups)


def test_a_status_inside_an_error_text_is_read() -> None:
    assert recognise("HTTP/1.1 401 Unauthorized").status == 401
    assert recognise("the server answered with status code: 503").status == 503
    assert recognise("it took 404 apples").status is None


def test_a_message_keeps_its_bytes_with_the_segment_ends_of_the_standard() -> None:
    found = recognise(MESSAGE)
    assert found.payload == MESSAGE.replace("\n", "\r").encode()
    assert found.ids == {"transaction_id": "TX-77", "encounter_id": "E-88213", "patient_id": "MRN-4"}


@settings(max_examples=150, deadline=None)
@given(st.text(min_size=1, max_size=400) | st.text('MSH|^~\\&{}[]"<>:,\r\n\x0b aé1', min_size=1, max_size=200))
def test_nothing_pasted_breaks_it(text) -> None:
    assert recognise(text).kind in {"id", "error", "hl7", "fhir"}
