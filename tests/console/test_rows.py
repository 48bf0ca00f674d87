"""What the database itself holds to: partitions, an audit trail that only grows, one ticket a double click."""

import threading
import uuid
from datetime import UTC, date, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from console.accounts.models import AuditEntry
from console.accounts.services import record
from console.notes.log_rows import mask, rows_of, store_rows
from console.notes.models import LogEntry
from console.notes.partitions import ensure_days
from console.tickets.models import Ticket
from console.tickets.services import TicketError, change_state, open_ticket, resolve
from tests.console.builders import a_facility, a_note, a_person, a_ticket, an_integration


@pytest.mark.django_db(transaction=True)
def test_a_double_click_opens_one_ticket() -> None:
    integration = an_integration(a_facility())
    note = a_note(integration)
    key = uuid.uuid4().hex
    start = threading.Barrier(20)
    opened = []

    def click() -> None:
        start.wait()
        opened.append(open_ticket(by=None, integration=integration, notes=[note], idempotency_key=key).number)
        connection.close()

    threads = [threading.Thread(target=click) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 20 and len(set(opened)) == 1
    assert Ticket.objects.filter(idempotency_key=key).count() == 1


@pytest.mark.django_db
def test_log_rows_lie_in_the_partition_of_their_day_and_their_ids_are_hashes() -> None:
    facility = a_facility()
    integration = an_integration(facility)
    note = a_note(integration, external_id="N-1", transaction_id="T-1")
    rows = [
        {"at": "2026-11-20T23:59:59+00:00", "event": "sent", "note_id": "N-1"},
        {"at": "2026-11-21T02:00:00+02:00", "event": "acked", "transaction_id": "T-1", "status": 201},
    ]
    assert store_rows(facility_id=facility.id, integration=integration, log="scribe", rows=rows) == 2
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text, event FROM notes_logentry ORDER BY at")
        assert cursor.fetchall() == [("notes_logentry_20261120", "sent"), ("notes_logentry_20261121", "acked")]
    assert [row["event"] for row in rows_of(note, "scribe")] == ["sent", "acked"]
    assert rows_of(note, "ehr") is None, "a log that is not there is not an empty log"


@pytest.mark.django_db
def test_partitions_are_made_once_and_for_plausible_days_only() -> None:
    ensure_days([date(2026, 3, 1), date(2026, 3, 1)])
    ensure_days([date(2026, 3, 1)])
    with pytest.raises(DatabaseError), transaction.atomic():
        ensure_days([date(1901, 1, 1)])


@pytest.mark.django_db
def test_the_applications_role_owns_nothing_and_cannot_make_tables() -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE mine (id int)")
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE tickets_ticket")


@pytest.mark.django_db
def test_other_notes_rows_of_the_hour_come_along_and_those_of_another_day_do_not() -> None:
    facility = a_facility()
    integration = an_integration(facility)
    note = a_note(integration, external_id="N-1")
    rows = [
        {"at": "2026-11-20T10:00:00+00:00", "event": "sent", "note_id": "N-1"},
        {"at": "2026-11-20T09:00:00+00:00", "event": "sent", "note_id": "N-2"},
        {"at": "2026-11-18T09:00:00+00:00", "event": "sent", "note_id": "N-3"},
    ]
    store_rows(facility_id=facility.id, integration=integration, log="scribe", rows=rows)
    assert [row["note_id"] for row in rows_of(note, "scribe")] == ["N-2", "N-1"]
    assert LogEntry.objects.count() == 3


@pytest.mark.django_db
def test_the_audit_trail_only_grows() -> None:
    facility = a_facility()
    entry = record(by=None, action="test", subject=facility, facility=facility)
    for change in (
        lambda: AuditEntry.objects.filter(pk=entry.pk).update(action="other"),
        lambda: AuditEntry.objects.filter(pk=entry.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
    assert AuditEntry.objects.get(pk=entry.pk).action == "test"


@pytest.mark.django_db
def test_a_ticket_cannot_be_resolved_while_a_note_waits_or_no_cause_is_known() -> None:
    facility = a_facility()
    person = a_person(facility)
    integration = an_integration(facility)
    note = a_note(integration)
    ticket = a_ticket(integration, note)
    change_state(ticket=ticket, to="in_progress", by=person)
    sure = {"category": "authentication", "cause": "auth.token.expired"}
    with pytest.raises(TicketError, match="no end yet"):
        resolve(ticket=ticket, by=person, **sure)
    with pytest.raises(TicketError, match="root cause"):
        resolve(ticket=ticket, by=person, category="", ends={note.id: "by_hand"})
    with pytest.raises(TicketError, match="no such cause"):
        resolve(ticket=ticket, by=person, category="network", cause="net.made.up", ends={note.id: "by_hand"})
    with pytest.raises(TicketError, match="Nothing confirms the fix yet"):
        resolve(ticket=ticket, by=person, ends={note.id: "by_hand"}, **sure)
    resolve(ticket=ticket, by=person, ends={note.id: "by_hand"}, unconfirmed_because="The clinic has closed.", **sure)
    assert ticket.confirmation == "none"
    assert "The clinic has closed." in ticket.comments.get().text
    assert (ticket.confirmed_category, ticket.confirmed_cause) == ("authentication", "auth.token.expired")
    change_state(ticket=ticket, to="in_progress", by=person)
    assert (ticket.reopened, ticket.resolved_at) == (1, None)
    told = list(ticket.events.filter(kind="state").values_list("before", "after"))
    assert told == [("new", "in_progress"), ("in_progress", "resolved"), ("resolved", "in_progress")]


@pytest.mark.django_db
def test_a_state_somebody_else_changed_meanwhile_is_not_overwritten() -> None:
    facility = a_facility()
    one, two = a_person(facility), a_person(facility)
    ticket = a_ticket(an_integration(facility))
    seen = ticket.state
    change_state(ticket=ticket, to="in_progress", by=one, expected=seen)
    with pytest.raises(TicketError, match="Meanwhile"):
        change_state(ticket=ticket, to="waiting", by=two, expected=seen, waiting_for="vendor")


def test_masking_leaves_what_all_occurrences_share() -> None:
    one = mask('Patient "Ann Lee" with MRN-44871 was not found at 2026-11-20T10:00:00Z')
    two = mask('Patient "Bo Day" with MRN-90 was not found at 2026-10-02T11:12:13Z')
    assert one == two
    assert "Ann" not in one and "44871" not in one


def test_masking_keeps_the_quoted_codes_that_tell_errors_apart() -> None:
    one = mask('{"error": "invalid_client", "error_description": "Ann Lee may not"}')
    two = mask('{"error": "invalid_client", "error_description": "Bo Day may not"}')
    assert one == two
    assert "invalid_client" in one and "Ann" not in one
    assert one != mask('{"error": "invalid_scope", "error_description": "Ann Lee may not"}')


def test_times_are_read_with_their_offset() -> None:
    from console.notes.storing import _at

    assert _at("2026-11-21T02:00:00+02:00") == datetime(2026, 11, 21, 0, 0, tzinfo=UTC)
