"""Draw the table of the case folders: what the judge demands by category, and the step whose check decided."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

NAMES = ("authentication", "write-back", "mapping", "network", "permissions", "monitoring")
NOTHING = "no cause demanded"


class Result(NamedTuple):
    """One case that was run: what was demanded, the step that decided (0: none), and whether all came out right."""

    category: str
    kind: str
    step: int
    right: bool


def result(case: Any, document: dict[str, Any] | None, wrong: list[str]) -> Result:
    """Sum up one verdict; a case whose answer may be several causes counts under the one that was named."""
    root = document["root_cause"] if document else None
    decided = root["because"][0]["check"] if root and root["because"] else ""
    steps = {check["id"]: step["step"] for step in (document or {"steps": []})["steps"] for check in step["checks"]}
    category = root["category"] if root else NOTHING
    return Result(category, case.kind, steps.get(decided, 0), not wrong)


def table(results: Iterable[Result]) -> list[str]:
    """Return the lines of the table; empty where nothing was run."""
    rows = list(results)
    if not rows:
        return []
    cells = Counter((row.category, row.step) for row in rows)
    kinds = Counter(row.kind for row in rows)
    head = f"{'category of the root cause':28}" + "".join(f"{name:>16}" for name in NAMES) + f"{'right':>12}"
    lines = [head, "-" * len(head)]
    for category in sorted({row.category for row in rows}, key=lambda name: (name == NOTHING, name)):
        ours = [row for row in rows if row.category == category]
        counts = "".join(f"{cells[category, step] or '·':>16}" for step in range(1, 7))
        lines.append(f"{category:28}{counts}{f'{sum(r.right for r in ours)} of {len(ours)}':>12}")
    lines.append("-" * len(head))
    lines.append(f"{sum(row.right for row in rows)} of {len(rows)} cases as their judge demands")
    lines.append(", ".join(f"{_right(rows, kind)} of {kinds[kind]} {kind}" for kind in sorted(kinds)))
    return lines


def _right(rows: list[Result], kind: str) -> int:
    return sum(row.right for row in rows if row.kind == kind)
