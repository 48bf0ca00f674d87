"""One sentence for how something that was tried went, from every evidence that can come."""

from typing import Any

import pytest

from console.tickets.outcomes import BAD, GOOD, OPEN, beside, of_canary, of_confirmation, of_place, of_token
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.fhir import CanaryWrite
from diagnostics.evidence.hl7 import CanaryMessage
from diagnostics.evidence.network import FaultSeen, HttpAnswer


def http(status: int | None, **fields: Any) -> HttpAnswer:
    return HttpAnswer("POST", "https://ehr.example/x", status, **fields)


def token(*, granted: bool = False, **fields: Any) -> TokenAnswer:
    fields = {"answer": http(200 if granted else 400)} | fields
    return TokenAnswer(seen_from="here", flow="backend", granted=granted, **fields)


def wrote(state: str, **fields: Any) -> CanaryWrite:
    return CanaryWrite(seen_from="here", state=state, resource_type="DocumentReference", **fields)


def message(state: str, **fields: Any) -> CanaryMessage:
    return CanaryMessage(seen_from="here", state=state, **fields)


@pytest.mark.parametrize(
    ("evidence", "outcome", "says"),
    [
        ([], OPEN, "No token was asked for"),
        ([token(granted=True, expires_in=300.0)], GOOD, "gave a token, valid for 5 min."),
        ([token(granted=True, expires_in=60.0)], GOOD, "gave a token, valid for 60 s."),
        ([token(granted=True)], GOOD, "gave a token."),
        ([token(problem="invalid_client")], BAD, "it answered 400 (invalid_client)."),
        (
            [token(answer=http(None, fault=FaultSeen("refused", "tcp", "connection refused")))],
            BAD,
            "connection refused.",
        ),
        ([token(answer=http(None, fault=FaultSeen("timeout_total", "reading")))], BAD, "timeout total."),
    ],
)
def test_a_token_request(evidence: list[Evidence], outcome: str, says: str) -> None:
    said = of_token(evidence)
    assert said.outcome == outcome
    assert says in said.says


@pytest.mark.parametrize(
    ("evidence", "outcome", "says"),
    [
        ([], OPEN, "Nothing was written"),
        ([wrote("written", found=True, withdrawn=True)], GOOD, "written and read back."),
        ([wrote("written", found=True, withdrawn=False)], GOOD, "could not be marked entered in error"),
        ([wrote("written", found=False)], OPEN, "not found when it was read back"),
        ([wrote("refused", answer=http(403))], BAD, "refused the test document: it answered 403."),
        ([wrote("unknown")], OPEN, "It was not sent again."),
        ([wrote("earlier", found=True, withdrawn=True)], OPEN, "It was found."),
        ([wrote("earlier", found=False)], OPEN, "It was not found."),
        ([message("acknowledged", ack="AA")], GOOD, "answered with AA."),
        ([message("acknowledged", ack="CA")], OPEN, "not that it was filed"),
        ([message("acknowledged", ack="AE", errors=("101",))], BAD, "answered with AE (101)."),
        ([message("mismatched", ack="AA")], BAD, "names another message"),
        ([message("misframed")], BAD, "not framed"),
        ([message("unreached")], BAD, "could not be reached"),
        ([message("unanswered")], OPEN, "unknown. It was not sent again."),
        ([message("earlier")], OPEN, "It was not sent again."),
    ],
)
def test_a_test_document_or_message(evidence: list[Evidence], outcome: str, says: str) -> None:
    said = of_canary(evidence)
    assert said.outcome == outcome, said
    assert says in said.says


def document(*checks: tuple[str, str], root: dict[str, str] | None = None) -> dict[str, Any]:
    """Give the document of a run with checks of one step, as (id, status)."""
    lines = [{"id": id, "title": f"Title of {id}", "status": status, "says": f"Said of {id}."} for id, status in checks]
    return {"steps": [{"step": 1, "status": "passed", "checks": lines}], "root_cause": root}


KEY = {"cause": "auth.assertion.kid", "title": "The key is unknown", "category": "authentication"}
MAPPED = {"cause": "map.section.misrouted", "title": "A section went elsewhere", "category": "field_mapping"}
WRITTEN = [wrote("written", found=True, withdrawn=True)]


@pytest.mark.parametrize(
    ("before", "after", "evidence", "outcome", "says"),
    [
        (
            document(("a", "failed"), root=KEY),
            document(("a", "failed"), root=KEY),
            [],
            BAD,
            "Not fixed: The key is unknown.",
        ),
        (document(("a", "failed"), root=KEY), document(("a", "failed")), [], BAD, "“Title of a” still fails"),
        (document(("a", "failed"), root=KEY), document(("a", "passed"), ("b", "failed")), [], BAD, "Said of b."),
        (document(("a", "failed"), root=KEY), document(("a", "passed")), [], GOOD, "passes now: “Title of a”."),
        (
            document(("a", "failed"), ("b", "failed")),
            document(("a", "passed"), ("b", "passed")),
            WRITTEN,
            GOOD,
            "and 1 more. A test",
        ),
        (
            document(("a", "failed")),
            document(("a", "passed")),
            [wrote("refused", answer=http(403))],
            BAD,
            "answered 403",
        ),
        (document(("a", "failed"), root=KEY), document(("a", "unknown")), WRITTEN, GOOD, "Nothing fails any more."),
        (
            document(("a", "failed"), root=KEY),
            document(("a", "unknown")),
            [],
            OPEN,
            "Look for the next note in the chart",
        ),
        (document(("a", "failed"), root=MAPPED), document(("a", "unknown")), WRITTEN, OPEN, "only be seen with a note"),
        (None, document(("a", "passed")), WRITTEN, GOOD, "Nothing fails any more."),
        (None, document(("a", "passed")), [], OPEN, "Nothing fails any more, but"),
    ],
)
def test_a_confirmation_needs_more_than_that_nothing_fails(
    before: dict[str, Any] | None, after: dict[str, Any], evidence: list[Evidence], outcome: str, says: str
) -> None:
    said = of_confirmation(before, after, evidence)
    assert said.outcome == outcome, said
    assert says in said.says


def test_a_place_is_told_by_what_fails_there_first() -> None:
    assert of_place(document(("a", "passed"), ("b", "failed")), "vpn").says == "From vpn: Said of b."
    assert of_place(document(("a", "passed")), "vpn").outcome == GOOD
    assert of_place(document(("a", "unknown")), "vpn").outcome == OPEN


def test_before_and_after_stand_beside_each_other_and_what_was_not_looked_at_says_so() -> None:
    pairs = beside(
        document(("a", "failed"), ("b", "failed"), ("c", "failed"), ("d", "passed")),
        document(("a", "passed"), ("b", "failed"), ("c", "unknown")),
    )
    assert [(p.check, p.before, p.after, p.is_good, p.is_bad) for p in pairs] == [
        ("a", "failed", "passed", True, False),
        ("b", "failed", "failed", False, True),
        ("c", "failed", "", False, False),
    ]
    assert beside(None, None) == ()
