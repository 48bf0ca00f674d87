"""Gather evidence: run the probes that the checks need, as a graph, each once, within one time budget.

The graph is concurrent: a probe starts as soon as what it needs is there, and one slow host does not hold up
another. Whatever fails, the rest goes on (fail forward). Evidence handed in as `have` is not asked for again,
so that a killed run continues where it stood.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from diagnostics.case import Case
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.base import Evidence, Key, Missing
from diagnostics.probes.declare import Endpoint, Probe, parts, probes

log = logging.getLogger(__name__)
E = TypeVar("E", bound=Evidence)

NO_SUCH_THING = "this integration has no such thing"
OnEvidence = Callable[[Evidence], Awaitable[None] | None]
Once = Callable[[str], bool]


@dataclass(frozen=True)
class Context:
    """Be what a probe is handed: the case, the door to the network and the endpoint it is bound to."""

    case: Case
    door: Any
    vantage: str
    endpoints: tuple[Endpoint, ...]
    endpoint: Endpoint | None = None
    once: Once = field(default=lambda _act: True)

    def at(self, role: str) -> Endpoint | None:
        """Return the endpoint that plays a role, if the case has one."""
        return next((e for e in self.endpoints if role in e.roles), None)


def read_parts(case: Case) -> Bag:
    """Read all evidence that the case itself holds; pure."""
    from diagnostics import catalog

    catalog.load()
    bag = Bag()
    for part in parts().values():
        bag.put(part.read(case))
    return bag


def kinds_of(steps: Iterable[int]) -> frozenset[type[Evidence]]:
    """Return the evidence that the probes of these steps (1 to 6) give: what a run of these steps asks for anew."""
    from diagnostics import catalog

    catalog.load()
    chosen = set(steps)
    return frozenset(kind for kind, probe in probes().items() if int(probe.step) in chosen)


async def gather(
    case: Case,
    *,
    door: Any = None,
    endpoints: Iterable[Endpoint] | None = None,
    vantage: str = "here",
    have: Iterable[Evidence] = (),
    wanted: Iterable[type[Evidence]] | None = None,
    on_evidence: OnEvidence | None = None,
    once: Once | None = None,
    budget_s: float = 30.0,
) -> Bag:
    """Return the evidence for a case, seen from one vantage point.

    `have`: evidence of an earlier, interrupted run. `wanted`: evidence classes to probe for (default: all that
    some check needs). `on_evidence` is called with each new piece as it comes. `once(act)` is asked before an
    act that must not repeat. `budget_s`: wall-clock seconds for all probes together. Never raises for what a
    peer does; what could not be had is in the bag as `Missing`.
    """
    started = time.monotonic()
    bag = read_parts(case)
    bag.seen_from = vantage
    for item in have:
        bag.put(item)
    if case.offline or door is None:
        _mark_offline(case, bag)
        return bag
    from diagnostics.probes.endpoints import endpoints_of

    context = Context(
        case,
        door,
        vantage,
        tuple(endpoints if endpoints is not None else endpoints_of(case)),
        None,
        once or (lambda _act: True),
    )
    run = _Run(context, bag, on_evidence, started + budget_s, None if wanted is None else set(wanted))
    await run.all()
    bag.spent = (time.monotonic() - started) * 1000
    return bag


def _mark_offline(case: Case, bag: Bag) -> None:
    for kind, probe in probes().items():
        if probe.applies is not None and not probe.applies(case):
            bag.put(Missing(Key(kind), NO_SUCH_THING))
        else:
            bag.put(Missing(Key(kind), "no probe was made in this run", kind.how_to_get or "run it with the network"))


class _Run:
    def __init__(
        self, context: Context, bag: Bag, on_evidence: OnEvidence | None, deadline: float, wanted: set[Any] | None
    ) -> None:
        self.context, self.bag, self.on_evidence, self.deadline = context, bag, on_evidence, deadline
        self.tasks: dict[Key, asyncio.Task[Evidence | Missing]] = {}
        self.wanted = wanted

    async def all(self) -> None:
        for kind, probe in probes().items():
            if self.wanted is not None and kind not in self.wanted:
                continue
            if probe.each:
                for endpoint in self.context.endpoints:
                    self._ensure(Key(kind, endpoint.subject), probe, endpoint)
            else:
                self._ensure(Key(kind), probe, self.context.at(probe.at) if probe.at else None)
        tasks = list(self.tasks.values())
        if tasks:
            await asyncio.wait(tasks, timeout=max(0.0, self.deadline - time.monotonic()))
        for key, task in self.tasks.items():
            if not task.done():
                task.cancel()
                self.bag.put(Missing(key, "the time for this run was over before an answer came"))
        with contextlib.suppress(Exception):
            await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 2)

    def _ensure(self, key: Key, probe: Probe, endpoint: Endpoint | None) -> asyncio.Task[Evidence | Missing]:
        if key not in self.tasks:
            self.tasks[key] = asyncio.ensure_future(self._one(key, probe, endpoint))
        return self.tasks[key]

    async def _one(self, key: Key, probe: Probe, endpoint: Endpoint | None) -> Evidence | Missing:
        held = self.bag.items.get(key)
        if isinstance(held, Evidence):
            return held
        item = await self._run(key, probe, endpoint)
        self.bag.put(item)
        if isinstance(item, Evidence) and self.on_evidence is not None:
            told = self.on_evidence(item)
            if told is not None:
                await told
        return item

    async def _run(self, key: Key, probe: Probe, endpoint: Endpoint | None) -> Evidence | Missing:
        case = self.context.case
        if probe.applies is not None and not probe.applies(case):
            return Missing(key, NO_SUCH_THING)
        if probe.at and endpoint is None:
            return Missing(key, f"the case names no {probe.at} endpoint")
        given: list[Evidence | None] = []
        for kind, needed in [(k, True) for k in probe.needs] + [(k, False) for k in probe.wants]:
            item = await self._need(kind, endpoint)
            if isinstance(item, Evidence) and (item.opens or not needed):
                given.append(item)
            elif not needed or (isinstance(item, Missing) and item.because == NO_SUCH_THING):
                given.append(None)  # what this integration does not have, nothing can be blocked by
            elif isinstance(item, Evidence):
                return Missing(key, f"what it rests on did not succeed ({item.key})", blocked_by=item.key)
            else:
                return Missing(key, item.because, item.how_to_get, item.blocked_by)
        if probe.act and not self.context.once(probe.name):
            return Missing(key, "this act was already made by an interrupted run and is never repeated")
        bound = Context(
            case, self.context.door, self.context.vantage, self.context.endpoints, endpoint, self.context.once
        )
        started = time.monotonic()
        try:
            return await probe.run(bound, *given)
        except Exception as error:  # a probe must not take the run down with it
            log.exception("probe %s failed", probe.name)
            return Missing(key, f"the probe failed on our side ({type(error).__name__})")
        finally:
            spent = (time.monotonic() - started) * 1000
            self.bag.ms[probe.step] = self.bag.ms.get(probe.step, 0.0) + spent

    async def _need(self, kind: type[Evidence], endpoint: Endpoint | None) -> Evidence | Missing:
        probe = probes().get(kind)
        if probe is None:
            held = self.bag.items.get(Key(kind))
            return held if held is not None else Missing(Key(kind), "nothing yields it")
        if probe.each:
            if endpoint is None:
                return Missing(Key(kind), "no endpoint to ask")
            return await self._ensure(Key(kind, endpoint.subject), probe, endpoint)
        target = self.context.at(probe.at) if probe.at else None
        return await self._ensure(Key(kind), probe, target)
