"""The firewall's log against the scribe's attempts."""

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import judged

TIMED_OUT = [*stories.made(), stories.scribe(2, "sent"), stories.scribe(7, "failed", error="connect timed out")]


def row(
    action: str, seconds: float = 3, destination: str | None = "ehr.example.test", port: int = 443
) -> dict[str, Any]:
    return {"at": stories.at(seconds), "action": action, "source": "10.0.0.5", "destination": destination, "port": port}


TABLE: list[tuple[str, list[dict[str, Any]], Outcome, Strength | None]] = [
    ("dropped by name", [row("drop")], Outcome.FAILED, Strength.DECISIVE),
    ("denied by address", [row("deny", destination="192.0.2.9")], Outcome.FAILED, Strength.STRONG),
    ("allowed", [row("allow")], Outcome.PASSED, None),
    ("dropped and allowed", [row("drop"), row("allow")], Outcome.FAILED, Strength.MODERATE),
    ("an hour away", [row("drop", 3600)], Outcome.UNKNOWN, None),
    ("another port", [row("drop", port=22)], Outcome.UNKNOWN, None),
    ("another host", [row("drop", destination="other.example.test")], Outcome.UNKNOWN, None),
]


@pytest.mark.parametrize(("what", "rows", "status", "strength"), TABLE, ids=[r[0] for r in TABLE])
def test_a_row_counts_where_host_port_and_time_fit(what: str, rows: Any, status: Outcome, strength: Any) -> None:
    case = stories.case(TIMED_OUT)
    case = replace(case, logs=replace(case.logs, firewall=tuple(rows)))
    found = judged("net.fwlog.drop", case)
    assert (found.status, found.strength) == (status, strength), found.says


def test_an_answered_note_is_not_looked_up() -> None:
    answered = [*stories.made(), stories.scribe(2, "sent"), stories.scribe(3, "acked", status=201)]
    case = stories.case(answered)
    case = replace(case, logs=replace(case.logs, firewall=(row("drop"),)))
    assert judged("net.fwlog.drop", case).status is Outcome.NOT_APPLICABLE
