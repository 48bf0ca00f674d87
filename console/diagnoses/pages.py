"""Turn the document of a diagnosis (`diagnose --json`) into what the ticket page shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from console.diagnoses import words
from diagnostics import catalog
from diagnostics.causes.model import Action, Cause
from diagnostics.check import PREFIXES, Check
from diagnostics.vocabulary import Step

Document = Mapping[str, Any]
_SHORT_TEXT = 400
_SHOWN_AT_ONCE = 8


@dataclass(frozen=True)
class Stop:
    """Be one stage of the journey picture."""

    stage: str
    name: str
    state: str
    word: str
    says: str
    at: datetime | None


@dataclass(frozen=True)
class CheckLine:
    """Be one check of a step: its square and its row."""

    id: str
    number: str
    title: str
    status: str
    word: str
    says: str
    why: str
    facts: tuple[tuple[str, str], ...]
    blocked_by: "Link | None" = None
    missing: str = ""

    @property
    def anchor(self) -> str:
        """Give the id of its row, for links from the verdict."""
        return anchor(self.id)


@dataclass(frozen=True)
class Link:
    """Point at a check of the page; without an anchor it is only a name."""

    text: str
    number: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class StepLine:
    """Be one of the six steps as a quiet row."""

    number: int
    name: str
    status: str
    summary: str
    ms: float | None
    checks: tuple[CheckLine, ...]
    aside: tuple[CheckLine, ...]
    opened: bool = False

    @property
    def front(self) -> tuple[CheckLine, ...]:
        """Give the checks shown at once: all of a short list, of a long one those that did not pass."""
        if len(self.checks) <= _SHOWN_AT_ONCE:
            return self.checks
        return tuple(check for check in self.checks if check.status != "passed")

    @property
    def folded(self) -> tuple[CheckLine, ...]:
        """Give the checks that a long list keeps behind one line."""
        front = self.front
        return () if len(front) == len(self.checks) else tuple(c for c in self.checks if c.status == "passed")

    @property
    def seconds(self) -> str:
        """Give its time in seconds, empty while it has none."""
        return "" if not self.ms or self.ms < 5 else f"{self.ms / 1000:.2f} s"


@dataclass(frozen=True)
class Reason:
    """Be one sentence of the verdict, with what it does and the check that says so."""

    kind: str
    tone: str
    says: str
    link: Link | None


@dataclass(frozen=True)
class RemedyLine:
    """Be one thing to do; `again` names what the console can run for it: "all", a step's number or nothing."""

    text: str
    again: str = ""


@dataclass(frozen=True)
class CauseView:
    """Be a cause in words."""

    id: str
    title: str
    category: str
    certainty: str
    who_acts: str
    because: tuple[Reason, ...]
    remedy: tuple[RemedyLine, ...]
    caution: str = ""


@dataclass(frozen=True)
class ChangeLine:
    """Be one thing that changed."""

    kind: str
    what: str
    before: str
    after: str
    at: datetime | None


@dataclass(frozen=True)
class Verdict:
    """Be the answer at the head of the page."""

    state: str  # running, found, none, good
    label: str
    title: str
    cause: CauseView | None
    ruled_out: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    contributing: tuple[CauseView, ...]
    changes: tuple[ChangeLine, ...]

    @property
    def ruled_out_words(self) -> str:
        """Name the categories that are ruled out."""
        return ", ".join(name.lower() if name not in ("EHR", "AI scribe") else name for name, _ in self.ruled_out)


def anchor(check_id: str) -> str:
    """Make an element id of a check's id."""
    return "check-" + check_id.replace(".", "-").replace("_", "-")


def moment(value: object) -> datetime | None:
    """Read a time of the document."""
    try:
        return datetime.fromisoformat(str(value)) if value else None
    except ValueError:
        return None


def journey(document: Document | None) -> tuple[Stop, ...]:
    """Give the five stops; without a document every one of them is not known."""
    given = {item["stage"]: item for item in (document or {}).get("journey", ())}
    stops = []
    for stage, name in words.STAGES.items():
        item = given.get(stage, {})
        state = item.get("state", "unknown")
        says = str(item.get("says") or "")
        stops.append(Stop(stage, name, state, words.STAGE_STATES.get(state, state), says, moment(item.get("at"))))
    return tuple(stops)


def steps(document: Document | None, *, running: bool = False) -> tuple[StepLine, ...]:
    """Give the six steps. While a run goes on, what is not known yet is shown as waited for, not as unknown."""
    given = {int(item["step"]): item for item in (document or {}).get("steps", ())}
    numbers = _numbers(given)
    lines: list[StepLine] = []
    for step in Step:
        item = given.get(int(step))
        checks = tuple(_check(c, numbers, running) for c in (item or {}).get("checks", ()))
        shown = tuple(c for c in checks if c.status != "not_applicable")
        aside = tuple(c for c in checks if c.status == "not_applicable")
        status = _status(item, shown, running)
        lines.append(
            StepLine(
                number=int(step),
                name=step.title,
                status=status,
                summary=_summary(shown, aside, status),
                ms=None if item is None or status == "running" else float(item.get("ms") or 0.0),
                checks=shown,
                aside=aside,
            )
        )
    return _open_first(lines)


def verdict(document: Document | None, *, running: bool = False, gave_up: bool = False) -> Verdict:
    """Say the conclusion in the words of a page."""
    if document is None or running:
        early = document and document.get("failure_mode") not in (None, "unknown")
        title = "Looking for the cause" if running else "No diagnosis has been made yet"
        if gave_up:
            title = "The diagnosis did not come to an end"
        label = "Diagnosis running" if running else words.NO_CAUSE
        changes = _changes(document) if early and document else ()
        return Verdict("running" if running else "none", label, title, None, (), (), (), changes)
    numbers = _numbers({int(item["step"]): item for item in document.get("steps", ())})
    root = document.get("root_cause")
    shared = {
        "ruled_out": tuple(
            (words.CATEGORIES.get(r["category"], r["category"]), str(r["because"]))
            for r in document.get("ruled_out", ())
        ),
        "missing": tuple(str(m) for m in document.get("missing", ())),
        "contributing": tuple(_cause(c, numbers, document) for c in document.get("contributing", ())),
        "changes": _changes(document),
    }
    if root is not None:
        cause = _cause(root, numbers, document, with_changes=True)
        label = words.CERTAINTIES.get(root["certainty"], root["certainty"])
        return Verdict("found", label, cause.title, cause, **shared)
    if document.get("failure_mode") == "delivered":
        return Verdict("good", "Nothing is wrong", "The note is in the chart, where it belongs", None, **shared)
    return Verdict("none", words.NO_CAUSE, "The evidence at hand does not settle it", None, **shared)


def mini(stages: Sequence[Mapping[str, str]]) -> tuple[tuple[int, str], ...]:
    """Give x positions and states of the queue's small journey picture."""
    states = {item.get("stage"): item.get("state", "unknown") for item in stages}
    return tuple((6 + 22 * i, states.get(stage, "unknown")) for i, stage in enumerate(words.STAGES))


@cache
def _catalogue() -> tuple[Mapping[str, Check], Mapping[str, Cause]]:
    return catalog.checks(), catalog.causes()


def _numbers(steps: Mapping[int, Any]) -> dict[str, Link]:
    """Number the checks of each step as the page shows them: those that do not apply come without a number."""
    numbers = {}
    for number, item in steps.items():
        shown = [c for c in item.get("checks", ()) if c["status"] != "not_applicable"]
        for index, check in enumerate(shown, 1):
            numbers[check["id"]] = Link(_title(check), f"{number}.{index}", anchor(check["id"]))
    return numbers


def _title(check: Mapping[str, Any]) -> str:
    declared = _catalogue()[0].get(check["id"])
    return str(check.get("title") or (declared.title if declared else check["id"]))


def _check(check: Mapping[str, Any], numbers: Mapping[str, Link], running: bool) -> CheckLine:
    status = str(check["status"])
    if running and status in ("unknown", "blocked"):
        status = "running"
    declared = _catalogue()[0].get(check["id"])
    link = numbers.get(check["id"])
    blocked_by = None
    if check.get("blocked_by") and status == "blocked":
        blocked_by = numbers.get(check["blocked_by"]) or Link(str(check["blocked_by"]))
    return CheckLine(
        id=check["id"],
        number=link.number if link else "",
        title=_title(check),
        status=status,
        word=words.STATUSES.get(status, status),
        says="" if status == "running" else str(check.get("says") or ""),
        why=declared.why if declared else "",
        facts=() if status == "running" else tuple(_facts(check.get("evidence") or {})),
        blocked_by=blocked_by,
        missing="" if status == "running" else str(check.get("missing") or "").rstrip("."),
    )


def _facts(evidence: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in evidence.items():
        label = f"{prefix}{str(name).replace('_', ' ')}"
        if isinstance(value, Mapping):
            rows += _facts(value, f"{label}: ")
        elif isinstance(value, list | tuple):
            rows.append((label, ", ".join(_plain(v) for v in value) or "none"))
        else:
            rows.append((label, _plain(value)))
    return rows


def _plain(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{k} {_plain(v)}" for k, v in value.items())
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text if len(text) <= _SHORT_TEXT else text[:_SHORT_TEXT] + " …"


def _status(item: Mapping[str, Any] | None, shown: Sequence[CheckLine], running: bool) -> str:
    if running and (item is None or any(c.status == "running" for c in shown)):
        return "failed" if any(c.status == "failed" for c in shown) else "running"
    if item is None:
        return "unknown"
    return str(item["status"])


def _summary(shown: Sequence[CheckLine], aside: Sequence[CheckLine], status: str) -> str:
    counts = Counter(c.status for c in shown)
    if not shown:
        return {"running": "running…", "unknown": "not run"}.get(status, "nothing to check here")
    order = ("failed", "warning", "error", "passed", "blocked", "unknown")
    parts = [_counted(counts[s], s) for s in order if counts[s]]
    if counts["running"]:
        parts.append("running…")
    return " · ".join(parts)


def _counted(count: int, status: str) -> str:
    if status == "warning":
        return f"{count} warning" if count == 1 else f"{count} warnings"
    if status == "error":
        return f"{count} could not be checked"
    return f"{count} {words.STATUSES[status]}"


def _open_first(lines: list[StepLine]) -> tuple[StepLine, ...]:
    """Open the first step that failed, so that a reader need not press anything to see why."""
    first = next((line.number for line in lines if line.status == "failed"), None)
    return tuple(StepLine(**{**line.__dict__, "opened": line.number == first}) for line in lines)


def _cause(
    item: Mapping[str, Any], numbers: Mapping[str, Link], document: Document, *, with_changes: bool = False
) -> CauseView:
    declared = _catalogue()[1].get(item["cause"])
    proven = item["certainty"] == "proven"
    failed = {
        check["id"] for step in document.get("steps", ()) for check in step["checks"] if check["status"] == "failed"
    }
    reasons = [_reason(r, numbers, failed, proven) for r in item.get("because", ())]
    if with_changes:
        reasons += [
            Reason("changed", "warn", _change_sentence(change), Link("what changed", anchor="changes"))
            for change in _changes(document)[:2]
        ]
    return CauseView(
        id=item["cause"],
        title=item["title"],
        category=words.CATEGORIES.get(item["category"], item["category"]),
        certainty=words.CERTAINTIES.get(item["certainty"], item["certainty"]),
        who_acts=words.WHO_ACTS.get(item.get("who_acts", ""), ""),
        because=tuple(reasons),
        remedy=_remedy(item, declared),
        caution=declared.caution if declared else "",
    )


def _remedy(item: Mapping[str, Any], declared: Cause | None) -> tuple[RemedyLine, ...]:
    actions = {step.text: step.action for step in declared.remedy} if declared else {}
    family = str(item["cause"]).partition(".")[0]
    step = next((str(int(s)) for s, prefixes in PREFIXES.items() if family in prefixes), "")
    again = {Action.RUN_AGAIN: "all", Action.RUN_STEP: step}
    return tuple(RemedyLine(text, again.get(actions.get(text), "")) for text in item.get("remedy", ()))


def _reason(reason: Mapping[str, Any], numbers: Mapping[str, Link], failed: set[str], proven: bool) -> Reason:
    check = reason.get("check") or ""
    if check in failed or not check:
        kind, tone = ("proves", "bad") if proven else ("speaks for it", "warn")
    else:
        kind, tone = "agrees", ""
    return Reason(kind, tone, str(reason["says"]), numbers.get(check))


def _changes(document: Document) -> tuple[ChangeLine, ...]:
    return tuple(
        ChangeLine(
            kind=str(c.get("kind") or "").replace("_", " "),
            what=str(c.get("what") or ""),
            before="" if c.get("from") is None else _plain(c["from"]),
            after="" if c.get("to") is None else _plain(c["to"]),
            at=moment(c.get("at")),
        )
        for c in document.get("changes", ())
    )


def _change_sentence(change: ChangeLine) -> str:
    text = f"{change.kind.capitalize()}: {change.what}" if change.kind else change.what
    if change.before and change.after:
        return f"{text}, from {change.before} to {change.after}"
    return text
