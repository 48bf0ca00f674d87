"""Attempts nobody answered, beside what firewalls, other sites and announcements say of them."""

from dataclasses import replace
from typing import Any

import pytest

from diagnostics.case import Case
from diagnostics.checks.step4_network.flows import addresses_in, inside, place_of
from diagnostics.checks.step4_network.spelling import distance
from diagnostics.vocabulary import Category, Outcome, Strength
from tests.diagnostics.checks.charts import judged, weight
from tests.diagnostics.stories import BASE, TOKEN_URL, Row, at, case, ehr, made, scribe

PASSED, FAILED, WARNING = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING
UNKNOWN, NA = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
D, S, M = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
HOST = "ehr.example.test"
SILENT = "connect ETIMEDOUT"


def tried(*answers: tuple[float, str | None, int | None]) -> list[Row]:
    """Return a note with an attempt at each second, answered by an error text and a status."""
    rows = made()
    for number, (second, error, status) in enumerate(answers, 1):
        rows.append(scribe(second, "sent", attempt=number))
        rows.append(scribe(second + 5, "failed", attempt=number, error=error, status=status))
    return rows


def fenced(rows: list[Row], *firewall: Row, **more: Any) -> Case:
    """Return a case with a firewall's log."""
    story = case(rows, more.pop("audit", []), **more)
    return replace(story, logs=replace(story.logs, firewall=firewall))


def wall(
    action: str, second: float = 3, destination: str | None = HOST, source: str = "198.51.100.20", port: int = 443
) -> Row:
    """Return a row of the firewall's log."""
    return {"at": at(second), "action": action, "source": source, "destination": destination, "port": port}


ONCE = tried((2, SILENT, None))
AGAIN = tried((2, SILENT, None), (600, "no", 422))
TWICE = tried((2, SILENT, None), (600, "connect ETIMEDOUT 203.0.113.9:443", None))
NAMED = tried((2, "connect ETIMEDOUT 203.0.113.9:443", None))
KNOWN = {"baseline": {"dns": {HOST: ["203.0.113.9"]}}}
DROPS: list[tuple[str, list[Row], list[Row], dict[str, Any], Outcome, Strength | None]] = [
    ("the only attempt", ONCE, [wall("drop")], {}, FAILED, D),
    ("a later attempt was answered", AGAIN, [wall("drop")], {}, WARNING, None),
    ("the later attempt was stopped, too", TWICE, [wall("deny", 601)], {}, FAILED, D),
    ("only the first of two silent attempts", TWICE, [wall("drop"), wall("allow", 601)], {}, FAILED, D),
    ("the address the error names", NAMED, [wall("drop", destination="203.0.113.9")], {}, FAILED, D),
    ("another address than the error names", NAMED, [wall("drop", destination="203.0.113.77")], {}, UNKNOWN, None),
    ("the address of the last good run", ONCE, [wall("drop", destination="203.0.113.9")], KNOWN, FAILED, D),
    ("an address nobody knows", ONCE, [wall("drop", destination="203.0.113.9")], {}, FAILED, S),
    ("another flow of the same host let through", ONCE, [wall("drop"), wall("allow")], {}, FAILED, M),
]


@pytest.mark.parametrize(
    ("rows", "log", "more", "status", "strength"), [r[1:] for r in DROPS], ids=[r[0] for r in DROPS]
)
def test_a_drop_counts_for_the_attempt_it_stopped(
    rows: list[Row], log: list[Row], more: dict[str, Any], status: Outcome, strength: Strength | None
) -> None:
    found = judged("net.fwlog.drop", fenced(rows, *log, **more))
    assert (found.status, weight(found)) == (status, strength), found.says


OTHER = "192.0.2.50"
MOVED = {"kind": "endpoint", "what": "outbound IP range of the scribe", "from": "192.0.2.0/24", "to": "198.51.100.0/24"}
UPGRADED = {"kind": "upgrade", "what": "EHR software", "from": "10", "to": "11"}
EGRESS: list[tuple[str, list[Row], list[Row], list[Row], Outcome, Strength | None]] = [
    ("denied beside an allowed source", ONCE, [wall("deny"), wall("allow", -3600, source=OTHER)], [], FAILED, D),
    ("inside sources may hide behind a NAT", ONCE,
     [wall("deny", source="10.0.0.5"), wall("allow", -9, source="10.0.0.6")], [], FAILED, S),
    ("an inside and an outside source are not comparable", ONCE,
     [wall("deny", source="10.0.0.5"), wall("allow", -9, source=OTHER)], [], UNKNOWN, None),
    ("denied from the new range", ONCE, [wall("deny")], [ehr(-600, "change", change=MOVED)], FAILED, D),
    ("denied, nothing to compare with", ONCE, [wall("deny")], [], UNKNOWN, None),
    ("the same source is let through as well", ONCE, [wall("deny"), wall("allow"), wall("allow", -9, source=OTHER)],
     [], UNKNOWN, None),
    ("another port", ONCE, [wall("deny", port=22), wall("allow", -9, source=OTHER)], [], UNKNOWN, None),
    ("announced, and worked before", ONCE, [],
     [ehr(-900, "filed", transaction_id="tx-0"), ehr(-600, "change", change=MOVED)], FAILED, D),
    ("announced, and worked since", ONCE, [],
     [ehr(-600, "change", change=MOVED), ehr(-300, "filed", transaction_id="tx-0")], FAILED, S),
    ("announced after the failure", ONCE, [], [ehr(900, "change", change=MOVED)], UNKNOWN, None),
    ("announced, but the certificate was refused", tried((2, "certificate has expired", None)), [],
     [ehr(-600, "change", change=MOVED)], UNKNOWN, None),
    ("another change", ONCE, [], [ehr(-600, "change", change=UPGRADED)], UNKNOWN, None),
    ("answered", tried((2, "no", 422)), [wall("deny")], [ehr(-600, "change", change=MOVED)], PASSED, None),
    ("answered later", AGAIN, [wall("deny"), wall("allow", -9, source=OTHER)], [], PASSED, None),
    ("nothing sent", made(), [], [], NA, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "log", "audit", "status", "strength"), [r[1:] for r in EGRESS], ids=[r[0] for r in EGRESS]
)
def test_an_address_that_is_not_expected_is_told_from_a_dropped_flow(
    rows: list[Row], log: list[Row], audit: list[Row], status: Outcome, strength: Strength | None
) -> None:
    found = judged("net.egress.ip_not_allowed", fenced(rows, *log, audit=audit))
    assert (found.status, weight(found)) == (status, strength), found.says


@pytest.mark.parametrize(
    ("rows", "status"),
    [
        (tried((2, '{"message": "Your IP address is not allowed"}', 403)), FAILED),
        (tried((2, '{"message": "Your IP address is not allowed"}', 403), (9, "no", 422)), PASSED),
        (tried((2, '{"resourceType": "OperationOutcome"}', 403)), PASSED),
        ([*made(), scribe(2, "sent"), scribe(3, "acked", status=201)], PASSED),
        (made(), NA),
    ],
)
def test_an_answer_may_say_that_the_address_is_not_allowed(rows: list[Row], status: Outcome) -> None:
    assert judged("net.egress.ip_not_allowed.log", case(rows, [])).status is status


def elsewhere(second: float, site: str, *, note: str = "N-9", status: int | None = 201) -> list[Row]:
    """Return the rows of another note at a site: taken, or without an answer."""
    ids = {"note_id": note, "transaction_id": f"tx-{note}", "site": site}
    answer = {"status": status} if status else {"error": SILENT}
    return [scribe(second, "sent", **ids), scribe(second + 1, "acked" if status else "failed", **ids, **answer)]


def at_site(site: str | None, error: str | None = SILENT, status: int | None = None) -> list[Row]:
    """Return the note's own rows at a site."""
    return [{**row, **({"site": site} if site else {})} for row in tried((2, error, status))]


SITES: list[tuple[str, list[Row], Outcome, Strength | None]] = [
    ("main gets through", [*at_site("lake"), *elsewhere(30, "main")], FAILED, D),
    ("main gets through an hour later", [*at_site("lake"), *elsewhere(3600, "main")], UNKNOWN, None),
    ("main does not, either", [*at_site("lake"), *elsewhere(30, "main", status=None)], UNKNOWN, None),
    ("the same site gets through", [*at_site("lake"), *elsewhere(30, "lake"), *elsewhere(31, "main", note="N-8")],
     PASSED, None),
    ("lost once", [*at_site("lake", "read timed out"), *elsewhere(30, "main")], FAILED, M),
    ("lost again and again",
     [*at_site("lake", "read timed out"),
      *elsewhere(20, "lake", note="N-7", status=None), *elsewhere(30, "main")], FAILED, S),
    ("the certificate was refused", [*at_site("lake", "certificate has expired"), *elsewhere(30, "main")], NA, None),
    ("answered", [*at_site("lake", "no", 422), *elsewhere(30, "main")], PASSED, None),
    ("no site is known", [*at_site(None), *elsewhere(30, "main")], NA, None),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "status", "strength"), [r[1:] for r in SITES], ids=[r[0] for r in SITES])
def test_one_site_against_another(rows: list[Row], status: Outcome, strength: Strength | None) -> None:
    found = judged("net.segment.divergence.log", case(rows, []))
    assert (found.status, weight(found)) == (status, strength), found.says


GONE = f"getaddrinfo ENOTFOUND {HOST}"
NEARLY = {"baseline": {"dns": {"ehr.exmaple.test": ["203.0.113.9"]}}}
TYPOS: list[tuple[str, dict[str, Any], Category]] = [
    ("no other name is known", {}, Category.NETWORK),
    ("nearly a known one", NEARLY, Category.ENDPOINT_CONFIGURATION),
    ("had worked under this very name", {"baseline": {"dns": {HOST: [], "ehr.exmaple.test": []}}}, Category.NETWORK),
    ("quite another", {"baseline": {"dns": {"auth.example.test": []}}}, Category.NETWORK),
]


@pytest.mark.parametrize(("more", "category"), [r[1:] for r in TYPOS], ids=[r[0] for r in TYPOS])
def test_a_name_nearly_right_is_a_mistake_of_the_configuration(more: dict[str, Any], category: Category) -> None:
    found = judged("net.dns.nxdomain.log", case(tried((2, GONE, None)), [], **more))
    assert (found.status, found.category) == (FAILED, category)


def test_a_host_the_scribe_had_answers_from_is_known_to_exist() -> None:
    other = scribe(-60, "acked", note_id="N-0", transaction_id="t", status=201, url="https://ehr.exmaple.test/fhir/R4")
    found = judged("net.dns.nxdomain.log", case([other, *tried((2, GONE, None))], []))
    assert found.category is Category.ENDPOINT_CONFIGURATION and found.facts["known_host"] == "ehr.exmaple.test"


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("", "ab", 2), ("n1", "n2", 1), ("x" * 400, "y", 253)],
)  # fmt: skip
def test_the_distance_counts_letters_and_swaps(one: str, other: str, apart: int) -> None:
    assert distance(one, other) == distance(other, one) == apart


def test_a_tear_at_the_same_byte_each_time_is_said() -> None:
    torn = "read ECONNRESET after 16384 bytes"
    found = judged("net.tcp.reset.log", case(tried((2, torn, None), (60, torn, None)), []))
    assert (found.strength, found.facts["bytes"], found.facts["times"]) == (S, 16384, 2)
    other = judged("net.tcp.reset.log", case(tried((2, torn, None), (60, "read ECONNRESET after 9 bytes", None)), []))
    assert other.status is FAILED and "bytes" not in other.facts


@pytest.mark.parametrize("error", [SILENT, "certificate has expired", GONE])
def test_what_a_later_attempt_got_past_is_not_why(error: str) -> None:
    rows = tried((2, error, None), (60, "no", 422))
    for check in ("net.tcp.timeout.log", "net.tls.expired.log", "net.dns.nxdomain.log"):
        assert judged(check, case(rows, [])).status is PASSED


@pytest.mark.parametrize(
    ("text", "port", "found"),
    [
        ("connect ETIMEDOUT 203.0.113.9:443", 443, {"203.0.113.9"}),
        ("connect ETIMEDOUT 203.0.113.9:443", 8443, set()),
        ("read tcp 10.0.0.5:51234->203.0.113.9:443: i/o timeout", 443, {"203.0.113.9"}),
        ("lookup ehr.example.test on 10.0.0.2:53: no such host", 443, set()),
        ("connect to [2001:db8::9]:443 failed", 443, {"2001:db8::9"}),
        ("version 1.2.3.4.5 at 999.1.1.1", None, set()),
        (None, 443, set()),
    ],
)
def test_addresses_are_read_out_of_an_error(text: str | None, port: int | None, found: set[str]) -> None:
    assert addresses_in(text, port) == found


def test_places_and_inside_addresses() -> None:
    assert place_of(TOKEN_URL) == ("auth.example.test", 443) and place_of("mllp://10.0.0.1") == ("10.0.0.1", 2575)
    assert place_of("https://[::1") is None and place_of(None) is None and place_of(BASE) == (HOST, 443)
    assert inside("10.1.2.3") and inside("fd00::1") and not inside("192.0.2.1") and not inside("nonsense")
