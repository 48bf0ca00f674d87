"""An outage of several sites, maintenance windows, and upgrades nobody looked after."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from diagnostics.case import Case, MaintenanceWindow
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.charts import judged, outcome, weight
from tests.diagnostics.stories import BASE, START, Row, case, ehr, integration, made, scribe

PASSED, FAILED, WARNING = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING
UNKNOWN, NA = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
S = Strength.STRONG
ELSEWHERE = "https://other-ehr.example.test/r4/DocumentReference"
SQUID = {"server": "squid/5.7", "x-squid-error": "ERR_CONNECT_FAIL 111"}


def site(name: str | None, second: float, status: int | None = 503, **more: Any) -> list[Row]:
    """Return another site's note and its answer."""
    ids = {"note_id": f"N-{name}{second}", "transaction_id": f"tx-{name}{second}", "encounter_id": "E-9", "site": name}
    event = "acked" if status and status < 300 else "failed"
    url = more.pop("url", f"{BASE}/DocumentReference")
    return [scribe(second, "sent", **ids), scribe(second + 1, event, status=status, url=url, **ids, **more)]


def ours(status: int | None = 503, second: float = 300, **more: Any) -> list[Row]:
    """Return this note of the site north."""
    return [
        *made(),
        scribe(second, "sent", site="north"),
        scribe(second + 1, "failed", status=status, site="north", url=f"{BASE}/DocumentReference", **more),
    ]


OUTAGES: list[tuple[list[Row], Outcome]] = [
    ([*ours(), *site("south", 200), *site("west", 500)], FAILED),
    ([*ours(), *site("south", 200, 500), *site("west", 500, 504), *site("east", 300, 201)], FAILED),
    ([*ours(), *site("south", 200)], PASSED),
    ([*ours(), *site("south", 200), *site("south", 210), *site("south", 220)], PASSED),  # one site is one site
    ([*ours(), *site("south", -200), *site("west", 790)], PASSED),  # more than ten minutes apart
    ([*ours(), *site("south", 200, url=ELSEWHERE), *site("west", 500, url=ELSEWHERE)], PASSED),
    ([*ours(), *site("south", 200, 422), *site("west", 500, 403)], PASSED),
    ([*ours(), *site("south", 200, error='{"error": "access_denied"}'), *site("west", 500)], PASSED),
    ([*ours(response_headers=SQUID), *site("south", 200), *site("west", 500)], PASSED),  # our own proxy
    ([*ours(500, error='{"error": "access_denied"}'), *site("south", 200), *site("west", 500)], PASSED),
    ([*ours(422), *site("south", 200), *site("west", 500), *site("east", 510)], PASSED),
    # the last answer decides: the outage was over when the note was refused for good
    ([*ours(), *site("south", 200), *site("west", 500), scribe(900, "sent"), scribe(901, "failed", status=422)],
     PASSED),
    ([*made(), scribe(300, "sent"), scribe(301, "failed", status=503)], UNKNOWN),
    (made(), NA),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "status"), OUTAGES)
def test_three_sites_within_ten_minutes_are_an_outage(rows: list[Row], status: Outcome) -> None:
    finding = judged("ops.vendor.outage", case(rows, []))
    assert (finding.status, weight(finding)) == (status, S if status is FAILED else None), finding.says


def in_a_window(rows: list[Row], until: float) -> Case:
    window = MaintenanceWindow(START, START + timedelta(seconds=until))
    return replace(case(rows, []), integration=integration(maintenance=(window,)))


def test_a_window_explains_what_failed_in_it_and_not_what_was_answered_later() -> None:
    again = [scribe(900, "sent", attempt=2), scribe(901, "failed", status=422, error=outcome("required"))]
    assert judged("ops.vendor.maintenance", in_a_window(ours(), 600)).status is FAILED
    assert judged("ops.vendor.maintenance", in_a_window([*ours(), *again], 600)).status is WARNING
    refused = [*made(), scribe(2, "token"), scribe(3, "failed", url="https://auth.example.test/token", status=503)]
    refused[-1].pop("transaction_id")
    assert judged("ops.vendor.maintenance", in_a_window(refused, 600)).status is FAILED
    assert judged("ops.vendor.maintenance", in_a_window(ours(second=700), 600)).status is PASSED


DAY = 86400.0


def upgrade(days_ago: float, what: str = "EHR 2026.2, FHIR server", to: str = "2026.2") -> Row:
    return ehr(7200 - days_ago * DAY, "change", change={"kind": "upgrade", "what": what, "from": "x", "to": to})


NOTE = "release note: DocumentReference.create asks for a category"
CHECKED = ("post-upgrade validation", "completed")
RECORDS: list[tuple[str, list[Row], Outcome]] = [
    ("ops.release_notes", [upgrade(20, NOTE, "published")], WARNING),
    ("ops.release_notes", [upgrade(20, NOTE, "not reviewed")], WARNING),
    ("ops.release_notes", [upgrade(20, NOTE, "reviewed")], PASSED),
    ("ops.release_notes", [upgrade(20, NOTE, "published"), upgrade(10, NOTE, "reviewed")], PASSED),
    ("ops.release_notes", [upgrade(20), upgrade(10, "release notes of May", "reviewed by the team")], PASSED),
    ("ops.release_notes", [upgrade(20)], WARNING),
    ("ops.release_notes", [upgrade(20, "2026.2", "2026.2")], UNKNOWN),
    ("ops.release_notes", [upgrade(120, NOTE, "published")], NA),
    ("ops.release_notes", [ehr(0, "change", change={"kind": "role", "what": NOTE})], NA),
    ("ops.post_upgrade", [upgrade(20)], WARNING),
    ("ops.post_upgrade", [upgrade(0.5)], PASSED),
    ("ops.post_upgrade", [upgrade(20), upgrade(19, *CHECKED)], PASSED),
    ("ops.post_upgrade", [upgrade(20), upgrade(19, CHECKED[0], "open")], WARNING),
    ("ops.post_upgrade", [upgrade(30, *CHECKED), upgrade(20)], WARNING),  # that was the upgrade before
    ("ops.post_upgrade", [upgrade(120)], NA),
    ("ops.post_upgrade", [], NA),
]  # fmt: skip


@pytest.mark.parametrize(("check", "trail", "status"), RECORDS)
def test_upgrades_are_looked_after(check: str, trail: list[Row], status: Outcome) -> None:
    finding = judged(check, case(made(), trail))
    assert finding.status is status, finding.says
    assert finding.cause is None or finding.cause.kind == "warning"


@pytest.mark.parametrize("check", ["ops.release_notes", "ops.post_upgrade"])
def test_without_the_ehr_s_trail_nothing_is_said_of_upgrades(check: str) -> None:
    finding = judged(check, case(made(), None))
    assert finding.status is UNKNOWN
    assert finding.missing
