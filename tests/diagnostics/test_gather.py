"""The graph of probes: each once, concurrently, within one budget, and going on whatever fails."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from diagnostics.evidence.base import Evidence, Key, Missing
from diagnostics.gather import Context, gather
from diagnostics.probes import declare
from diagnostics.vocabulary import Step
from tests.diagnostics.stories import case as a_case


@dataclass(frozen=True, kw_only=True)
class Ground(Evidence):
    reachable: bool = True

    @property
    def opens(self) -> bool:
        return self.reachable


@dataclass(frozen=True, kw_only=True)
class Left(Evidence):
    value: int = 0


@dataclass(frozen=True, kw_only=True)
class Right(Evidence):
    value: int = 0


@dataclass(frozen=True, kw_only=True)
class Slow(Evidence):
    pass


@pytest.fixture
def registry() -> Iterator[dict[type[Evidence], declare.Probe]]:
    """Give an empty registry of probes for one test; parts of the case stay."""
    from diagnostics import catalog

    catalog.load()
    held = dict(declare._PROBES)
    declare._PROBES.clear()
    yield declare._PROBES
    declare._PROBES.clear()
    declare._PROBES.update(held)


def live_case() -> Any:
    from dataclasses import replace

    return replace(a_case(), offline=False)


def run(**more: Any) -> Any:
    return asyncio.run(gather(live_case(), door=object(), endpoints=(), **more))


def test_each_probe_runs_once_however_many_need_it(registry: Any) -> None:
    ran: list[str] = []

    @declare.probe(gives=Ground, step=Step.NETWORK)
    async def ground(context: Context) -> Ground:
        ran.append("ground")
        await asyncio.sleep(0)
        return Ground()

    @declare.probe(gives=Left, needs=(Ground,), step=Step.NETWORK)
    async def left(context: Context, below: Ground) -> Left:
        return Left(value=1)

    @declare.probe(gives=Right, needs=(Ground,), wants=(Left,), step=Step.NETWORK)
    async def right(context: Context, below: Ground, beside: Left | None) -> Right:
        return Right(value=1 + (beside.value if beside else 0))

    bag = run()
    assert ran == ["ground"]
    assert bag.get(Right) == Right(value=2)


def test_what_lies_behind_a_closed_way_is_missing_and_names_it(registry: Any) -> None:
    @declare.probe(gives=Ground, step=Step.NETWORK)
    async def ground(context: Context) -> Ground:
        return Ground(reachable=False)

    @declare.probe(gives=Left, needs=(Ground,), step=Step.NETWORK)
    async def left(context: Context, below: Ground) -> Left:
        raise AssertionError("must not run")

    @declare.probe(gives=Right, needs=(Left,), step=Step.NETWORK)
    async def right(context: Context, below: Left) -> Right:
        raise AssertionError("must not run")

    bag = run()
    assert [m.blocked_by for m in bag.missing(Left)] == [Key(Ground)]
    assert [m.blocked_by for m in bag.missing(Right)] == [Key(Ground)]


def test_a_probe_that_breaks_leaves_the_others_alone(registry: Any) -> None:
    @declare.probe(gives=Left, step=Step.NETWORK)
    async def left(context: Context) -> Left:
        raise RuntimeError("token=secret-text")

    @declare.probe(gives=Right, step=Step.NETWORK)
    async def right(context: Context) -> Right:
        return Right(value=7)

    bag = run()
    assert bag.get(Right) == Right(value=7)
    (gone,) = bag.missing(Left)
    assert "RuntimeError" in gone.because
    assert "secret-text" not in gone.because


def test_the_budget_ends_what_never_answers(registry: Any) -> None:
    @declare.probe(gives=Slow, step=Step.NETWORK)
    async def slow(context: Context) -> Slow:
        await asyncio.Event().wait()
        return Slow()

    @declare.probe(gives=Right, step=Step.NETWORK)
    async def right(context: Context) -> Right:
        return Right(value=7)

    bag = run(budget_s=0.2)
    assert bag.get(Right) == Right(value=7)
    assert "time for this run" in bag.missing(Slow)[0].because


def test_evidence_at_hand_is_not_asked_for_again(registry: Any) -> None:
    @declare.probe(gives=Left, step=Step.NETWORK)
    async def left(context: Context) -> Left:
        raise AssertionError("must not run")

    told: list[Evidence] = []
    bag = run(have=[Left(value=3)], on_evidence=told.append)
    assert bag.get(Left) == Left(value=3)
    assert told == []


def test_an_act_asks_before_it_is_done(registry: Any) -> None:
    asked: list[str] = []

    @declare.probe(gives=Left, step=Step.WRITE_BACK, act=True)
    async def canary(context: Context) -> Left:
        raise AssertionError("must not run: an earlier run has done it")

    def once(act: str) -> bool:
        asked.append(act)
        return False

    bag = run(once=once)
    assert asked == ["canary"]
    assert "never repeated" in bag.missing(Left)[0].because


def test_a_piece_of_evidence_has_one_source(registry: Any) -> None:
    from diagnostics.errors import DeclarationError

    @declare.probe(gives=Left, step=Step.NETWORK)
    async def left(context: Context) -> Left:
        return Left()

    with pytest.raises(DeclarationError, match="two sources"):
        declare.probe(gives=Left, step=Step.NETWORK)(left)


def test_offline_no_probe_runs_and_each_says_so(registry: Any) -> None:
    @declare.probe(gives=Left, step=Step.NETWORK)
    async def left(context: Context) -> Left:
        raise AssertionError("must not run")

    bag = asyncio.run(gather(a_case(), door=object()))
    assert isinstance(bag.items[Key(Left)], Missing)
