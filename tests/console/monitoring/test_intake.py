"""Rows taken in: what is stored, what is the same again, what is set aside, and which notes become known."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.notes.correlation import correlate_new
from console.notes.intake import KeyReused, take_body, take_rows
from console.notes.log_rows import rows_of
from console.notes.models import LogEntry, LogImport, Note, QuarantinedLine
from console.notes.queries import find
from tests.console.builders import a_facility, a_note, a_person, an_integration
from tests.console.monitoring.rows import a_note_story, a_source, body, lines

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def integration():
    return an_integration(a_facility())


def good(**more: object) -> dict[str, object]:
    return {"at": AT.isoformat(), "event": "sent", "note_id": "N-1", **more}


def test_rows_are_stored_once_however_often_they_come(integration) -> None:
    source, story = a_source(integration), a_note_story(1, AT)["scribe"]
    first = take_rows(source=source, log="scribe", lines=lines(story))
    assert (first.rows, first.stored, first.duplicate, first.quarantined) == (5, 5, 0, 0)
    shuffled = [dict(reversed(row.items())) for row in reversed(story)]
    again = take_rows(source=source, log="scribe", lines=lines([*shuffled, *shuffled]))
    assert (again.rows, again.stored, again.duplicate, again.quarantined) == (10, 0, 10, 0)
    assert LogEntry.objects.count() == 5
    other = take_rows(source=source, log="scribe", lines=lines([story[0] | {"attempt": 2}]))
    assert other.stored == 1


def test_the_same_instant_in_another_zone_is_the_same_row_and_another_source_is_not(integration) -> None:
    source = a_source(integration)
    take_rows(source=source, log="scribe", lines=lines([good()]))
    east = good(at="2026-11-20T11:00:00+02:00")
    assert take_rows(source=source, log="scribe", lines=lines([east])).duplicate == 1
    elsewhere = a_source(an_integration(integration.facility))
    assert take_rows(source=elsewhere, log="scribe", lines=lines([good()])).stored == 1


def test_a_stored_row_reads_back_as_it_came_and_its_note_is_found_by_every_id(integration) -> None:
    story = a_note_story("7f", AT)
    source = a_source(integration)
    for log in ("scribe", "ehr"):
        take_rows(source=source, log=log, lines=lines(story[log]))
    person = a_person(integration.facility)
    for pasted in ("N-7f", "TX-7f", "E-7f", "Encounter/E-7f"):
        assert [note.external_id for note in find(person, pasted)] == ["N-7f"], pasted
    note = Note.objects.get()
    assert note.generated_at == AT
    assert note.provider == "prov-7"
    assert note.identifiers["patient_id"] == "P-7f"
    assert list(rows_of(note, "ehr")) == story["ehr"]
    assert [row["event"] for row in rows_of(note, "scribe")] == ["generated", "packaged", "token", "sent", "acked"]
    assert not find(a_person(a_facility()), "N-7f")


def test_a_note_that_is_known_already_is_filled_in_and_keeps_what_it_had(integration) -> None:
    known = a_note(integration, external_id="N-1", payload=b"{}", payload_name="note.json", narrative="Rest.")
    take_rows(source=a_source(integration), log="scribe", lines=lines(a_note_story(1, AT)["scribe"]))
    correlate_new(integration=integration)
    note = Note.objects.get()
    assert note.id == known.id
    assert (note.payload, note.narrative, note.external_id) == (b"{}", "Rest.", "N-1")
    assert note.generated_at == AT
    assert note.identifiers["transaction_id"] == "TX-1"
    assert find(a_person(integration.facility), "TX-1").get() == note


def test_rows_of_one_second_keep_the_order_of_the_file(integration) -> None:
    events = ["token", "failed", "token", "sent", "failed", "sent", "acked", "queued"]
    story = [good(event=event, attempt=number) for number, event in enumerate(events)]
    take_rows(source=a_source(integration), log="scribe", lines=lines(story))
    correlate_new(integration=integration)
    assert [row["event"] for row in rows_of(Note.objects.get(), "scribe")] == events


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"not json", "is not JSON"),
        (b'{"at": "2026-11-20T09:00:00Z", "event": "sent"', "is not JSON"),
        (b'["a"]', "is not a JSON object"),
        (b"17", "is not a JSON object"),
        (b'{"at": NaN, "event": "sent"}', "is not JSON"),
        (b"\xff\xfe{}", "is not UTF-8 text"),
        (b"{\x00}", "holds a NUL character"),
        (json.dumps(good(site="a\x00b")).encode(), "holds a NUL character"),
        (json.dumps(good(extra={"x": ["\x00"]})).encode(), "holds a NUL character"),
        (json.dumps(good(site="\ud800")).encode(), "holds half a character"),
        (json.dumps(good(error="x" * 1024 * 1024)).encode(), "is longer than 1 MB"),
        (b"[" * 100_000, "is not JSON"),
        (json.dumps(good(x=json.loads("[" * 90 + "]" * 90))).encode(), "is nested too deeply"),
        (json.dumps(good(event="")).encode(), "event is missing"),
        (json.dumps(good(event=3)).encode(), "event is not text"),
        (json.dumps(good(event="filed")).encode(), "event is none of generated"),
        (json.dumps({"event": "sent"}).encode(), "at is missing"),
        (json.dumps(good(at="yesterday")).encode(), "at is not an ISO 8601 time"),
        (json.dumps(good(at="1999-12-31T23:59:59Z")).encode(), "at lies before the year 2000"),
        (json.dumps(good(at="0001-01-01T00:00:00+14:00")).encode(), "at is not a plausible time"),
        (json.dumps(good(at="9999-12-31T23:59:59Z")).encode(), "at lies more than a day in the future"),
        (json.dumps(good(note_id={"a": 1})).encode(), "note_id is not text"),
        (json.dumps(good(note_id="N" * 201)).encode(), "note_id is longer than 200 characters"),
        (json.dumps(good(provider_id="p" * 81)).encode(), "provider_id is longer than 80 characters"),
        (json.dumps(good(status="teapot")).encode(), "status is no HTTP status"),
        (json.dumps(good(status=True)).encode(), "status is no HTTP status"),
        (json.dumps(good(status=10**400)).encode(), "status is no HTTP status"),
        (json.dumps(good(ack="OK")).encode(), "ack is none of AA"),
        (json.dumps(good(latency_ms="fast")).encode(), "latency_ms is not a number"),
        (json.dumps(good(response_headers="none")).encode(), "response_headers is not an object"),
    ],
)
def test_a_line_that_is_no_row_is_set_aside_with_a_plain_reason(integration, line, reason) -> None:
    receipt = take_rows(source=a_source(integration), log="scribe", lines=[b"", line, *lines([good()])])
    assert (receipt.rows, receipt.stored, receipt.duplicate, receipt.quarantined) == (2, 1, 0, 1)
    [(number, said)] = receipt.problems
    assert number == 2
    assert said.startswith(reason)
    kept = QuarantinedLine.objects.get()
    whole = line if len(line) <= 1024 * 1024 else line[:4096]
    assert (kept.number, kept.reason, kept.line) == (2, said, whole)
    made = LogImport.objects.get()
    assert (made.rows, made.stored, made.quarantined) == (2, 1, 1)


def test_what_is_set_aside_lies_sealed_in_the_database(integration) -> None:
    take_rows(source=a_source(integration), log="scribe", lines=[b'{"patient": "Ada Example"'])
    with connection.cursor() as cursor:
        cursor.execute("SELECT line FROM notes_quarantinedline")
        assert b"Ada" not in bytes(cursor.fetchone()[0])


def test_texts_that_are_odd_but_right_are_stored(integration) -> None:
    odd = [
        good(status="201", attempt="2", note_id=17, made_up={"x": [1, None]}),
        good(event=" Sent ", error={"resourceType": "OperationOutcome"}, at="2026-11-20T09:00:01.5-06:00"),
        good(error="a\u2028b\u0085c\\u0000", status=None, ack="aa"),
    ]
    receipt = take_rows(source=a_source(integration), log="scribe", lines=[*lines(odd), b"  \r", b"\n"])
    assert (receipt.stored, receipt.quarantined) == (3, 0)
    assert sorted(LogEntry.objects.values_list("status", "ack"), key=str) == [(201, ""), (None, ""), (None, "AA")]


def test_a_time_without_an_offset_belongs_to_the_sources_zone_or_is_refused(integration) -> None:
    naive = [good(at="2026-11-20T09:00:00"), good(at="2026-03-08T02:30:00")]
    chicago = a_source(integration, time_zone="America/Chicago")
    receipt = take_rows(source=chicago, log="scribe", lines=lines(naive))
    assert LogEntry.objects.get().at == datetime(2026, 11, 20, 15, tzinfo=UTC)
    assert receipt.problems == [(2, "at does not exist in the source's time zone: the clocks went forward")]
    nowhere = a_source(integration, time_zone="")
    receipt = take_rows(source=nowhere, log="scribe", lines=lines(naive[:1]))
    assert receipt.problems == [(1, "at has no UTC offset, and the source names no time zone")]


def test_a_clock_a_little_ahead_is_believed(integration) -> None:
    soon = good(at=(timezone.now() + timedelta(hours=20)).isoformat())
    assert take_rows(source=a_source(integration), log="scribe", lines=lines([soon])).stored == 1


def test_audit_events_are_rows_of_the_ehr(integration) -> None:
    event = {"resourceType": "AuditEvent", "recorded": AT.isoformat(), "action": "C", "outcome": "0",
             "entity": [{"what": {"reference": "Encounter/E-1"}},
                        {"what": {"reference": "DocumentReference/9", "identifier": {"value": "TX-1"}}}]}  # fmt: skip
    bundle = {"resourceType": "Bundle", "entry": [{"resource": event}, {"resource": event | {"outcome": "8"}}]}
    receipt = take_rows(
        source=a_source(integration), log="ehr", lines=lines([event, bundle, {"resourceType": "Bundle"}])
    )
    assert (receipt.rows, receipt.stored, receipt.duplicate, receipt.quarantined) == (4, 2, 1, 1)
    assert set(LogEntry.objects.values_list("event", flat=True)) == {"filed", "rejected"}


def test_the_number_of_queries_does_not_depend_on_the_rows_of_a_batch(integration) -> None:
    source = a_source(integration)

    def queries(start: int, count: int) -> int:
        rows = [row for n in range(start, start + count) for row in a_note_story(n, AT)["scribe"]]
        with CaptureQueriesContext(connection) as caught:
            receipt = take_rows(source=source, log="scribe", lines=[*lines(rows), b"x" * count])
        assert receipt.stored == len(rows)
        return len(caught)

    queries(0, 1)  # the facility's keys are read once
    few = queries(1, 1)
    assert queries(100, 120) == few
    assert few < 20


def test_the_same_request_gives_the_same_receipt_and_stores_nothing_twice(integration) -> None:
    source, sent = a_source(integration), body(a_note_story(1, AT)["scribe"]) + b"\nbroken"
    first = take_body(source=source, log="scribe", body=sent, via="api", request_key="once")
    again = take_body(source=source, log="scribe", body=sent, via="api", request_key="once")
    assert again == first
    assert (again.stored, again.duplicate, again.problems) == (5, 0, [(6, first.problems[0][1])])
    assert LogImport.objects.count() == 1
    with pytest.raises(KeyReused):
        take_body(source=source, log="scribe", body=sent + b" ", via="api", request_key="once")
    with pytest.raises(KeyReused):
        take_body(source=source, log="ehr", body=sent, via="api", request_key="once")
    elsewhere = a_source(an_integration(integration.facility))
    assert take_body(source=elsewhere, log="scribe", body=sent, via="api", request_key="once").stored == 5


def test_every_broken_line_of_a_flood_is_kept_and_the_first_are_told(integration) -> None:
    receipt = take_rows(source=a_source(integration), log="ehr", lines=[b"x"] * 2500)
    assert receipt.quarantined == receipt.rows == QuarantinedLine.objects.count() == 2500
    assert len(receipt.problems) == 1000
