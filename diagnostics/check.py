"""Declare checks: pure functions from evidence to a result.

    @check(
        id="auth.token.expired.log",
        step=Step.AUTHENTICATION,
        title="The access token was valid when the first note failed",
        proves=causes.TOKEN_EXPIRED,
        checklist=("TOKEN.1",),
    )
    def token_live_at_first_failure(trace: NoteTrace) -> Result:
        '''An expired token makes every write fail with 401 until someone asks for a new one.'''

The parameters' types say which evidence a check needs: `X` must be there, `X | None` may be missing,
`tuple[X, ...]` is every piece of that kind (one per endpoint, for example). The decorator refuses at import
whatever breaks the house rules.
"""

import inspect
import types
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union, get_args, get_origin, get_type_hints

from diagnostics.case import Case
from diagnostics.causes.model import Cause, Kind
from diagnostics.checklists import ITEMS
from diagnostics.errors import DeclarationError
from diagnostics.evidence.base import Evidence, Key
from diagnostics.findings import Result
from diagnostics.questions import Question
from diagnostics.vocabulary import Category, Instant, Outcome, Step, Strength, WhoActs

PREFIXES = {
    Step.AUTHENTICATION: ("auth",),
    Step.WRITE_BACK: ("fhir", "hl7"),
    Step.MAPPING: ("map", "tmpl"),
    Step.NETWORK: ("net",),
    Step.PERMISSIONS: ("perm",),
    Step.MONITORING: ("ops", "ehr", "scribe"),
}


@dataclass(frozen=True)
class Need:
    """Say what one parameter of a check asks for."""

    name: str
    kind: type[Evidence]
    optional: bool = False
    every: bool = False


@dataclass(frozen=True)
class Check:
    """Be one declared check."""

    id: str
    step: Step
    title: str
    why: str
    needs: tuple[Need, ...]
    function: Callable[..., Result]
    proves: tuple[Cause, ...] = ()
    hints: tuple[Cause, ...] = ()
    strength: Strength = Strength.DECISIVE
    checklist: tuple[str, ...] = ()
    rules_out: tuple[Category, ...] = ()
    applies: Callable[[Case], bool] | None = None
    instant: Instant = Instant.STANDING

    @property
    def causes(self) -> tuple[Cause, ...]:
        """Return every cause this check may speak for, the first being its default."""
        return self.proves + self.hints


_DECLARED: dict[str, Check] = {}


def declared() -> dict[str, Check]:
    """Return every declared check by id; `diagnostics.catalog` loads all modules first."""
    return dict(_DECLARED)


def check(
    *,
    id: str,
    step: Step,
    title: str,
    proves: Cause | tuple[Cause, ...] = (),
    hints: Cause | tuple[Cause, ...] = (),
    strength: Strength | None = None,
    checklist: tuple[str, ...] = (),
    rule_out: tuple[Category, ...] = (),
    applies: Callable[[Case], bool] | None = None,
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Declare a check. `proves` makes `failed(...)` decisive by default, `hints` strong."""

    def declare(function: Callable[..., Result]) -> Callable[..., Result]:
        if id in _DECLARED:
            raise DeclarationError(f"check {id} is declared twice")
        _DECLARED[id] = build(
            function,
            id=id,
            step=step,
            title=title,
            proves=(proves,) if isinstance(proves, Cause) else proves,
            hints=(hints,) if isinstance(hints, Cause) else hints,
            strength=strength,
            checklist=checklist,
            rule_out=rule_out,
            applies=applies,
        )
        return function

    return declare


def build(
    function: Callable[..., Result],
    *,
    id: str,
    step: Step,
    title: str,
    proves: tuple[Cause, ...] = (),
    hints: tuple[Cause, ...] = (),
    strength: Strength | None = None,
    checklist: tuple[str, ...] = (),
    rule_out: tuple[Category, ...] = (),
    applies: Callable[[Case], bool] | None = None,
) -> Check:
    """Return a check without registering it; raise DeclarationError for whatever breaks the house rules."""
    if id.split(".", 1)[0] not in PREFIXES[step]:
        raise DeclarationError(f"check {id}: a check of step {int(step)} starts with {' or '.join(PREFIXES[step])}")
    if not (function.__doc__ or "").strip():
        raise DeclarationError(f"check {id}: the docstring must say why it matters")
    if title.endswith(("?", ".")):
        raise DeclarationError(f"check {id}: a title is a statement that can be true or false, without a stop")
    for item in checklist:
        if item not in ITEMS:
            raise DeclarationError(f"check {id}: unknown checklist item {item}")
    for cause in proves:
        if cause.kind is Kind.CLASSIFIER:
            raise DeclarationError(f"check {id}: a classifier such as {cause.id} is no cause to prove")
    needs = _needs(id, function)
    return Check(
        id=id,
        step=step,
        title=title,
        why=inspect.cleandoc(function.__doc__ or ""),
        needs=needs,
        function=function,
        proves=proves,
        hints=hints,
        strength=strength or (Strength.DECISIVE if proves else Strength.STRONG),
        checklist=checklist,
        rules_out=rule_out,
        applies=applies,
        instant=_instant(needs),
    )


def _needs(id: str, function: Callable[..., Result]) -> tuple[Need, ...]:
    hints = get_type_hints(function)
    needs = []
    for name in inspect.signature(function).parameters:
        kind: Any = hints.get(name)
        optional = every = False
        if get_origin(kind) in (Union, types.UnionType) and type(None) in get_args(kind):
            optional = True
            kind = next(a for a in get_args(kind) if a is not type(None))
        if get_origin(kind) is tuple:
            every, kind = True, get_args(kind)[0]
        if not (isinstance(kind, type) and issubclass(kind, Evidence)):
            raise DeclarationError(f"check {id}: parameter {name} is not Evidence")
        needs.append(Need(name, kind, optional, every))
    if not needs:
        raise DeclarationError(f"check {id}: a check without evidence cannot judge")
    return tuple(needs)


def _instant(needs: tuple[Need, ...]) -> Instant:
    """Speak of now when a live probe is needed, else of then when a record of the failure is."""
    instants = {need.kind.instant for need in needs if not need.optional}
    for instant in (Instant.NOW, Instant.THEN):
        if instant in instants:
            return instant
    return Instant.STANDING


def passed(says: str, **facts: Any) -> Result:
    """Say that the check's title holds, with the values that show it."""
    return Result(Outcome.PASSED, says, facts)


def failed(
    says: str,
    *,
    cause: Cause | None = None,
    strength: Strength | None = None,
    conclusive: bool = True,
    category: Category | None = None,
    who_acts: WhoActs | None = None,
    instant: Instant | None = None,
    condemns: tuple[Evidence | Key, ...] = (),
    **facts: Any,
) -> Result:
    """Say that the check's title does not hold.

    `cause` picks one of the check's causes (default: its first). `strength` overrides how heavily it weighs;
    `conclusive=False` is short for strong. `instant` overrides which moment is spoken of. `condemns` names the
    evidence that is closed because of this, so that what is blocked behind it can name this check.
    """
    keys = tuple(item.key if isinstance(item, Evidence) else item for item in condemns)
    weight = strength if strength is not None else (None if conclusive else Strength.STRONG)
    return Result(Outcome.FAILED, says, facts, cause, weight, category, who_acts, instant, condemns=keys)


def warned(says: str, *, cause: Cause | None = None, strength: Strength | None = None, **facts: Any) -> Result:
    """Say that the title holds for now, but that somebody should look; never becomes the root cause."""
    return Result(Outcome.WARNING, says, facts, cause, strength)


def unknown(says: str, *, get: str = "", ask: Question | None = None, **facts: Any) -> Result:
    """Say that the evidence at hand cannot decide, and how to get what would, or which question to ask."""
    return Result(Outcome.UNKNOWN, says, facts, get=get, ask=ask)


def blocked(says: str, *, behind: Evidence) -> Result:
    """Say that a failure judged elsewhere closed the way to the evidence; `behind` is what that failure shows in."""
    return Result(Outcome.BLOCKED, says, behind=behind.key)


def not_applicable(says: str, **facts: Any) -> Result:
    """Say that the question does not arise for this case, and why."""
    return Result(Outcome.NOT_APPLICABLE, says, facts)
