"""The report's figures are those that an independent recount finds, over two thousand generated lives."""

import ast
from datetime import date
from pathlib import Path

import pytest
from django.db import connection

from console.accounts.roles import Role
from console.accounts.services import give_role
from console.reports.figures import Clock, Facet, Figures
from console.reports.periods import Period
from console.reports.report import Asked, Report, make
from tests.console.builders import a_person
from tests.console.reports import recount as recounting
from tests.console.reports.generated import NOW, generate
from tests.console.reports.recount import recount, recount_open

pytestmark = pytest.mark.django_db

PERIOD = Period("dates", date(2025, 10, 1), date(2026, 11, 20))
SEED = 20260308


def as_recounted(one: Figures) -> dict:
    spreads = {name: getattr(one, name) for name in recounting.LENGTHS}
    return {"n": one.n, "in_time": one.on_target, "reopened": one.reopened} | {
        name: (spread.n, spread.mean, spread.median, spread.p90) for name, spread in spreads.items()
    }


@pytest.fixture
def world():
    return generate(2000, seed=SEED)


def report_of(world, clock: Clock, facilities) -> Report:
    manager = a_person(None)
    for facility in facilities:
        give_role(user=manager, facility=facility, role=Role.MANAGER, by=None)
    return make(manager, Asked(PERIOD, clock, tuple(facilities), NOW))


def raw(world, period: Period, clock: Clock, facilities) -> dict:
    connection.ensure_connection()
    with connection.connection.cursor() as cursor:
        return recount(
            cursor,
            facilities=[one.id for one in facilities],
            first=period.from_on,
            last=period.to_on,
            clock=str(clock),
        )


@pytest.mark.parametrize("clock", list(Clock))
def test_every_figure_of_every_grouping_equals_the_recount(world, clock) -> None:
    report, expected = report_of(world, clock, world.facilities), raw(world, PERIOD, clock, world.facilities)
    assert report.total.n > 900
    assert as_recounted(report.total) == expected["all"][""]
    for facet in Facet:
        mine = {group.key: as_recounted(group.figures) for group in report.groups[facet] if group.figures.n}
        assert len(mine) > 2
        assert mine == expected[facet], facet
    before = raw(world, PERIOD.before, clock, world.facilities)
    assert as_recounted(report.before) == before["all"][""]


def test_a_part_of_the_facilities_is_recounted_alike_and_nothing_of_the_others_is_in_it(world) -> None:
    some = world.facilities[1:3]
    report, expected = report_of(world, Clock.WALL, some), raw(world, PERIOD, Clock.WALL, some)
    assert as_recounted(report.total) == expected["all"][""]
    assert {group.key for group in report.groups[Facet.FACILITY]} == {str(one.id) for one in some}


def test_the_open_tickets_are_those_that_the_events_leave_open(world) -> None:
    report = report_of(world, Clock.WALL, world.facilities)
    with connection.connection.cursor() as cursor:
        expected = recount_open(cursor, facilities=[one.id for one in world.facilities])
    assert {ticket.number for ticket in report.open.tickets} == expected
    assert len(expected) > 100
    assert not {ticket.number for ticket in report.counted} & expected


def test_the_generated_lives_hold_what_they_are_to_prove(world) -> None:
    report = report_of(world, Clock.ACTIVE, world.facilities)
    lives = [ticket.life for ticket in report.counted]
    assert sum(life.reopened > 0 for life in lives) > 50
    assert sum(life.active < life.wall for life in lives) > 200
    zones = {str(one.id): one.time_zone for one in world.facilities}
    from zoneinfo import ZoneInfo

    crossing = [
        ticket
        for ticket in report.counted
        if (zone := ZoneInfo(zones[ticket.keys[Facet.FACILITY]]))
        and ticket.life.opened_at.astimezone(zone).utcoffset() != ticket.life.resolved_at.astimezone(zone).utcoffset()
    ]
    assert len(crossing) > 50


def test_the_recount_imports_nothing_of_the_console() -> None:
    tree = ast.parse(Path(recounting.__file__).read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "." for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert names == ["typing"]
    text = Path(recounting.__file__).read_text(encoding="utf-8")
    assert "import_module" not in text
    assert "__import__" not in text
