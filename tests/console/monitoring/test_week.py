"""A generated week: each planted incident alerts once, with its start and its end where they belong; quiet days do not.

Two integrations, about 2,000 notes, one note in a hundred failing by itself; looked at every 15 minutes.
"""

import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from console.accounts.roles import Role
from console.diagnoses.models import Run
from console.monitoring.certificates import take_certificates
from console.monitoring.evaluating import evaluate
from console.monitoring.models import Alert, AlertMail, RuleKind
from console.shared.work import WorkState
from console.tickets.models import Ticket, TicketNote
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.monitoring.rows import a_note_story, take

pytestmark = pytest.mark.django_db

MONDAY = datetime(2025, 6, 2, tzinfo=UTC)
LOOK = timedelta(minutes=15)
ENDS = MONDAY + timedelta(days=5, hours=12) + timedelta(days=30)  # 30 days before: Saturday noon


def moment(day: int, hour: float) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour)


OUTAGE = (moment(1, 10), moment(1, 12))  # Tuesday: three of five notes get no connection
BURST = (moment(2, 14), moment(2, 14.34))  # Wednesday: every answer is a 503
NIGHT = (moment(3, 22), moment(4, 6))  # Thursday night: no token is granted
RENEWED = moment(6, 15)


def clinic(source: random.Random, name: str) -> list[tuple[str, datetime]]:
    """Give the notes of a week: busy weekdays, few at the weekend, a rush while the outage and the burst last."""
    found = []
    for day in range(7):
        for hour in range(7, 19):
            rate = 13 if day < 5 else 2
            if name == "north" and day == 1 and 9 <= hour < 13:
                rate = 130
            if name == "lake" and day == 2 and hour == 14:
                rate = 40
            for _ in range(rate):
                found.append(moment(day, hour + source.random()))
    return [(f"{name}-{number}", at) for number, at in enumerate(sorted(found))]


def tell(source: random.Random, name: str, number: str, at: datetime) -> dict:
    took = source.uniform(2, 20)
    within = {"north": OUTAGE, "lake": BURST}[name]
    if within[0] <= at < within[1]:
        if name == "lake":
            return a_note_story(number, at, ends="refused", status=503, took_s=took)
        if source.random() < 0.6:
            return a_note_story(number, at, ends="failed", took_s=took)
    if source.random() < 0.01:
        return a_note_story(number, at, ends=source.choice(["refused", "failed"]), took_s=took)
    return a_note_story(number, at, took_s=took)


def the_night() -> dict:
    """Give the token requests of the night, which carry no note, and the one in the morning that is granted."""
    rows = []
    at = NIGHT[0]
    while at < NIGHT[1]:
        asked = {"at": at.isoformat(), "event": "token", "url": "https://auth.ehr.example/token"}
        refused = {"at": (at + timedelta(seconds=1)).isoformat(), "event": "failed", "status": 401, "error": "expired"}
        rows += [asked, refused]
        at += timedelta(minutes=30)
    return {"scribe": [*rows, {"at": NIGHT[1].isoformat(), "event": "token", "status": 200}], "ehr": []}


def a_look_from_within(integration, at: datetime, ends: datetime) -> None:
    facts = {"not_before": (ends - timedelta(days=365)).isoformat(), "not_after": ends.isoformat()}
    run = Run.objects.create(
        facility_id=integration.facility_id, integration=integration, state=WorkState.DONE, started_at=at,
        document={"facts": {"certificates": {"fhir.lake.example:443": facts}}},
    )  # fmt: skip
    take_certificates(run)


def test_each_planted_incident_alerts_once_and_quiet_days_are_silent(capsys) -> None:
    began = time.monotonic()
    source = random.Random(20250602)
    facility = a_facility()
    a_person(facility, Role.INTEGRATION_ENGINEER)
    places = {name: an_integration(facility) for name in ("north", "lake")}
    stories = {name: [tell(source, name, *note) for note in clinic(source, name)] for name in places}
    for name, told in stories.items():
        take(places[name], *told)
    take(places["north"], the_night())
    a_look_from_within(places["lake"], MONDAY, ENDS)
    fed = time.monotonic() - began
    looks, renewed = 0, False
    now = MONDAY + LOOK
    while now <= MONDAY + timedelta(days=7):
        if now >= RENEWED and not renewed:
            a_look_from_within(places["lake"], RENEWED, ENDS + timedelta(days=365))
            renewed = True
        assert evaluate(now=now).troubled == 0
        looks, now = looks + 1, now + LOOK

    alerts = {(alert.integration, RuleKind(alert.kind)): alert for alert in Alert.objects.order_by("opened_at", "id")}
    expected = {
        (places["north"], RuleKind.SUCCESS_RATE): (*OUTAGE, timedelta(minutes=45)),
        (places["lake"], RuleKind.EHR_5XX): (*BURST, timedelta(minutes=45)),
        (places["north"], RuleKind.TOKEN): (*NIGHT, LOOK),
        (places["lake"], RuleKind.CERTIFICATE): (ENDS - timedelta(days=30), RENEWED, LOOK),
    }
    with capsys.disabled():
        print(
            f"\n  {sum(map(len, stories.values()))} notes, {looks} looks, rows in {fed:.1f} s, "
            f"all {time.monotonic() - began:.1f} s"
        )
        for alert in Alert.objects.order_by("opened_at", "id"):
            print(
                f"  {alert.get_kind_display():32} {alert.opened_at:%a %H:%M} to {alert.ended_at:%a %H:%M}  "
                f"{alert.occurrences:4} counted  {alert.says}"
            )
    assert Alert.objects.count() == len(expected), "each incident once, and nothing else"
    assert alerts.keys() == expected.keys()
    for key, (start, end, at_most) in expected.items():
        alert = alerts[key]
        assert start <= alert.opened_at <= start + 2 * LOOK, key
        assert alert.ended_at is not None, key
        assert end <= alert.ended_at <= end + at_most, key

    # Each has its ticket with its notes and its diagnosis asked for, and a mail at start and end.
    assert Ticket.objects.count() == 4
    assert not Ticket.objects.filter(run=None).exists()
    counts = Counter(TicketNote.objects.values_list("ticket__alerts__kind", flat=True))
    assert counts[RuleKind.SUCCESS_RATE] == 50
    assert counts[RuleKind.EHR_5XX] >= 4
    assert counts[RuleKind.CERTIFICATE] == 0
    assert Counter(AlertMail.objects.values_list("at_end", flat=True)) == {False: 4, True: 4}
    # The burst failed three notes in a row as well: that joined the burst's alert and opened none of its own.
    burst = alerts[places["lake"], RuleKind.EHR_5XX]
    assert list(burst.events.filter(kind="joined").values_list("rule_kind", flat=True)) == [RuleKind.SUCCESS_RATE]
