"""Join the parts: case and evidence in, diagnosis out."""

import asyncio
import time
from collections.abc import Iterable
from typing import Any

from diagnostics.case import Case
from diagnostics.changes import changes
from diagnostics.conclude import conclude
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.logs import NoteTrace
from diagnostics.facts import facts_of
from diagnostics.findings import Diagnosis
from diagnostics.gather import gather
from diagnostics.judge import judge, steps
from diagnostics.remembering import forget


def diagnose(case: Case, bag: Bag) -> Diagnosis:
    """Return the diagnosis of a case from its evidence; pure, no clock but the case's."""
    try:
        return _diagnosed(case, bag, time.perf_counter())
    finally:
        forget()


def _diagnosed(case: Case, bag: Bag, started: float) -> Diagnosis:
    findings = judge(case, bag)
    facts = facts_of(bag)
    changed = changes(bag, facts)
    conclusion = conclude(findings, bag.get(NoteTrace), changed)
    missing = conclusion.missing
    if case.note is None and bag.get(NoteTrace) is None and conclusion.root is None and not conclusion.contributing:
        missing = ()  # an integration alone was looked at, and nothing is wrong with it
    return Diagnosis(
        failure_mode=conclusion.mode,
        root_cause=conclusion.root,
        contributing=conclusion.contributing,
        ruled_out=conclusion.ruled_out,
        missing=missing,
        journey=conclusion.journey,
        steps=steps(findings, bag),
        changes=changed,
        facts=facts,
        ms=bag.spent + (time.perf_counter() - started) * 1000,
        seen_from=bag.seen_from,
    )


def run(case: Case, *, door: Any = None, budget_s: float = 30.0, have: Iterable[Any] = ()) -> Diagnosis:
    """Gather and diagnose in one call, for callers without an event loop of their own."""
    return diagnose(case, asyncio.run(gather(case, door=door, budget_s=budget_s, have=have)))
