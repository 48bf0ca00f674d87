"""No statement on the tables of notes walks one to find a few rows, and none opens days of the log it does not name.

All statements are looked at: those that the code spells out (a new one fails here until something asks it) and those
that Django makes, as the console asks them: correlation, one note at once, its page, its rows, searches and lists.
"""

import random
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from console.accounts.models import User
from console.accounts.roles import Role
from console.integrations.models import Integration
from console.notes import by_error, note_rows
from console.notes.correlation import correlate_all, correlate_new, state, trace_of, writing
from console.notes.correlation.offsets import Offsets
from console.notes.ends import end_notes
from console.notes.models import FiledSnapshot, Note, Trace
from console.notes.partitions import ensure_days
from console.notes.queries import find
from console.notes.services import external_hash
from console.notes.storing import Shelf, ensure_partitions
from console.worklist import failures, gaps
from console.worklist.access import Scope
from tests.benchmarks.two_logs import easy
from tests.console.builders import a_department, a_facility, a_note, a_person, an_integration
from tests.console.monitoring.rows import a_source
from tests.console.notes import asked
from tests.console.notes.asked import Asked
from tests.console.notes.logs import Told, rows_in, store
from tests.console.notes.test_storing import entries
from tests.console.pages.documents import logged_in
from tests.console.worklist import crowd
from tests.console.worklist.test_plans import STATEMENTS
from tests.console.worklist.test_plans import World as Lists

NOTES, A_DAY = 1500, 300
FEW, MANY = 10_000, 60_000  # notes of another integration: as many as make a table a large one

# Statements that are to be read whole, or cannot name a day, and why that is no matter of luck.
WHOLE = {
    "notes.correlation.by_engine.UNTOLD": "a full run asks it once, about every note of an integration",
    "page: worklist as a sheet: worklist.lines.traces": "five hundred lines at once",
}
ANY_DAY = {
    "notes.correlation.doors.FIRST": "a full run asks it once, from when to when it goes: one probe a day",
    "worklist.finding._ROWS": "an id alone says nothing of its day: one probe a day and index, by the hash of the id",
}
UNEXPLAINED = {
    "notes.note_rows._NEAR": "the form of NEAR_BEFORE and NEAR_AFTER",
    "notes.correlation.writing._UPSERT": "the form of _OF_NOTE and _OF_NOBODY",
    "notes.retention._DAYS": "asks the catalogue",
    "worklist.failures._where": "a part of the statements of that module",
    "worklist.waiting._NOTE": "a part of the statements of that module",
    "worklist.waiting._some": "a part of counts and count_waiting",
}


@dataclass
class World:
    """Be an integration with some days of notes, told, beside a crowded one; `fresh` are rows nobody has stored."""

    integration: Integration
    beside: Integration
    fresh: list[Told]
    ids: dict[str, str]
    desk: User
    lists: Lists

    @property
    def note(self) -> Note:
        """Give a note that both logs tell of."""
        return Note.objects.get(external_hash=external_hash(self.integration, self.ids["note"]))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(easy, "NOTES_A_DAY", A_DAY)
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    monkeypatch.setattr(easy, "FIRST_DAY", (today - timedelta(days=NOTES // A_DAY)).timestamp())
    easy.write(NOTES, tmp_path)
    rows = rows_in(tmp_path)
    late = set(random.Random(7).sample(range(NOTES), 60))
    fresh = [(log, row) for log, row in rows if row.get("note_id") and int(row["note_id"][2:]) in late]
    facility = a_facility()
    shut = a_department(facility, restricted=True)
    both = [an_integration(facility), an_integration(a_facility())]
    for integration in both:
        store(integration, [told for told in rows if told not in fresh])
        correlate_new(integration=integration)
        _furnish(integration, today)
    beside = an_integration(facility)
    crowd.make(beside, 1, FEW)
    ensure_days((today + timedelta(days=away)).date() for away in range(-20, 21))
    integration = both[0]
    number = next(n for n in range(700, NOTES) if n not in late)
    ids = dict.fromkeys(("note", "transaction", "encounter"), f"N-{number:07d}") | {"request": "r-9", "document": "D-9"}
    lists = Lists(Scope((facility.id,), ()), Scope((facility.id,), (shut.id,)), integration, ids)
    return World(integration, beside, fresh, ids, a_person(facility, Role.INFORMATICS), lists)


def _furnish(integration: Integration, today: datetime) -> None:
    """Make as many offsets as months leave."""
    named = {"integration": integration.pk, "facility": integration.facility_id, "today": today}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO notes_clockoffset (integration_id, site, client, hour, seconds, pairs)"
            " SELECT %(integration)s, 'Far site', client, hour, 0.8, 9 FROM unnest(ARRAY['one', 'two']) AS client,"
            " generate_series(%(today)s - interval '60 days', %(today)s - interval '9 days', interval '1 hour')"
            " AS hour",
            named,
        )


Act = Callable[[World], object]


def _new_rows(world: World) -> None:
    store(world.integration, world.fresh)
    correlate_new(integration=world.integration)


def _waiting_note(world: World) -> None:
    note = world.note
    row = {"at": (note.generated_at + timedelta(minutes=1)).isoformat(), "event": "failed", "status": 500}
    store(world.integration, [("scribe", {**row, "note_id": note.external_id, "error": "invalid_client"})])
    trace_of(world.integration, bytes(note.external_hash))


def _orphan(world: World) -> Trace:
    at = Trace.objects.filter(integration=world.integration).latest("born_at").born_at
    row = {"at": at.isoformat(), "event": "filed", "transaction_id": "TX-nobody", "resource": "DocumentReference/D-no"}
    store(world.integration, [("ehr", row)])
    correlate_new(integration=world.integration)
    return Trace.objects.filter(integration=world.integration, note=None).latest("born_at")


def _told_by_more(world: World) -> None:
    note = world.note
    FiledSnapshot.objects.create(facility=world.integration.facility, note=note, content={"documents": []})
    _waiting_note(world)


def _named_before(world: World) -> None:
    """Let rows tell more of a note that somebody else has named."""
    a_note(world.integration, external_id="N-named", narrative="Plan: rest.")
    at = world.note.trace.born_at
    row = {"at": at.isoformat(), "event": "generated", "note_id": "N-named", "encounter_id": "E-1", "provider_id": "p"}
    store(world.integration, [("scribe", row)])
    correlate_new(integration=world.integration)


def _engine_alone(world: World) -> None:
    Trace.objects.filter(note=world.note).delete()
    _told_by_more(world)
    correlate_all(integration=world.integration)


def _of_long_ago(world: World) -> Note:
    return a_note(world.integration, external_id="N-old", generated_at=timezone.now() - timedelta(days=300))


def _known_rows(world: World) -> None:
    source = a_source(world.integration)
    some = entries(source, range(50))
    ensure_partitions(some)
    Shelf(source, "scribe").put(some, None)


def _offsets(world: World) -> None:
    """Let an hour's offset move, and another go."""
    scope = state.known(world.integration)[1]
    hour = world.note.trace.born_at.replace(minute=0, second=0, microsecond=0)
    held = Offsets(scope, hour, hour + timedelta(hours=1))
    held.learn(hour, hour + timedelta(hours=1), {("Site", "client", hour): (0.5, 3)})
    held.learn(hour, hour + timedelta(hours=1), {})
    held.borrowers(hour, hour + timedelta(hours=1))


def _encounters(world: World) -> None:
    note, scope = world.note, state.known(world.integration)[1]
    at = note.trace.born_at
    writing.weak_in(scope, [bytes(note.encounter_hash)], at - timedelta(days=1), at + timedelta(days=1))


def _failing(world: World) -> Trace:
    return Trace.objects.filter(integration=world.integration, failure_mode="rejected").latest("born_at")


def _error(world: World) -> None:
    list(by_error.with_error(world.desk, "invalid_client: unknown profile"))


AFTER_IMPORT: dict[str, Act] = {
    "rows of some hours, scattered": _new_rows,
    "a document of nobody's": _orphan,
    "everything anew": lambda w: correlate_all(integration=w.integration),
    "whoever has new rows": lambda w: correlate_new(),
    "one note, its rows new": _waiting_note,
    "one note, told": lambda w: trace_of(w.integration, bytes(w.note.external_hash)),
    "one note of which the chart is known": _told_by_more,
    "a note that only the chart tells of": _engine_alone,
    "a note named before its rows came": _named_before,
    "rows stored twice": _known_rows,
    "an offset that moves": _offsets,
    "weak notes of an encounter": _encounters,
    "the logs around a note": lambda w: note_rows.logs_of(w.note),
    "the logs around a note of long ago": lambda w: note_rows.logs_of(_of_long_ago(w)),
}
PAGES: dict[str, Act] = {
    "a pasted id": lambda w: list(find(w.desk, w.ids["note"])),
    "a pasted error": _error,
    "ends": lambda w: end_notes(notes=[w.note], how="by_hand", by=w.desk),
    "failures like one": lambda w: failures.alike_of(w.desk, _failing(w)),
    "silent logs": lambda w: gaps.read_gaps(timezone.now()),
    "page: newest notes": lambda w: _get(w, "/notes/"),
    "page: search": lambda w: logged_in(w.desk).post("/notes/", {"asked": w.ids["note"]}),
    "page: worklist": lambda w: _get(w, "/notes/worklist/"),
    "page: worklist, ended": lambda w: _get(w, "/notes/worklist/?show=ended"),
    "page: worklist, orphans": lambda w: _get(w, "/notes/worklist/?show=orphans"),
    "page: worklist as a sheet": lambda w: _get(w, "/notes/worklist/csv/"),
    "page: failures": lambda w: _get(w, "/notes/failures/"),
    "page: one group": lambda w: _get(w, _group(w)),
    "page: note": lambda w: _get(w, f"/notes/{w.note.pk}/"),
    "page: rows of a note": lambda w: _post(w, f"/notes/{w.note.pk}/rows/"),
    "page: a note beside the chart": lambda w: _post(w, f"/notes/{w.note.pk}/compare/"),
    "page: rows of nobody's document": lambda w: _post(w, f"/notes/only-at-the-ehr/{_orphan(w).pk}/rows/"),
    **{f"list: {name}": lambda w, ask=ask: ask(w.lists) for name, ask in STATEMENTS.items()},
}


def _get(world: World, where: str) -> None:
    assert logged_in(world.desk).get(where).status_code == 200


def _post(world: World, where: str) -> None:
    assert logged_in(world.desk).post(where).status_code == 200


def _group(world: World) -> str:
    trace = _failing(world)
    return f"/notes/failures/{trace.integration_id}/{trace.failure_mode}/{failures.digest_of(trace)}/?period=30d"


def heard(world: World, acts: Mapping[str, Act]) -> Iterator[tuple[str, Asked]]:
    for name, act in acts.items():
        with asked.listening() as found:
            act(world)
        yield from ((name, each) for each in _shapes(found))


def _shapes(found: list[Asked]) -> Iterator[Asked]:
    """Give of each statement the first and the last one: a run asks the same for every hour."""
    shapes: dict[tuple[str, str], list[Asked]] = {}
    for each in found:
        shapes.setdefault((each.sql, each.by), []).append(each)
    for same in shapes.values():
        yield same[0]
        if len(same) > 1:
            yield same[-1]


def check(world: World, acts: Mapping[str, Act], empty: Collection[str] = ()) -> tuple[list[str], set[str]]:
    """Give what is wrong with the plans of everything that is asked, and the names of all that was asked."""
    known = {text: name for name, text in asked.statements().items()}
    wrong, seen = [], set()
    for act, each in heard(world, acts):
        if each.by == "tests":
            continue
        name = known.get(each.sql, each.by)
        seen |= {name, *each.within}
        plan = asked.plan_of(each)
        found = [] if name in WHOLE or f"{act}: {name}" in WHOLE else asked.walks(plan, empty)
        opened, named = asked.days_opened(plan), asked.days_named(each.values)
        if opened and name not in ANY_DAY:
            if named is None:
                found.append("names no day of the log")
            elif not named[0] <= min(opened) <= max(opened) <= named[1]:
                found.append(f"opens {min(opened)} to {max(opened)}, names {named[0]} to {named[1]}")
        wrong += [f"{act}: {name} {fault}" for fault in found]
    return wrong, seen


@pytest.fixture
def nothing_known() -> None:
    """Forget what the planner knows before `world` is made."""
    crowd.forget()


@pytest.mark.django_db
@pytest.mark.usefixtures("nothing_known")
def test_what_follows_an_import_asks_an_index_although_nothing_is_known_of_the_new_rows_yet(world) -> None:
    wrong, _ = check(world, AFTER_IMPORT)
    assert not wrong, "\n".join(dict.fromkeys(wrong))


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("nothing_known")
def test_every_statement_asks_an_index_of_the_days_it_names(world) -> None:
    crowd.make(world.beside, FEW + 1, MANY)
    crowd.analyze()
    wrong, seen = check(world, AFTER_IMPORT | PAGES, asked.empty_tables())
    assert not wrong, "\n".join(dict.fromkeys(wrong))
    known = {*asked.statements(), *asked.writers()}
    untried = sorted(known - seen - set(UNEXPLAINED))
    assert not untried, untried
    stale = sorted(set(UNEXPLAINED) & seen | set(UNEXPLAINED) - known)
    assert not stale, stale
