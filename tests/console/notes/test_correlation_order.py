"""The traces are the same whatever the order in which rows come and however they are cut into batches."""

import random
from pathlib import Path

import pytest

from console.notes.correlation import correlate_all, correlate_new
from tests.benchmarks.two_logs import easy, hard
from tests.console.builders import a_facility, an_integration
from tests.console.notes.logs import differences, parted, rows_in, store, told

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("maker", "seed"), [*((easy, n) for n in range(3)), *((hard, n) for n in range(6))])
@pytest.mark.parametrize("order", ["shuffled", "in time", "ehr first", "backwards"])
def test_what_came_in_parts_is_told_as_if_it_had_come_at_once(order, maker, seed, tmp_path: Path) -> None:
    source = random.Random(f"{order} {maker.__name__} {seed}")
    maker.write(150, tmp_path, seed)
    rows = rows_in(tmp_path)
    if order == "shuffled":
        source.shuffle(rows)
    elif order == "ehr first":
        rows.sort(key=lambda told: told[0])
    else:
        rows.sort(key=lambda told: told[1]["at"], reverse=order == "backwards")
    parts = an_integration(a_facility())
    for part in parted(rows, 6, source):
        store(parts, part)
        correlate_new(integration=parts)
    before = told(parts)
    correlate_all(integration=parts)
    assert differences(before, told(parts)) == []
