"""A stretch of rows gives the same stories as all rows, for the notes of its hours; rows in any order, too."""

import random
from bisect import bisect_left
from datetime import timedelta

import pytest

from diagnostics.tracing.correlate import Joined
from diagnostics.tracing.reduced import reduced
from diagnostics.tracing.story import MARGIN, Clocks, Row, around, hour_of, medians
from tests.benchmarks.two_logs import hard


@pytest.fixture(scope="module")
def logs(tmp_path_factory) -> tuple[list[Row], list[Row]]:
    import json

    folder = tmp_path_factory.mktemp("hard")
    hard.write(1500, folder, seed=5)
    read = {
        log: [json.loads(line) for line in (folder / f"{log}.ndjson").read_bytes().split(b"\n") if line]
        for log in ("scribe", "ehr")
    }
    return reduced("scribe", read["scribe"]), reduced("ehr", read["ehr"])


def test_an_hours_rows_with_those_that_ids_join_tell_what_all_rows_tell(logs) -> None:
    scribe, ehr = logs
    now, reach = max(scribe[-1].at, ehr[-1].at), (ehr[0].at, ehr[-1].at)
    settings = {"now": now, "reach": reach, "shared": True, "logs_filing": True}
    whole = Joined(scribe, ehr, **settings)
    clocks = Clocks(medians(whole.samples()))
    stories = {story.note: story for story in whole.stories(clocks) if story.note}
    hours = sorted({hour_of(story.born_at) for story in stories.values()})
    compared = 0
    for hour in random.Random(3).sample(hours, 12):
        first, last = around(hour)
        wanted = {note for note, story in stories.items() if hour_of(story.born_at) == hour}
        part_scribe, part_ehr = _neighbourhood(scribe, ehr, first, last)
        part = Joined(part_scribe, part_ehr, **settings)
        part.samples()
        for story in part.stories(clocks, wanted):
            if story.note in wanted:
                compared += 1
                mine, theirs = _essence(story), _essence(stories[story.note])
                assert mine == theirs
    assert compared > 100


def test_the_order_in_which_rows_came_does_not_matter(logs) -> None:
    scribe, ehr = logs
    now = max(scribe[-1].at, ehr[-1].at)
    rng = random.Random(1)

    def stories(shuffled: bool) -> dict:
        rows = [list(scribe), list(ehr)]
        if shuffled:
            for log in rows:
                rng.shuffle(log)
                log.sort(key=lambda row: (row.at, row.position))
        joined = Joined(*rows, now=now)
        found = joined.stories(Clocks(medians(joined.samples())))
        return {story.note: _essence(story) for story in found if story.note}

    assert stories(True) == stories(False)


def _neighbourhood(scribe, ehr, first, last) -> tuple[list[Row], list[Row]]:
    """Give the rows of a stretch, those of any time that its ids and encounters lead to, and what lies around these.

    Ids are followed in two steps.
    """
    chosen: set[int] = {id(row) for row in (*scribe, *ehr) if first <= row.at < last}
    keys = ("note", "transaction", "request", "document", "encounter")
    for _ in range(2):
        held = {(key, value) for row in (*scribe, *ehr) if id(row) in chosen
                for key in keys if (value := getattr(row, key)) is not None}  # fmt: skip
        chosen |= {
            id(row) for row in (*scribe, *ehr)
            if any((key, getattr(row, key)) in held for key in keys)
        }  # fmt: skip
    times = sorted(row.at for row in (*scribe, *ehr) if id(row) in chosen)

    def is_near(row: Row) -> bool:
        at = bisect_left(times, row.at - MARGIN)
        return at < len(times) and times[at] <= row.at + MARGIN

    chosen |= {id(row) for row in (*scribe, *ehr) if is_near(row)}
    return [row for row in scribe if id(row) in chosen], [row for row in ehr if id(row) in chosen]


def _essence(story) -> tuple:
    return (
        story.mode, story.broke_at, story.keys, story.confidence, story.ambiguous, story.attempts,
        story.sent_at, story.filed_at and story.filed_at.replace(microsecond=0) - timedelta(0), story.recheck_at,
    )  # fmt: skip
