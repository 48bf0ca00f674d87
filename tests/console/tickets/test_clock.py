"""A ticket's clock: targets by severity and calendar, pauses that are said, and the page that sets them."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.tickets.models import BusinessCalendar, Severity, Ticket, TicketEvent, TicketState
from console.tickets.moves import move
from console.tickets.services import change_state, set_severity
from console.tickets.states import target
from console.tickets.waits import waits_of
from tests.console.builders import a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import a_diagnosed_ticket, logged_in

pytestmark = pytest.mark.django_db
OFFICE = {str(day): ["08:00", "18:00"] for day in range(1, 6)}
NEW_YORK = ZoneInfo("America/New_York")


@pytest.fixture
def facility():
    return a_facility(time_zone="America/New_York")


@pytest.fixture
def desk(facility):
    return a_person(facility)


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=NEW_YORK)


def a_calendar(facility, **fields) -> BusinessCalendar:
    return BusinessCalendar.objects.create(facility=facility, **{"hours": OFFICE, **fields})


def at_work(ticket, at: str, to: str, **fields) -> None:
    """Move a ticket at a certain time, as a person did who is not named here."""
    move(ticket, TicketState(to), None, at=local(at), **fields)


# -- targets -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("severity", Severity.values)
def test_where_nothing_is_set_the_houses_own_hours_run_day_and_night(facility, severity) -> None:
    opened = local("2026-11-20T17:30")
    ticket = a_ticket(an_integration(facility), severity=severity, opened_at=opened)
    assert ticket.target_at == target(severity, opened)
    assert ticket.target_at - opened in [timedelta(hours=h) for h in (1, 4, 8, 24, 72)]


def test_a_calendar_puts_the_target_into_working_hours(facility) -> None:
    a_calendar(facility)
    ticket = a_ticket(an_integration(facility), opened_at=local("2026-11-20T17:30"))
    assert ticket.target_at == local("2026-11-23T11:30")


def test_what_runs_round_the_clock_does_so_on_a_calendar_too(facility) -> None:
    a_calendar(facility, round_the_clock=["b_undocumented"], targets={"b_undocumented": 2.5})
    opened = local("2026-11-20T17:30")
    assert a_ticket(an_integration(facility), opened_at=opened).target_at == opened + timedelta(hours=2.5)


def test_a_new_severity_counts_its_target_from_the_opening(facility, desk) -> None:
    a_calendar(facility)
    ticket = a_ticket(an_integration(facility), opened_at=local("2026-11-20T17:30"))
    set_severity(ticket=ticket, severity="a_wrong_patient", by=desk)
    assert ticket.target_at == local("2026-11-23T08:30")


# -- pauses --------------------------------------------------------------------------------------------------------


@pytest.fixture
def ticket(facility):
    a_calendar(facility, pausing=["vendor"])
    ticket = a_ticket(an_integration(facility), opened_at=local("2026-11-20T15:30"))
    at_work(ticket, "2026-11-20T16:00", "in_progress")
    return ticket


def test_waiting_on_whom_it_says_pauses_the_target_and_the_end_of_waiting_sets_it_anew(ticket) -> None:
    assert ticket.target_at == local("2026-11-23T09:30")
    at_work(ticket, "2026-11-20T17:00", "waiting", waiting_for="vendor")
    assert ticket.paused_left_s == int(2.5 * 3600)
    assert not ticket.is_late  # however late it gets
    at_work(ticket, "2026-11-25T10:00", "in_progress")
    assert ticket.paused_left_s is None
    assert ticket.target_at == local("2026-11-25T12:30")
    first, second = ticket.events.filter(kind=TicketEvent.Kind.PAUSED).order_by("at", "id")
    assert (datetime.fromisoformat(first.before), first.after) == (local("2026-11-23T09:30"), "left 9000")
    assert (second.before, datetime.fromisoformat(second.after)) == ("left 9000", local("2026-11-25T12:30"))


def test_waiting_on_somebody_else_pauses_nothing(ticket) -> None:
    at_work(ticket, "2026-11-20T17:00", "waiting", waiting_for="provider")
    assert ticket.paused_left_s is None
    assert ticket.target_at == local("2026-11-23T09:30")


def test_going_on_to_wait_for_somebody_else_lets_the_clock_go_on(ticket) -> None:
    at_work(ticket, "2026-11-20T17:00", "waiting", waiting_for="vendor")
    at_work(ticket, "2026-11-23T09:00", "waiting", waiting_for="provider")
    assert (ticket.paused_left_s, ticket.target_at) == (None, local("2026-11-23T11:30"))
    assert [(wait.waiting_for, wait.until) for wait in waits_of(ticket)] == [
        ("vendor", local("2026-11-23T09:00")),
        ("provider", None),
    ]


def test_a_target_that_has_passed_stays_missed(ticket) -> None:
    at_work(ticket, "2026-11-24T09:00", "waiting", waiting_for="vendor")
    assert ticket.paused_left_s is None
    assert ticket.is_late


def test_a_severity_set_while_the_clock_stands_still_gives_the_pauses_back(ticket, desk) -> None:
    at_work(ticket, "2026-11-20T17:00", "waiting", waiting_for="vendor")
    at_work(ticket, "2026-11-23T08:00", "in_progress")
    at_work(ticket, "2026-11-23T09:00", "waiting", waiting_for="vendor")
    set_severity(ticket=ticket, severity="c_misplaced", by=desk)
    # Eight hours: an hour and a half on Friday, an hour on Monday, so that five and a half are left.
    assert ticket.paused_left_s == int(5.5 * 3600)
    at_work(ticket, "2026-11-24T08:00", "in_progress")
    assert ticket.target_at == local("2026-11-24T13:30")


def test_the_page_says_since_when_the_target_is_paused_and_how_long_each_wait_was(facility, desk) -> None:
    a_calendar(facility, pausing=["vendor"], hours={})
    ticket = a_diagnosed_ticket(facility)
    change_state(ticket=ticket, to="waiting", by=desk, waiting_for="vendor")
    text = logged_in(desk).get(f"/tickets/{ticket.number}/").content.decode()
    assert "target paused since" in text
    assert re.search(r"since \d+ \w+ [\d:]+, (3 h 59 m|4 h) left", text)
    assert "the vendor: " in text
    assert "until now" in text
    assert re.search(r"paused the target with (3 h 59 m|4 h) left", text)


# -- reports -------------------------------------------------------------------------------------------------------


def test_a_report_counts_by_the_target_that_the_ticket_was_told(facility) -> None:
    from console.reports.queries import lives

    told = lambda person: lives(person, [facility.pk], local("2026-11-01T00:00"), local("2026-12-01T00:00"))  # noqa: E731
    manager = a_person(facility, Role.MANAGER)
    a_ticket(an_integration(facility), opened_at=local("2026-11-20T17:30"))
    assert [row.told_target_at for row in told(manager)] == [None]
    a_calendar(facility)
    ticket = a_ticket(an_integration(facility), opened_at=local("2026-11-20T17:30"))
    assert told(manager)[-1].told_target_at == ticket.target_at == local("2026-11-23T11:30")


# -- the page of an administrator ----------------------------------------------------------------------------------


def form(**fields) -> dict:
    hours = {"a_wrong_patient": "1", "b_undocumented": "4", "c_misplaced": "8", "d_delayed": "24", "e_none": "72"}
    data = {f"hours_{severity}": value for severity, value in hours.items()}
    for day in range(1, 6):
        data |= {f"from_{day}": "08:00", f"to_{day}": "18:00"}
    return {**data, "step": "save", "seen_version": "0", **fields}


@pytest.fixture
def administrator(facility):
    return a_person(facility, Role.ADMINISTRATOR)


def test_an_administrator_tries_an_example_and_saves(facility, administrator) -> None:
    client, where = logged_in(administrator), f"/targets/{facility.slug}/"
    assert "day and night" in client.get(where).content.decode()
    tried = client.post(where, form(step="try", opened="2026-11-20T17:30")).content.decode()
    assert "opened Fri 20 Nov 17:30, 4 h → <b>Mon 23 Nov 11:30</b>" in tried
    assert not BusinessCalendar.objects.exists()
    saved = client.post(where, form(holidays="2026-12-25 Christmas\n", pausing=["vendor"], hours_d_delayed="20"))
    assert saved.status_code == 302
    row = BusinessCalendar.objects.get()
    assert (row.hours, row.holidays, row.pausing) == (OFFICE, ["2026-12-25"], ["vendor"])
    assert (row.targets, row.version) == ({"d_delayed": 20.0}, 1)
    assert AuditEntry.objects.get(action="targets.saved").who == administrator
    assert 'value="08:00"' in client.get(where).content.decode()


def test_two_administrators_at_once_see_both_versions(facility, administrator) -> None:
    client, where = logged_in(administrator), f"/targets/{facility.slug}/"
    assert client.post(where, form(hours_b_undocumented="6")).status_code == 302
    late = client.post(where, form(hours_b_undocumented="5"))
    text = late.content.decode()
    assert late.status_code == 409
    assert "<b>Undocumented encounter</b>: 6 h" in text
    assert 'name="hours_b_undocumented" value="5"' in text
    assert client.post(where, form(hours_b_undocumented="5", seen_version="1")).status_code == 302
    assert BusinessCalendar.objects.get().targets == {"b_undocumented": 5.0}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"from_1": "8 o'c"}, "Monday: “8 o&#x27;c” is no time of day; write it like 08:30."),
        ({"to_2": ""}, "Tuesday: Give both times, or neither."),
        ({"from_3": "18:00", "to_3": "08:00"}, "Wednesday: The end must come after the beginning."),
        ({"holidays": "2026-12-25\nChristmas"}, "Line 2: “Christmas” does not begin with a date like 2026-12-25."),
        ({"hours_e_none": "0"}, "greater than or equal to 0.25"),
        ({"opened": "soon"}, "Give a date and a time."),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_saved(facility, administrator, wrong, says) -> None:
    answer = logged_in(administrator).post(f"/targets/{facility.slug}/", form(**wrong))
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not BusinessCalendar.objects.exists()


def test_a_target_that_would_never_come_is_refused(facility, administrator) -> None:
    data = form(hours_e_none="2000", from_1="08:00", to_1="08:15")
    for day in range(2, 6):
        data |= {f"from_{day}": "", f"to_{day}": ""}
    answer = logged_in(administrator).post(f"/targets/{facility.slug}/", data)
    assert answer.status_code == 422
    assert "do not give so much time" in answer.content.decode()


# -- severity ------------------------------------------------------------------------------------------------------


def concluded(ticket, mode: str, cause: str = "") -> Ticket:
    """Let a diagnosis of a ticket conclude."""
    from console.diagnoses.models import Run
    from console.shared.work import WorkState
    from console.tickets.conclusions import take_conclusion

    note = ticket.ticket_notes.first()
    run = Run.objects.create(
        facility_id=ticket.facility_id, integration=ticket.integration, note=note.note if note else None,
        ticket_id=ticket.id, state=WorkState.DONE, document={"journey": [], "steps": []},
        failure_mode=mode, cause=cause, finished_at=datetime.now(UTC),
    )  # fmt: skip
    Ticket.objects.filter(pk=ticket.pk).update(run=run)
    take_conclusion(run)
    ticket.refresh_from_db()
    return ticket


@pytest.mark.parametrize(
    ("mode", "cause", "severity"),
    [
        ("misplaced", "map.patient.mismatch", "a_wrong_patient"),
        ("rejected", "map.patient.mismatch", "b_undocumented"),
        ("misplaced", "map.section.misrouted", "c_misplaced"),
        ("partial", "", "c_misplaced"),
        ("delayed", "", "d_delayed"),
        ("delivered", "", "e_none"),
        ("never_sent", "auth.assertion.kid", "b_undocumented"),
        ("unknown", "", "b_undocumented"),
    ],
)
def test_a_diagnosis_proposes_the_severity(facility, mode, cause, severity) -> None:
    integration = an_integration(facility)
    ticket = concluded(a_ticket(integration, a_note(integration)), mode, cause)
    assert ticket.severity == severity
    assert ticket.target_at == target(severity, ticket.opened_at)
    assert [event.by for event in ticket.events.filter(kind="severity")] == (
        [] if severity == "b_undocumented" else [None]
    )


def test_a_persons_word_stays(facility, desk) -> None:
    integration = an_integration(facility)
    ticket = a_ticket(integration, a_note(integration))
    set_severity(ticket=ticket, severity="d_delayed", by=desk)
    assert concluded(ticket, "misplaced", "map.patient.mismatch").severity == "d_delayed"
    said = a_ticket(integration, a_note(integration), severity="a_wrong_patient")
    assert concluded(said, "delivered").severity == "a_wrong_patient"


def test_a_run_that_looked_at_one_of_several_notes_makes_nothing_milder(facility) -> None:
    integration = an_integration(facility)
    ticket = a_ticket(integration, a_note(integration), a_note(integration))
    assert concluded(ticket, "delivered").severity == "b_undocumented"
    assert concluded(ticket, "misplaced", "map.patient.mismatch").severity == "a_wrong_patient"
