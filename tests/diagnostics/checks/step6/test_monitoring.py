"""Faults of the scribe and of the EHR themselves, and what the logs as a whole say."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from diagnostics.case import MaintenanceWindow
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.stories import START, Row, case, ehr, integration, made, scribe

PASSED, FAILED, WARNING = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING
UNKNOWN, NA = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
SENT = [*made(), scribe(2, "sent")]
GOOD = [*SENT, scribe(3, "acked", status=201)]
SEEN = [ehr(2, "received"), ehr(3, "accepted"), ehr(4, "filed", resource="DocumentReference/1")]
INSIDE = json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "fatal", "code": "exception"}]})
CONTENT = json.dumps({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "required"}]})
LATE = [*SENT, scribe(12, "failed", error="Read timed out")]
FIRST = [*SENT, scribe(3, "failed", status=503), scribe(300, "sent", attempt=2)]
AGAIN = [*FIRST, scribe(301, "failed", status=422, error=CONTENT)]
TWICE = [*FIRST, scribe(301, "failed", status=503)]
RETRIED = [*LATE, scribe(300, "sent", attempt=2), scribe(301, "acked", status=201)]
OTHER = {"note_id": "N-2", "transaction_id": "tx-2", "encounter_id": "E-2"}


def other(event: str, number: int, **more: Any) -> Row:
    """Return a row of another note of the same hour."""
    ids = {"note_id": f"N-{number}", "transaction_id": f"tx-{number}", "encounter_id": f"E-{number}"}
    return scribe(5, event, **ids, **more)


def day(good: int, bad: int) -> list[Row]:
    """Return the rows of many notes, some of which were refused."""
    rows: list[Row] = []
    for number in range(2, good + bad + 2):
        rows += [other("sent", number), other("acked", number, status=201 if number < good + 2 else 500)]
    return rows


WINDOW = MaintenanceWindow(START - timedelta(hours=1), START + timedelta(hours=1))
TABLE: list[tuple[str, dict[str, Any], Outcome, int | None]] = [
    ("scribe.note.not_generated", {"rows": GOOD, "audit": SEEN}, PASSED, None),
    ("scribe.note.not_generated", {"rows": [scribe(0, "generated", **OTHER)], "audit": []}, FAILED, 10),
    ("scribe.note.not_generated", {"rows": [scribe(0, "generated", **OTHER)], "audit": None}, FAILED, 6),
    ("scribe.note.not_generated", {"rows": None, "audit": SEEN}, UNKNOWN, None),
    ("scribe.note.not_sent", {"rows": made(), "audit": []}, FAILED, 10),
    ("scribe.note.not_sent", {"rows": made(), "audit": None}, FAILED, 6),
    ("scribe.note.not_sent", {"rows": made(), "audit": [], "after": 600}, NA, None),
    ("scribe.note.not_sent", {"rows": GOOD, "audit": SEEN}, PASSED, None),
    ("scribe.note.not_sent", {"rows": [*made(), scribe(2, "token", status=200)], "audit": []}, FAILED, 6),
    ("scribe.retry.duplicate", {"rows": GOOD, "audit": SEEN}, PASSED, None),
    (
        "scribe.retry.duplicate",
        {
            "rows": [*GOOD, scribe(9, "sent", attempt=2), scribe(10, "acked", status=201)],
            "audit": [*SEEN, ehr(9, "received"), ehr(10, "filed", resource="DocumentReference/2")],
        },
        FAILED,
        10,
    ),
    ("scribe.retry.duplicate", {"rows": GOOD, "audit": None}, UNKNOWN, None),
    ("scribe.timeout.short", {"rows": LATE, "audit": [ehr(2, "received"), ehr(20, "filed")]}, FAILED, 10),
    ("scribe.timeout.short", {"rows": LATE, "audit": [ehr(2, "received"), ehr(3, "filed")]}, PASSED, None),
    ("scribe.timeout.short", {"rows": GOOD, "audit": SEEN}, NA, None),
    # A connection that broke, and a second attempt that arrived: the EHR's row is about the second.
    ("scribe.timeout.short", {"rows": RETRIED, "audit": [ehr(301, "filed")]}, NA, None),
    ("scribe.timeout.short", {"rows": RETRIED, "audit": [ehr(20, "filed"), ehr(301, "filed")]}, FAILED, 10),
    ("ehr.server.error", {"rows": [*SENT, scribe(3, "failed", status=500, error=INSIDE)]}, FAILED, 10),
    ("ehr.server.error", {"rows": [*SENT, scribe(3, "failed", status=500, error=CONTENT)]}, FAILED, 6),
    (
        "ehr.server.error",
        {"rows": [*SENT, scribe(3, "failed", status=500, error='{"error": "access_denied"}')]},
        NA,
        None,
    ),
    (
        "ehr.server.error",
        {
            "rows": [
                *SENT,
                scribe(3, "failed", status=502, error="<html><title>502 Bad Gateway</title><hr>nginx</html>"),
            ]
        },
        PASSED,
        None,
    ),
    ("ehr.server.error", {"rows": [*SENT, scribe(3, "failed", status=503)], "audit": None}, UNKNOWN, None),
    ("ehr.server.error", {"rows": [*SENT, scribe(3, "failed", status=422)]}, PASSED, None),
    # A 503 that came and went does not explain why a later attempt was refused.
    ("ehr.server.error", {"rows": AGAIN, "audit": [ehr(301, "rejected", status=422)]}, WARNING, None),
    ("ehr.server.error", {"rows": TWICE, "audit": [ehr(301, "rejected", status=422)]}, UNKNOWN, None),
    ("ehr.server.error", {"rows": TWICE, "audit": [ehr(301, "rejected")]}, FAILED, 10),
    ("ehr.server.error", {"rows": GOOD, "audit": [ehr(2, "received"), ehr(4, "rejected", status=500)]}, FAILED, 10),
    ("ops.audit.gap", {"rows": GOOD, "audit": [ehr(2, "token", client_id="scribe-writer")]}, WARNING, None),
    ("ops.audit.gap", {"rows": GOOD, "audit": SEEN}, PASSED, None),
    ("ops.audit.gap", {"rows": GOOD, "audit": []}, UNKNOWN, None),
    ("ops.vendor.maintenance", {"rows": [*SENT, scribe(3, "failed", status=503)], "window": True}, FAILED, 6),
    ("ops.vendor.maintenance", {"rows": [*SENT, scribe(3, "failed", status=422)], "window": True}, PASSED, None),
    ("ops.vendor.maintenance", {"rows": [*SENT, scribe(3, "failed", status=503)]}, NA, None),
    ("ops.spread", {"rows": [*SENT, scribe(3, "failed", status=500), *day(2, 0)]}, PASSED, None),
    (
        "ops.spread",
        {"rows": [*SENT, scribe(3, "failed", status=500), other("sent", 7), other("failed", 7, status=500)]},
        WARNING,
        None,
    ),
    ("ops.spread", {"rows": [*SENT, scribe(3, "failed", status=500)]}, UNKNOWN, None),
    ("ops.success_rate", {"rows": day(40, 1)}, PASSED, None),
    ("ops.success_rate", {"rows": day(20, 5)}, WARNING, None),
    ("ops.success_rate", {"rows": day(10, 5)}, NA, None),
]


@pytest.mark.parametrize(("check", "given", "status", "strength"), TABLE)
def test_the_table(check: str, given: dict[str, Any], status: Outcome, strength: int | None) -> None:
    told = case(given["rows"], given.get("audit", []), after=given.get("after", 7200))
    if given.get("window"):
        told = replace(told, integration=integration(maintenance=(WINDOW,)))
    finding = judged(check, told)
    assert finding.status is status, finding.says
    if strength is not None:
        assert finding.strength == strength


def test_two_documents_of_which_one_lies_elsewhere_are_told_as_such() -> None:
    sent = [scribe(2, "sent"), scribe(3, "acked", status=201), scribe(20, "sent", attempt=2)]
    filed = [
        ehr(4, "filed", resource="DocumentReference/1"),
        ehr(22, "filed", resource="DocumentReference/2", encounter_id="E-9"),
    ]
    found = judged("scribe.retry.duplicate", case([*made(), *sent], filed))
    assert (found.status, found.strength) == (Outcome.FAILED, Strength.STRONG), found.says
