"""Missing evidence is unknown or blocked, a broken check is an error, and neither is ever passed or failed."""

from dataclasses import dataclass, replace
from typing import Any

from diagnostics import causes
from diagnostics.check import Check, build, failed, passed
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.base import Evidence, Key, Missing
from diagnostics.findings import Finding, Result
from diagnostics.judge import judge, steps
from diagnostics.vocabulary import Outcome, Step
from tests.diagnostics.stories import case


@dataclass(frozen=True, kw_only=True)
class Below(Evidence):
    host: str = "h:1"
    good: bool = False

    @property
    def subject(self) -> str:
        return self.host

    @property
    def opens(self) -> bool:
        return self.good


@dataclass(frozen=True, kw_only=True)
class Above(Evidence):
    how_to_get = "the upper half"


def below_good(below: tuple[Below, ...]) -> Result:
    """What lies below carries the rest."""
    bad = [item for item in below if not item.good]
    return failed("It does not hold.", condemns=tuple(bad)) if bad else passed("It holds.")


def above_good(above: Above) -> Result:
    """What lies above is what the user sees."""
    return passed("It holds.")


def above_maybe(above: Above | None) -> Result:
    """A check may do without."""
    return passed("It holds without.") if above is None else passed("It holds with.")


def breaks(below: tuple[Below, ...]) -> Result:
    """A mistake of ours must not end a run."""
    raise KeyError("mrn-4711")


def made(function: Any, id: str, **more: Any) -> Check:
    return build(function, id=id, step=Step.NETWORK, title="It holds", **more)


BELOW = made(below_good, "net.below", proves=(causes.TCP_REFUSED,))
ABOVE = made(above_good, "net.above")


def judged(*items: Evidence | Missing, checks: tuple[Check, ...] = (BELOW, ABOVE)) -> dict[str, Finding]:
    bag = Bag()
    for item in items:
        bag.put(item)
    return {finding.check: finding for finding in judge(case(), bag, checks)}


def test_what_is_missing_is_unknown_and_says_how_to_get_it() -> None:
    found = judged(Below(good=True))
    assert found["net.above"].status is Outcome.UNKNOWN
    assert found["net.above"].missing == "the upper half"


def test_what_lies_behind_a_failure_is_blocked_by_the_check_that_explains_it() -> None:
    below = Below()
    found = judged(below, Missing(Key(Above), "what it rests on did not succeed", blocked_by=below.key))
    assert found["net.below"].status is Outcome.FAILED
    assert found["net.above"].status is Outcome.BLOCKED
    assert found["net.above"].blocked_by == "net.below"
    assert found["net.below"].says in found["net.above"].says


def test_a_failure_on_one_host_blocks_only_what_lies_behind_that_host() -> None:
    bad, good = Below(host="a:1"), Below(host="b:1", good=True)
    found = judged(bad, good, Above())
    assert found["net.below"].status is Outcome.FAILED
    assert found["net.above"].status is Outcome.PASSED


def test_what_a_case_cannot_have_is_not_applicable() -> None:
    found = judged(Below(good=True), Missing(Key(Above), "this integration has no such thing"))
    assert found["net.above"].status is Outcome.NOT_APPLICABLE


def test_optional_evidence_may_be_missing() -> None:
    (found,) = judged(checks=(made(above_maybe, "net.maybe"),)).values()
    assert found.status is Outcome.PASSED


def test_a_check_that_breaks_is_an_error_and_says_nothing_of_the_values() -> None:
    found = judged(Below(good=True), Above(), checks=(made(breaks, "net.breaks"), ABOVE))
    assert found["net.breaks"].status is Outcome.ERROR
    assert "4711" not in found["net.breaks"].says
    assert found["net.above"].status is Outcome.PASSED


def test_a_step_shows_its_worst_check() -> None:
    below = Below()
    bag = Bag()
    bag.put(below)
    bag.put(Above())
    rolled = {step.step: step.status for step in steps(judge(case(), bag, (BELOW, ABOVE)), bag)}
    assert rolled[Step.NETWORK] is Outcome.FAILED
    assert rolled[Step.PERMISSIONS] is Outcome.NOT_APPLICABLE


def test_a_step_that_something_closed_is_blocked_even_where_others_passed_or_lacked_evidence() -> None:
    below = Below()
    bag = Bag()
    bag.put(below)
    bag.put(Missing(Key(Above), "what it rests on did not succeed", blocked_by=below.key))
    (closed,) = judge(case(), bag, (ABOVE,))
    good, open_ = replace(closed, status=Outcome.PASSED), replace(closed, status=Outcome.UNKNOWN)

    def rolled(*findings: Finding) -> Outcome:
        return next(step.status for step in steps(findings, bag) if step.step is Step.NETWORK)

    assert rolled(closed, good, open_) is Outcome.BLOCKED
    assert rolled(good, open_) is Outcome.PASSED, "what merely lacked evidence does not spoil what passed"
    assert rolled(closed, open_) is Outcome.UNKNOWN
