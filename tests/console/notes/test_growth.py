"""What is asked about one note or one hour costs the same when ten times as many notes are stored.

Work is counted, never seconds: statements, rows that PostgreSQL fetched (its own counters), rows its plans looked at,
and pages of tables and indexes they touched; of a full run, which asks thousands of times, statements and fetched rows.
The lists have a test of their own (worklist/test_plans.py).
"""

from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from console.accounts.models import User
from console.accounts.roles import Role
from console.integrations.models import Integration
from console.notes import note_rows
from console.notes.correlation import correlate_all, correlate_new, trace_of
from console.notes.models import LogEntry, Note, Trace
from console.notes.services import external_hash
from console.worklist import finding
from console.worklist.access import Scope
from tests.benchmarks.two_logs import easy
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.monitoring.rows import a_note_story
from tests.console.notes import asked
from tests.console.notes.logs import Told, rows_in, store
from tests.console.pages.documents import logged_in
from tests.console.worklist import crowd

pytestmark = pytest.mark.django_db(transaction=True)

FEW, MANY, A_DAY = 300, 3000, 30
FLAT = 1.5  # a larger index may have a level more
BY_DAY = MANY / FEW * FLAT  # what an id alone asks: every day of the log, of which there are ten times as many
IN_ALL = 15.0  # for ten times the notes
A_FEW = 12  # pages or rows more or less are no growth
BESIDE = 10_000  # notes of somebody else's: of a table that is small, reading all is the cheapest way
BUSY = 20  # notes of an hour


@dataclass(frozen=True)
class Work:
    """Be what some act cost the database."""

    statements: int
    fetched: int
    looked_at: int
    pages: int


@dataclass
class World:
    """Be an integration with so many notes, and people who look at one of yesterday's."""

    integration: Integration
    desk: User
    today: datetime
    note: Note


Act = Callable[[World], object]


@pytest.fixture
def grown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], World]]:
    """Give what makes a world of so many notes, told, a hundred a day up to yesterday."""

    crowd.make(an_integration(a_facility()), 1, BESIDE)

    def make(count: int) -> World:
        today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        monkeypatch.setattr(easy, "NOTES_A_DAY", A_DAY)
        monkeypatch.setattr(easy, "FIRST_DAY", (today - timedelta(days=count // A_DAY)).timestamp())
        easy.write(count, tmp_path / str(count))
        integration = an_integration(a_facility())
        store(integration, [*rows_in(tmp_path / str(count)), *_an_hour("own", today - timedelta(hours=30))])
        correlate_new(integration=integration)
        note = Note.objects.get(external_hash=external_hash(integration, "N-own-4"))
        crowd.analyze()
        with connection.cursor() as cursor:  # in a day of thirty notes the way of a full day is to be counted
            cursor.execute("SET enable_seqscan = off")
        return World(integration, a_person(integration.facility, Role.INFORMATICS), today, note)

    yield make
    with connection.cursor() as cursor:
        cursor.execute("RESET enable_seqscan")


def _an_hour(name: str, at: datetime) -> Iterator[Told]:
    """Give the rows of an hour that is alike in every world."""
    for number in range(BUSY):
        ends = ("filed", "refused")[number % 2]
        story = a_note_story(f"{name}-{number}", at + timedelta(minutes=5 + 2 * number), ends=ends)
        yield from ((log, row) for log, rows in story.items() for row in rows)


def _store_new_hour(world: World) -> None:
    store(world.integration, _an_hour("new", world.today))


def _store_for_one(world: World) -> None:
    at = world.note.trace.last_at + timedelta(seconds=20)
    row = {"at": at.isoformat(), "event": "failed", "status": 500, "note_id": world.note.external_id}
    store(world.integration, [("scribe", {**row, "error": "invalid_client"})])


def _one(world: World) -> Trace | None:
    return trace_of(world.integration, bytes(world.note.external_hash))


def _get(world: World, where: str) -> None:
    assert logged_in(world.desk).get(where).status_code == 200


def _post(world: World, where: str, **form: str) -> None:
    assert logged_in(world.desk).post(where, form).status_code in (200, 302)


def _find(world: World, kind: str) -> None:
    """Look a note up by an id that only the log knows."""
    assert kind in ("request_id", "resource")
    rows = LogEntry.objects.filter(integration=world.integration, transaction_hash=world.note.transaction_hash)
    word = next(row.sealed[kind] for row in rows if row.sealed.get(kind))
    with asked.listening() as found:
        assert finding.by_id(Scope((world.integration.facility_id,), ()), word).notes == (world.note.pk,)
    assert found


STEPS: dict[str, tuple[Act | None, Act, float]] = {  # what happens before, what is measured, how it may grow
    "a told note": (None, _one, FLAT),
    "a told note's page": (None, lambda w: _get(w, f"/notes/{w.note.pk}/"), FLAT),
    "its rows": (None, lambda w: _post(w, f"/notes/{w.note.pk}/rows/"), FLAT),
    "the logs around it": (None, lambda w: note_rows.logs_of(w.note), FLAT),
    "found by its id": (None, lambda w: _post(w, "/notes/", asked=w.note.external_id), FLAT),
    "a note whose rows have just come": (_store_for_one, _one, FLAT),
    "these rows, correlated": (None, lambda w: correlate_new(integration=w.integration), FLAT),
    "a new hour": (_store_new_hour, lambda w: correlate_new(integration=w.integration), FLAT),
    "nothing new": (None, lambda w: correlate_new(integration=w.integration), FLAT),
    "found by its request": (None, lambda w: _find(w, "request_id"), BY_DAY),
    "everything anew": (None, lambda w: correlate_all(integration=w.integration), IN_ALL),
}


def measured(world: World) -> Iterator[tuple[str, Work]]:
    for name, (before, act, growth) in STEPS.items():
        if before:
            before(world)
        with transaction.atomic():  # the counters below are those of one transaction
            counted = _fetched()
            with asked.listening() as heard:
                act(world)
            fetched = _fetched() - counted
        again = [each for each in heard if each.reads and each.by != "tests"] if growth != IN_ALL else []
        plans = [asked.plan_of(each, run=True) for each in again]
        looked_at = sum(_looked_at(node) for plan in plans for node in asked.nodes(plan))
        pages = sum(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] for plan in plans)
        yield name, Work(len(heard), fetched, round(looked_at), pages)


def _fetched() -> int:
    """Count the rows of the tables of notes that this transaction has fetched."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::bigint FROM pg_stat_xact_user_tables"
            " WHERE relname LIKE 'notes\\_%'"
        )
        return int(cursor.fetchone()[0] or 0)


def _looked_at(node: dict[str, Any]) -> float:
    """Give the rows that a scan looked at, whether it gave them or not."""
    if "Relation Name" not in node:
        return 0.0
    each = sum(node.get(name, 0) for name in ("Actual Rows", "Rows Removed by Filter", "Rows Removed by Index Recheck"))
    return float(each * node["Actual Loops"])


def test_one_note_and_one_hour_cost_the_same_among_ten_times_as_many(grown) -> None:
    few, many = (dict(measured(grown(count))) for count in (FEW, MANY))
    wrong = [
        f"{name}: {was.name} {before} became {after}"
        for name, (_, _, growth) in STEPS.items()
        for was, before, after in zip(fields(Work), astuple(few[name]), astuple(many[name]), strict=True)
        if after > growth * before + A_FEW
    ]
    assert not wrong, "\n".join(wrong)
    assert all(few[name].statements and few[name].fetched for name in STEPS)
