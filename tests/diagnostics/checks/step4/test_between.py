"""Proxies, gateways and limits between scribe and EHR, over several attempts and beside other notes."""

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.case import Case, MaintenanceWindow
from diagnostics.checks.step4_network.limits import minute_of
from diagnostics.evidence.base import Evidence
from diagnostics.parsing.logs import scribe_rows
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics.checks.charts import judged as recorded
from tests.diagnostics.checks.charts import weight
from tests.diagnostics.checks.seen import fault, judged, metadata, token
from tests.diagnostics.checks.step4.test_flows import tried
from tests.diagnostics.stories import START, Row, at, case, integration, made, scribe

PASSED, FAILED, WARNING, NA = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING, Outcome.NOT_APPLICABLE
D, S, M = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
SILENT = "connection closed"
HOST = "ehr.example.test"
MOVED = "<html><title>301 Moved Permanently</title><center>nginx</center></html>"


def proxied(rows: list[Row], *proxy: Row) -> Case:
    """Return a case with a proxy's log."""
    story = case(rows, [])
    return replace(story, logs=replace(story.logs, proxy=proxy))


def passed_by(status: int, second: float = 4, url: str = f"{HOST}:443", result: str = "TCP_MISS") -> Row:
    """Return a row of the proxy's log."""
    return {"at": at(second), "method": "CONNECT", "url": url, "status": status, "result": result}


PROXY: list[tuple[str, str, Case, Outcome]] = [
    ("407", "the proxy's row of this minute", proxied(tried((2, SILENT, None)), passed_by(407)), FAILED),
    ("407", "another hour", proxied(tried((2, SILENT, None)), passed_by(407, 4000)), PASSED),
    ("407", "another host", proxied(tried((2, SILENT, None)), passed_by(407, url="other.example:443")), PASSED),
    ("407", "the EHR answered", proxied(tried((2, "no", 422)), passed_by(407)), PASSED),
    ("407", "a later attempt got past it", case(tried((2, "", 407), (60, "no", 422)), []), WARNING),
    ("407", "the later attempt, too", case(tried((2, "no", 422), (60, "", 407)), []), FAILED),
    ("block_page", "the proxy's row of this minute",
     proxied(tried((2, SILENT, None)), passed_by(403, result="TCP_DENIED")), FAILED),
    ("block_page", "another host",
     proxied(tried((2, SILENT, None)), passed_by(403, url="http://other.example/")), PASSED),
    ("block_page", "another hour", proxied(tried((2, SILENT, None)), passed_by(403, 4000)), PASSED),
    ("block_page", "a redirect is no filter's page", case(tried((2, MOVED, 301)), []), PASSED),
    ("block_page", "a later attempt got past it",
     case(tried((2, "<html><title>Blocked by your organization</title></html>", 403), (60, "no", 422)), []), PASSED),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "of", "status"), [(r[0], *r[2:]) for r in PROXY], ids=[f"{r[0]} {r[1]}" for r in PROXY]
)
def test_a_proxys_row_counts_for_the_request_that_failed_last(row: str, of: Case, status: Outcome) -> None:
    found = recorded({"407": "net.proxy.407.log", "block_page": "net.proxy.block_page.log"}[row], of)
    assert found.status is status, found.says


BEARER = {"www-authenticate": 'Bearer realm="x"', "via": "1.1 p"}


def refused(error: str = "", headers: dict[str, str] | None = None, *, granted: float | None = None) -> list[Row]:
    """Return a write answered by 401, with a token granted before it, so many seconds of life."""
    asked = [scribe(1.5, "token", status=200, expires_in=granted)] if granted is not None else []
    answer = scribe(3, "failed", status=401, error=error, response_headers=headers or {})
    return [*made(), *asked, scribe(2, "sent"), answer]


STRIPPED: list[tuple[str, list[Row], Outcome, Strength | None]] = [
    ("a fresh token, a proxy's mark", refused(headers=BEARER, granted=300), FAILED, D),
    ("the token had ended", refused(headers=BEARER, granted=0), PASSED, None),
    ("the server says in words that no token came", refused('{"message": "Missing Authorization header"}', granted=300),
     FAILED, S),
    ("the server says what is wrong with the token",
     refused(headers={"www-authenticate": 'Bearer error="invalid_token"'}, granted=300), PASSED, None),
    ("a 401 without a word", refused(granted=300), PASSED, None),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "status", "strength"), [r[1:] for r in STRIPPED], ids=[r[0] for r in STRIPPED])
def test_a_token_lost_on_the_way_is_told_from_a_bad_one(
    rows: list[Row], status: Outcome, strength: Strength | None
) -> None:
    found = recorded("net.proxy.auth_stripped.log", case(rows, []))
    assert (found.status, weight(found)) == (status, strength), found.says


def others(count: int, *, taken: int, status: int = 429, notes: int | None = None) -> list[Row]:
    """Return so many writes of other notes within the note's own minute, the first `taken` of them accepted."""
    rows = []
    for n in range(count):
        ids = {"note_id": f"N-{n % (notes or count) + 10}", "transaction_id": f"tx-{n + 10}"}
        rows.append(scribe(n * 0.1, "sent", **ids))
        rows.append(scribe(n * 0.1 + 0.05, "acked", status=201 if n < taken else status, **ids))
    return rows


LIMIT = integration(rate_limit_per_minute=20)


def limited(*rows: Row, of: Any = LIMIT) -> Case:
    """Return a case under a limit of 20 requests a minute."""
    return case(list(rows), [], integration=of)


RATE: list[tuple[str, Case, Outcome, Strength | None]] = [
    ("429", limited(*tried((2, "", 429))), FAILED, D),
    ("429 once, then another answer", limited(*tried((2, "", 429), (60, "no", 422))), WARNING, None),
    ("403 that says over rate", limited(*tried((2, "<h1>Developer Over Rate</h1>", 403))), FAILED, S),
    ("401 that says too many", limited(*tried((2, '{"message": "Too many requests, retry later"}', 401))), FAILED, S),
    ("403 in a burst, some taken", limited(*others(30, taken=20, status=403), *tried((4, "no", 403))), FAILED, M),
    ("403 in a burst, none taken", limited(*others(30, taken=0, status=403), *tried((4, "no", 403))), WARNING, None),
    ("403 in a quiet minute", limited(*tried((4, "no", 403))), PASSED, None),
    ("422 in a burst", limited(*others(30, taken=20), *tried((4, "no", 422))), WARNING, None),
    ("a burst without any known limit", case([*others(300, taken=200), *tried((4, "no", 403))], []), PASSED, None),
]


@pytest.mark.parametrize(("of", "status", "strength"), [r[1:] for r in RATE], ids=[r[0] for r in RATE])
def test_a_limit_shows_in_the_answer_or_in_the_minute(of: Case, status: Outcome, strength: Strength | None) -> None:
    found = recorded("net.rate.limited.log", of)
    assert (found.status, weight(found)) == (status, strength), found.says


def test_retries_that_make_the_burst_are_said() -> None:
    found = recorded("net.rate.limited.log", limited(*others(30, taken=5, notes=5), *tried((4, "", 429))))
    assert found.facts["retry_amplification"] > 1.5 and "retries" in found.says
    calm = recorded("net.rate.limited.log", limited(*others(30, taken=5), *tried((4, "", 429))))
    assert "retries" not in calm.says and "31 in that minute" in calm.says


def test_a_minute_is_a_calendar_minute() -> None:
    rows = scribe_rows([scribe(-1, "sent"), scribe(1, "sent"), scribe(59, "sent"), scribe(61, "sent")])
    assert minute_of(rows, START).requests == 2 and minute_of(rows, None).requests == 0


LATE: list[tuple[str, Case, Outcome, str]] = [
    ("504", case(tried((2, "<h1>504 Gateway Time-out</h1>", 504)), []), FAILED, "504"),
    ("408", case(tried((2, "408 Request Timeout", 408)), []), FAILED, "408"),
    ("no status", case(tried((2, "read timed out", None)), []), FAILED, "no answer came back"),
    ("504, then an answer", case(tried((2, "", 504), (60, "no", 422)), []), PASSED, "later"),
    ("an answer, then 504", case(tried((2, "no", 422), (60, "", 504)), []), FAILED, "504"),
]


@pytest.mark.parametrize(("of", "status", "words"), [r[1:] for r in LATE], ids=[r[0] for r in LATE])
def test_three_kinds_of_lateness_are_told_apart(of: Case, status: Outcome, words: str) -> None:
    found = recorded("net.timeout.gateway.log", of)
    assert found.status is status and words in found.says, found.says


def test_a_maintenance_window_is_noted() -> None:
    window = MaintenanceWindow(START, START.replace(hour=18))
    of = case(tried((2, "", 503)), [], integration=integration(maintenance=(window,)))
    assert recorded("net.timeout.gateway.log", of).facts["maintenance"] is True


@pytest.mark.parametrize(
    ("evidence", "status"),
    [
        ([metadata(None, fault=fault("timeout_first_byte", "waiting"))], FAILED),
        ([metadata(), token(None, fault=fault("timeout_total", "reading"), granted=False)], FAILED),
        ([metadata(408)], FAILED),
        ([metadata(None, fault=fault("tls", "tls"))], PASSED),
        ([metadata(None, fault=fault("timeout_connect", "tcp"))], PASSED),
    ],
)
def test_a_server_that_never_answers_is_found_live(evidence: list[Evidence], status: Outcome) -> None:
    found = judged("net.timeout.gateway", *evidence)
    assert found.status is status, found.says
    assert status is not FAILED or (found.strength is M and found.condemns)


@pytest.mark.parametrize("status", [401, 403])
def test_a_limit_in_other_words_is_found_live(status: int) -> None:
    found = judged("net.rate.limited", metadata(status, "<h1>Developer Over Rate</h1>", content_type="text/html"))
    assert (found.status, found.strength) == (FAILED, S)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("Access Denied: blocked by the Web Application Firewall. Support ID: 1234", FAILED),
        ("Forbidden", PASSED),
        ('{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}', PASSED),
    ],
)
def test_a_bare_text_in_a_filters_words_is_the_filters(body: str, status: Outcome) -> None:
    rows = [*made(), scribe(2, "sent"), scribe(3, "failed", status=403, error=body)]
    assert recorded("net.proxy.block_page.log", case(rows)).status is status
