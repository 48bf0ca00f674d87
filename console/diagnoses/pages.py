"""Turn the document of a diagnosis (`diagnose --json`) into what the ticket page shows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from console.diagnoses import words
from diagnostics import catalog
from diagnostics.causes.model import Cause
from diagnostics.check import Check
from diagnostics.vocabulary import Instant, Step

Document = Mapping[str, Any]
_SHORT_TEXT = 400
_SHOWN_AT_ONCE = 8
_FEW = 2


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
        held = {id(check) for _, group in self.blocked for check in group}
        return tuple(check for check in self.checks if check.status != "passed" and id(check) not in held)

    @property
    def blocked(self) -> tuple[tuple["Link", tuple[CheckLine, ...]], ...]:
        """Group what one failed check keeps from being looked at: of a long list a line for each such check."""
        groups: dict[Link, list[CheckLine]] = {}
        if len(self.checks) > _SHOWN_AT_ONCE:
            for check in self.checks:
                if check.status == "blocked" and check.blocked_by is not None:
                    groups.setdefault(check.blocked_by, []).append(check)
        return tuple((by, tuple(group)) for by, group in groups.items() if len(group) > _FEW)

    @property
    def folded(self) -> tuple[CheckLine, ...]:
        """Give the checks that a long list keeps behind one line."""
        return () if len(self.checks) <= _SHOWN_AT_ONCE else tuple(c for c in self.checks if c.status == "passed")

    @property
    def seconds(self) -> str:
        """Give its time in seconds, empty while it has none."""
        return "" if not self.ms or self.ms < 5 else f"{self.ms / 1000:.2f} s"


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
    numbers = numbered(given)
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


def mini(stages: Sequence[Mapping[str, str]]) -> tuple[tuple[int, str], ...]:
    """Give x positions and states of the queue's small journey picture."""
    states = {item.get("stage"): item.get("state", "unknown") for item in stages}
    return tuple((6 + 22 * i, states.get(stage, "unknown")) for i, stage in enumerate(words.STAGES))


@cache
def catalogue() -> tuple[Mapping[str, Check], Mapping[str, Cause]]:
    """Load the engine's checks and causes once a process."""
    return catalog.checks(), catalog.causes()


def numbered(steps: Mapping[int, Any]) -> dict[str, Link]:
    """Number the checks of each step as the page shows them: those that do not apply come without a number."""
    numbers = {}
    for number, item in steps.items():
        shown = [c for c in item.get("checks", ()) if c["status"] != "not_applicable"]
        for index, check in enumerate(shown, 1):
            numbers[check["id"]] = Link(_title(check), f"{number}.{index}", anchor(check["id"]))
    return numbers


def _title(check: Mapping[str, Any]) -> str:
    declared = catalogue()[0].get(check["id"])
    return str(check.get("title") or (declared.title if declared else check["id"]))


def _check(check: Mapping[str, Any], numbers: Mapping[str, Link], running: bool) -> CheckLine:
    status = str(check["status"])
    if running and status in ("unknown", "blocked"):
        status = "running"
    declared = catalogue()[0].get(check["id"])
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
        says="" if status == "running" else _says(check, live=declared is not None and declared.instant is Instant.NOW),
        why=declared.why if declared else "",
        facts=() if status == "running" else tuple(_facts(check.get("evidence") or {})),
        blocked_by=blocked_by,
        missing="" if status == "running" else str(check.get("missing") or "").rstrip("."),
    )


def _says(check: Mapping[str, Any], *, live: bool) -> str:
    """Give a check's sentence; what a probe saw from a segment names the segment, what a log recorded does not."""
    says, place = str(check.get("says") or ""), str(check.get("seen_from") or "here")
    return f"Seen from {place}: {says}" if says and live and place != "here" else says


def _facts(evidence: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in evidence.items():
        label = f"{prefix}{str(name).replace('_', ' ')}"
        if isinstance(value, Mapping):
            rows += _facts(value, f"{label}: ")
        elif isinstance(value, list | tuple):
            rows.append((label, ", ".join(plain(v) for v in value) or "none"))
        else:
            rows.append((label, plain(value)))
    return rows


def plain(value: Any) -> str:
    """Write one value of the evidence as people read it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "; ".join(f"{k} {plain(v)}" for k, v in value.items())
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
