"""Judge: checks × evidence → findings → step results. Pure.

Missing evidence gives `blocked` when something failed upstream is why, else `unknown`; it is never `passed` and
never `failed`. An exception in a check gives `error`, and the run goes on.
"""

import logging
import time
from collections.abc import Iterable
from dataclasses import replace

from diagnostics import catalog
from diagnostics.case import Case
from diagnostics.check import Check, Need
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.base import Evidence, Key, Missing
from diagnostics.findings import Finding, Result, StepResult
from diagnostics.vocabulary import Outcome, Step

log = logging.getLogger(__name__)


def judge(case: Case, bag: Bag, checks: Iterable[Check] | None = None) -> tuple[Finding, ...]:
    """Return one finding per check, in the order of steps and ids."""
    chosen = sorted(catalog.checks().values() if checks is None else checks, key=lambda c: (c.step, c.id))
    findings = [_one(case, bag, check) for check in chosen]
    return tuple(_name_blockers(findings, bag))


def steps(findings: Iterable[Finding], bag: Bag) -> tuple[StepResult, ...]:
    """Roll findings up to the six steps; a step's status is its worst finding's."""
    by_step: dict[Step, list[Finding]] = {step: [] for step in Step}
    for finding in findings:
        by_step[finding.step].append(finding)
    return tuple(
        StepResult(step, _worst(of), round(bag.ms.get(step, 0.0) + sum(f.ms for f in of), 1), tuple(of))
        for step, of in by_step.items()
    )


def _worst(findings: list[Finding]) -> Outcome:
    order = list(Outcome)
    applicable = [f.status for f in findings if f.status is not Outcome.NOT_APPLICABLE]
    if not applicable:
        return Outcome.NOT_APPLICABLE
    # a step in which checks passed and others merely lacked evidence has passed as far as it could be looked at
    if Outcome.PASSED in applicable:
        applicable = [status for status in applicable if status is not Outcome.UNKNOWN]
    return min(applicable, key=order.index)


def _one(case: Case, bag: Bag, check: Check) -> Finding:
    started = time.perf_counter()
    try:
        finding = _judged(case, bag, check)
    except Exception as error:
        log.exception("check %s failed", check.id)
        finding = _finding(check, Outcome.ERROR, f"This check broke ({type(error).__name__}). The run went on.", bag)
    return replace(finding, ms=(time.perf_counter() - started) * 1000)


def _judged(case: Case, bag: Bag, check: Check) -> Finding:
    if check.applies is not None and not check.applies(case):
        return _finding(check, Outcome.NOT_APPLICABLE, "Not a question for this integration.", bag)
    given: dict[str, object] = {}
    for need in check.needs:
        have = bag.every(need.kind) if need.every else bag.get(need.kind)
        if not have and not need.optional:
            return _without(check, need, bag)
        given[need.name] = have if have or need.every else None
    return _from(check, check.function(**given), bag)


def _without(check: Check, need: Need, bag: Bag) -> Finding:
    gone = bag.missing(need.kind)
    blocked = next((m for m in gone if m.blocked_by is not None), None)
    if blocked is not None:
        finding = _finding(check, Outcome.BLOCKED, f"Could not be looked at: {blocked.because}.", bag)
        return replace(finding, blocked_by=str(blocked.blocked_by), behind=blocked.blocked_by)
    reason = gone[0] if gone else Missing(Key(need.kind), "the case does not hold it", need.kind.how_to_get)
    if reason.because == "this integration has no such thing":
        return _finding(check, Outcome.NOT_APPLICABLE, "Not a question for this integration.", bag)
    finding = _finding(check, Outcome.UNKNOWN, f"Not looked at: {reason.because}.", bag)
    return replace(finding, missing=reason.how_to_get or need.kind.how_to_get)


def _from(check: Check, result: Result, bag: Bag) -> Finding:
    cause = result.cause or (check.causes[0] if check.causes else None)
    acts = result.status in (Outcome.FAILED, Outcome.WARNING)
    return Finding(
        check=check.id,
        step=check.step,
        title=check.title,
        status=result.status,
        says=result.says,
        facts=result.facts,
        cause=cause if acts else None,
        strength=(result.strength or check.strength) if acts else None,
        category=(result.category or (cause.category if cause else None)) if acts else None,
        who_acts=(result.who_acts or (cause.who_acts if cause else None)) if acts else None,
        instant=result.instant or check.instant,
        missing=result.get,
        seen_from=bag.seen_from,
        checklist=check.checklist,
        rules_out=check.rules_out if result.status is Outcome.PASSED else (),
        condemns=result.condemns,
        blocked_by=str(result.behind) if result.behind else None,
        behind=result.behind,
        ask=result.ask,
    )


def _finding(check: Check, status: Outcome, says: str, bag: Bag) -> Finding:
    return Finding(
        check.id,
        check.step,
        check.title,
        status,
        says,
        instant=check.instant,
        seen_from=bag.seen_from,
        checklist=check.checklist,
    )


def _name_blockers(findings: list[Finding], bag: Bag) -> list[Finding]:
    """Give each blocked finding the id of the check whose failure closed the way, and its words."""
    says = {finding.check: finding.says for finding in findings}
    closed: dict[Key, str] = {}
    for finding in findings:
        if finding.status is Outcome.FAILED:
            for key in finding.condemns:
                closed.setdefault(key, finding.check)
    named = []
    for finding in findings:
        if finding.behind is not None:
            blocker = closed.get(finding.behind) or _by_kind(finding.behind, findings)
            if blocker:
                finding = replace(finding, blocked_by=blocker, says=f"Could not be looked at. {says[blocker]}")
        named.append(finding)
    return named


def _by_kind(key: Key, findings: list[Finding]) -> str | None:
    """Fall back to any failed check that needs this kind of evidence."""
    for finding in findings:
        declared = catalog.checks().get(finding.check)
        if finding.status is Outcome.FAILED and declared and any(n.kind is key.kind for n in declared.needs):
            return finding.check
    return None


def evidence_of(check: Check, bag: Bag) -> tuple[Evidence, ...]:
    """Return the evidence a check was judged on, for showing it beside the finding."""
    found: list[Evidence] = []
    for need in check.needs:
        found.extend(bag.every(need.kind))
    return tuple(found)
