"""Alerts in their whole life: one a cause, told, ticketed, joined, muted, over."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.models import OutgoingMail
from console.accounts.roles import Role
from console.diagnoses.models import Run
from console.integrations.models import MaintenanceWindow
from console.monitoring import services
from console.monitoring.evaluating import evaluate
from console.monitoring.measures import measure
from console.monitoring.models import Alert, AlertEvent, AlertMail, AlertRule, Evaluation, RuleKind
from console.notes.correlation import correlate_new
from console.notes.models import Note
from console.shared.work import WorkState
from console.tickets.models import Ticket, TicketEvent
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.monitoring.rows import a_note_story, take

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def integration(facility):
    return an_integration(facility)


def fail(integration, count: int, at: datetime, *, ends: str = "failed", name: str = "f", **more):
    take(integration, *(a_note_story(f"{name}{n}", at + minutes(n / 2), ends=ends, **more) for n in range(count)))


def succeed(integration, count: int, at: datetime, name: str = "g", **more):
    take(integration, *(a_note_story(f"{name}{n}", at + minutes(n / 2), **more) for n in range(count)))


def test_three_failures_open_one_alert_with_a_ticket_that_holds_the_notes_and_a_run(integration, facility) -> None:
    engineer = a_person(facility, Role.INTEGRATION_ENGINEER)
    gone = a_person(facility, Role.INTEGRATION_ENGINEER)
    gone.is_active = False
    gone.save()
    a_person(facility, Role.HELP_DESK)
    fail(integration, 4, NINE)
    assert len(evaluate(now=NINE + minutes(5)).opened) == 1
    alert = Alert.objects.get()
    assert (alert.kind, alert.integration, alert.says) == ("success_rate", integration, "The last 3 notes all failed.")
    assert {row.note.external_id for row in alert.ticket.ticket_notes.all()} == {"N-f0", "N-f1", "N-f2", "N-f3"}
    assert alert.ticket.run.state == WorkState.QUEUED
    assert alert.ticket.opened_by is None
    assert alert.ticket.events.get(kind=TicketEvent.Kind.ALERT).reference == alert.id
    mail = OutgoingMail.objects.get()
    assert (mail.to, mail.about) == (engineer.email, "alert")
    assert str(alert.id) in mail.body
    assert f"/tickets/{alert.ticket.number}/" in mail.body
    for secret in ("N-f", "TX-f", "E-f", "P-f", "prov"):
        assert secret not in mail.subject + mail.body + alert.says


def test_looking_again_changes_nothing_and_more_failures_go_on_the_same_alert(integration) -> None:
    fail(integration, 3, NINE)
    evaluate(now=NINE + minutes(5))
    first = Alert.objects.get()
    evaluate(now=NINE + minutes(5))
    again = Alert.objects.get()
    assert (again.occurrences, again.last_seen_at) == (first.occurrences, first.last_seen_at) == (3, NINE + minutes(5))
    fail(integration, 2, NINE + minutes(6), name="more")
    evaluate(now=NINE + minutes(8))
    assert Alert.objects.get().occurrences == 5
    assert Alert.objects.get().ticket.ticket_notes.count() == 5
    assert Ticket.objects.count() == 1
    assert Run.objects.count() == 1


def test_it_is_over_when_notes_arrive_again_and_mail_and_ticket_say_so(integration, facility) -> None:
    a_person(facility, Role.INTEGRATION_ENGINEER)
    fail(integration, 3, NINE)
    evaluate(now=NINE + minutes(5))
    succeed(integration, 4, NINE + minutes(10))
    assert evaluate(now=NINE + minutes(15)).ended == [], "the failures are still within the windows"
    outcome = evaluate(now=NINE + minutes(32))
    alert = Alert.objects.get()
    assert outcome.ended == [alert]
    assert alert.ended_at == NINE + minutes(32)
    told = alert.ticket.events.filter(kind=TicketEvent.Kind.ALERT).order_by("at").values_list("before", flat=True)
    assert list(told) == ["opened", "ended"]
    assert list(AlertMail.objects.order_by("mail__created_at").values_list("at_end", flat=True)) == [False, True]
    assert OutgoingMail.objects.filter(subject__startswith="Over:").count() == 1
    assert evaluate(now=NINE + minutes(33)).opened == []


def test_a_note_without_any_answer_counts_once_its_time_is_over(integration) -> None:
    fail(integration, 3, NINE, ends="silent")
    assert evaluate(now=NINE + minutes(29)).opened == []
    assert len(evaluate(now=NINE + minutes(32)).opened) == 1


def test_an_ehr_log_that_comes_late_is_no_outage(integration) -> None:
    succeed(integration, 5, NINE - minutes(90), name="early")
    succeed(integration, 5, NINE, name="late", ends="acked")
    assert evaluate(now=NINE + minutes(40)).opened == []
    succeed(integration, 1, NINE + minutes(5), name="after", ends="filed")
    told = measure([integration.id], NINE + minutes(40))[integration.id]
    assert len(told.failing) == 5, "the EHR's log reaches beyond them now and does not know them"
    assert [alert.kind for alert in evaluate(now=NINE + minutes(40)).opened] == ["success_rate"]


def test_an_answer_with_5xx_fires_at_once_and_clears_after_half_an_hour(integration) -> None:
    succeed(integration, 2, NINE)
    fail(integration, 1, NINE + minutes(2), ends="refused", status=503)
    evaluate(now=NINE + minutes(3))
    alert = Alert.objects.get()
    assert (alert.kind, alert.occurrences) == ("ehr_5xx", 1)
    assert evaluate(now=NINE + minutes(31)).ended == []
    assert evaluate(now=NINE + minutes(33)).ended == [alert]


def test_a_token_request_that_fails_is_no_5xx_of_the_ehr_and_takes_what_follows_with_it(integration) -> None:
    fail(integration, 4, NINE, ends="no_token", status=503)
    evaluate(now=NINE + minutes(3))
    alert = Alert.objects.get()
    assert (alert.kind, alert.occurrences) == ("token", 4)
    assert list(alert.events.filter(kind="joined").values_list("rule_kind", flat=True)) == ["success_rate"]
    fail(integration, 1, NINE + minutes(3), name="server", ends="refused", status=500)
    # That note got its token, so the token's alert ends, and what fails now is a cause of its own.
    outcome = evaluate(now=NINE + minutes(4))
    assert [one.kind for one in outcome.ended] == ["token"]
    assert Alert.objects.filter(ended_at=None).count() == 0, "its failures are the echo of what is just over"
    fail(integration, 1, NINE + minutes(40), name="server2", ends="refused", status=500)
    assert [one.kind for one in evaluate(now=NINE + minutes(41)).opened] == ["ehr_5xx"]


def test_token_rows_without_ids_pair_with_the_failure_right_after_them(integration) -> None:
    asked = {"at": NINE.isoformat(), "event": "token"}
    refused = {"at": (NINE + timedelta(seconds=1)).isoformat(), "event": "failed", "status": 400}
    granted = {"at": (NINE + minutes(20)).isoformat(), "event": "token", "status": 200, "request_id": "r1"}
    take(integration, {"scribe": [asked, refused], "ehr": []})
    assert [alert.kind for alert in evaluate(now=NINE + minutes(1)).opened] == ["token"]
    take(integration, {"scribe": [granted], "ehr": []})
    assert [alert.kind for alert in evaluate(now=NINE + minutes(21)).ended] == ["token"]


def test_an_alert_joins_the_open_ticket_that_holds_one_of_its_notes(integration) -> None:
    fail(integration, 3, NINE)
    correlate_new(integration=integration)
    known = Note.objects.get(external_hash=Note.objects.order_by("generated_at").first().external_hash)
    ticket = a_ticket(integration, known, diagnose=False)
    evaluate(now=NINE + minutes(5))
    ticket.refresh_from_db()
    assert Ticket.objects.count() == 1
    assert ticket.ticket_notes.count() == 3
    assert ticket.run is not None
    assert ticket.events.get(kind=TicketEvent.Kind.ALERT).before == "joined"


def test_two_alerts_of_one_integration_share_a_ticket_and_another_integration_has_its_own(
    integration, facility
) -> None:
    fail(integration, 3, NINE)
    evaluate(now=NINE + minutes(5))
    fail(integration, 1, NINE + minutes(6), name="server", ends="refused", status=502)
    other = an_integration(facility)
    fail(other, 3, NINE + minutes(5))
    evaluate(now=NINE + minutes(8))
    tickets = {(alert.integration_id, alert.kind): alert.ticket_id for alert in Alert.objects.all()}
    mine = {tickets[integration.id, "success_rate"], tickets[integration.id, "ehr_5xx"]}
    assert len(mine) == 1
    assert tickets[other.id, "success_rate"] not in mine


def test_a_ticket_resolved_while_notes_go_on_failing_is_followed_up(integration) -> None:
    fail(integration, 3, NINE)
    evaluate(now=NINE + minutes(5))
    first = Alert.objects.get().ticket
    Ticket.objects.filter(pk=first.pk).update(state="resolved", resolved_at=NINE + minutes(6))
    evaluate(now=NINE + minutes(7))
    assert Ticket.objects.count() == 1, "nothing failed since"
    fail(integration, 3, NINE + minutes(8), name="later")
    evaluate(now=NINE + minutes(12))
    assert Ticket.objects.count() == 2
    assert Alert.objects.get().ticket != first


def test_notes_of_a_restricted_department_do_not_hide_the_ticket_of_the_others(integration, facility) -> None:
    fail(integration, 4, NINE)
    correlate_new(integration=integration)
    shut = a_department(facility, restricted=True)
    note = Note.objects.order_by("generated_at").first()
    Note.objects.filter(pk=note.pk).update(department=shut)
    evaluate(now=NINE + minutes(5))
    ticket = Alert.objects.get().ticket
    assert note.id not in set(ticket.ticket_notes.values_list("note_id", flat=True))
    assert ticket.ticket_notes.count() == 3


def test_within_maintenance_it_is_recorded_and_nobody_is_told_until_the_window_ends(integration, facility) -> None:
    a_person(facility, Role.INTEGRATION_ENGINEER)
    MaintenanceWindow.objects.create(integration=integration, start_at=NINE - minutes(10), end_at=NINE + minutes(10))
    fail(integration, 3, NINE)
    evaluate(now=NINE + minutes(5))
    alert = Alert.objects.get()
    assert alert.muted
    assert not Ticket.objects.exists()
    assert not OutgoingMail.objects.exists()
    evaluate(now=NINE + minutes(10))
    alert.refresh_from_db()
    assert not alert.muted
    assert alert.ticket is not None
    assert OutgoingMail.objects.count() == 1


def test_an_end_within_maintenance_is_silent_too(integration, facility) -> None:
    a_person(facility, Role.INTEGRATION_ENGINEER)
    MaintenanceWindow.objects.create(integration=integration, start_at=NINE - minutes(10), end_at=NINE + minutes(90))
    fail(integration, 3, NINE)
    succeed(integration, 4, NINE + minutes(10))
    evaluate(now=NINE + minutes(5))
    evaluate(now=NINE + minutes(35))
    assert Alert.objects.get().ended_at is not None
    assert not OutgoingMail.objects.exists()


def test_a_rule_that_is_off_or_another_number_holds_for_the_facility_or_one_integration(integration, facility) -> None:
    engineer = a_person(facility, Role.INTEGRATION_ENGINEER)
    other = an_integration(facility)
    for one in (integration, other):
        fail(one, 2, NINE, ends="no_token", name=f"{one.name}-")
    rule = {"kind": RuleKind.TOKEN, "min_sample": 20, "by": engineer, "facility": facility}
    services.set_rule(threshold=3, active=True, **rule)
    assert evaluate(now=NINE + minutes(2)).opened == []
    services.set_rule(threshold=2, active=True, integration=other, **rule)
    assert [alert.integration for alert in evaluate(now=NINE + minutes(2)).opened] == [other]
    services.set_rule(threshold=2, active=False, integration=other, **rule)
    ended = evaluate(now=NINE + minutes(3)).ended
    assert [alert.integration for alert in ended] == [other]
    assert AlertEvent.objects.get(alert=ended[0], kind="ended").says == "It is no longer watched."
    assert AlertRule.objects.filter(facility=facility, integration=None).count() == 4


def test_acknowledging_counts_once(integration, facility) -> None:
    fail(integration, 3, NINE)
    evaluate(now=NINE + minutes(5))
    first, second = a_person(facility), a_person(facility)
    for person in (first, second):
        services.acknowledge(alert=Alert.objects.get(), by=person)
    alert = Alert.objects.get()
    assert alert.acknowledged_by == first
    assert alert.events.filter(kind="acknowledged").count() == 1


def test_the_price_of_a_quiet_look_does_not_grow_with_integrations_or_notes(facility) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert evaluate(now=NINE + minutes(20)).opened == []
        return len(caught)

    succeed(an_integration(facility), 3, NINE)
    queries()
    few = queries()
    for number in range(5):
        succeed(an_integration(a_facility()), 4, NINE, name=f"i{number}-")
    queries()
    assert queries() == few
    assert few < 20


def test_a_minute_is_looked_at_once_and_an_older_one_never_after_a_newer(integration) -> None:
    row = services.request_evaluation(now=NINE + timedelta(seconds=59))
    assert services.request_evaluation(now=NINE).pk == row.pk
    assert services.execute(row.pk)
    assert not services.execute(row.pk)
    assert Evaluation.objects.get().state == WorkState.DONE
    fail(integration, 3, NINE - minutes(5))
    late = services.request_evaluation(now=NINE - minutes(1))
    assert services.execute(late.pk)
    assert not Alert.objects.exists()


def test_old_looks_are_cleared_away(integration) -> None:
    old = services.request_evaluation(now=NINE - timedelta(days=3))
    Evaluation.objects.filter(pk=old.pk).update(state=WorkState.DONE)
    assert services.execute(services.request_evaluation(now=NINE).pk)
    assert list(Evaluation.objects.values_list("slot", flat=True)) == [NINE]


def test_the_daily_look_asks_once_a_day_for_what_nobody_looked_at_and_writes_nothing(
    integration, facility, settings
) -> None:
    a_ticket(an_integration(facility), a_note(integration), diagnose=False)
    an_integration(facility, active=False)
    runs = services.look_daily()
    assert {run.writes for run in runs} == {False}
    assert integration in {run.integration for run in runs}
    assert len(runs) == 2
    assert services.look_daily() == []
    Run.objects.update(created_at=NINE - timedelta(days=400))
    settings.MONITORING_DAILY_LOOK = False
    assert services.look_daily() == []
