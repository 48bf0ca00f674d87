"""Hold what the engine says: results of checks, findings, step results and the diagnosis."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from diagnostics.causes.model import Cause
from diagnostics.evidence.base import Key
from diagnostics.questions import Question
from diagnostics.vocabulary import (
    Category,
    Certainty,
    FailureMode,
    Instant,
    Outcome,
    Stage,
    StageState,
    Step,
    Strength,
    WhoActs,
)


@dataclass(frozen=True)
class Result:
    """Be what a check returns; made by the words of `diagnostics.check` only: `passed`, `failed` and so on."""

    status: Outcome
    says: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    cause: Cause | None = None
    strength: Strength | None = None
    category: Category | None = None
    who_acts: WhoActs | None = None
    instant: Instant | None = None
    get: str = ""
    condemns: tuple[Key, ...] = ()
    behind: Key | None = None
    ask: Question | None = None


@dataclass(frozen=True)
class Finding:
    """Be one check's answer on one case, with the values it rests on.

    `blocked_by` is the id of the check whose failure closed the way (or the evidence's name where no check
    explains it) and `behind` the evidence that did. `missing` says how to get the evidence a check lacked.
    """

    check: str
    step: Step
    title: str
    status: Outcome
    says: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    cause: Cause | None = None
    strength: Strength | None = None
    category: Category | None = None
    who_acts: WhoActs | None = None
    instant: Instant = Instant.STANDING
    blocked_by: str | None = None
    missing: str = ""
    ms: float = 0.0
    seen_from: str = "here"
    checklist: tuple[str, ...] = ()
    rules_out: tuple[Category, ...] = ()
    condemns: tuple[Key, ...] = ()
    behind: Key | None = None
    ask: Question | None = None


@dataclass(frozen=True)
class StepResult:
    """Roll the findings of one step up to its worst status."""

    step: Step
    status: Outcome
    ms: float
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class Reason:
    """Link one sentence of a verdict to the check that says so."""

    check: str
    says: str


@dataclass(frozen=True)
class RootCause:
    """Name a cause with its certainty, the sentences it rests on, what to do and who must act."""

    cause: Cause
    category: Category
    certainty: Certainty
    because: tuple[Reason, ...]
    who_acts: WhoActs


@dataclass(frozen=True)
class JourneyStage:
    """Say how one stage of the note's way went, and when."""

    stage: Stage
    state: StageState
    at: datetime | None = None
    says: str = ""


@dataclass(frozen=True)
class RuledOut:
    """Name a category that the evidence speaks against, and why."""

    category: Category
    because: str


class Bearing(StrEnum):
    """Say how a change stands in time to the first failure."""

    BEFORE_FAILURE = "before_failure"  # after the last success, if one is known, and before the first failure
    WORKED_SINCE = "worked_since"  # notes were taken after it
    AFTER_FAILURE = "after_failure"  # it cannot be why
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Change:
    """Be one thing that differs from the last known good run, or that a log records as changed.

    `at` is when, as exactly as anything says; where nothing does, it came after `since`, the time of the good run.
    """

    kind: str
    what: str
    before: str | None = None
    after: str | None = None
    at: datetime | None = None
    since: datetime | None = None
    bearing: Bearing = Bearing.UNKNOWN


@dataclass(frozen=True)
class Diagnosis:
    """Be the answer: where the note stopped, why, on what evidence, and what would settle what is open."""

    failure_mode: FailureMode
    root_cause: RootCause | None
    contributing: tuple[RootCause, ...]
    ruled_out: tuple[RuledOut, ...]
    missing: tuple[str, ...]
    journey: tuple[JourneyStage, ...]
    steps: tuple[StepResult, ...]
    changes: tuple[Change, ...]
    facts: Mapping[str, Any]
    ms: float
    seen_from: str = "here"

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return every finding in the order of the steps."""
        return tuple(finding for step in self.steps for finding in step.findings)
