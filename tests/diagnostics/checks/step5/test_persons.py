"""A provider without a relationship, an account the answer calls closed; reads and rows of the right attempt."""

from typing import Any

import pytest

from diagnostics.case import Auth, Case
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import a_case, chart, judged, outcome, refused, weight

PASSED, FAILED, WARNING = Outcome.PASSED, Outcome.FAILED, Outcome.WARNING
UNKNOWN, NA = Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
D, S, M = Strength.DECISIVE, Strength.STRONG, Strength.MODERATE
PERSON = Auth(flow="provider-context", token_url=stories.TOKEN_URL, client_id="c", refresh_token="r")
SERVICE = Auth(flow="backend-services", token_url=stories.TOKEN_URL, client_id="c")
NO_TIE = outcome("forbidden", "The provider has no active relationship with the patient")
SCOPE = {"www-authenticate": 'Bearer error="insufficient_scope"'}
GATE = "<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1><hr>nginx</body></html>"

TIES: list[tuple[list[stories.Row], Auth, Outcome]] = [
    (refused(403, NO_TIE), PERSON, FAILED),
    (refused(422, outcome("business-rule", "Patient relationship is required")), PERSON, FAILED),
    (refused(403, outcome("forbidden")), PERSON, UNKNOWN),
    (refused(403, outcome("suppressed")), PERSON, PASSED),
    (refused(403, NO_TIE, SCOPE), PERSON, PASSED),
    (refused(403, GATE, {"server": "nginx"}), PERSON, PASSED),
    (refused(401, NO_TIE), PERSON, PASSED),
    (refused(403, NO_TIE), SERVICE, NA),  # an account without a person needs none
    (stories.made(), PERSON, NA),
]


@pytest.mark.parametrize(("rows", "auth", "status"), TIES)
def test_a_provider_without_a_relationship(rows: list[stories.Row], auth: Auth, status: Outcome) -> None:
    finding = judged("perm.relationship", a_case(rows=rows, integration=stories.integration(auth=auth)))
    assert (finding.status, weight(finding)) == (status, S if status is FAILED else None), finding.says


def test_a_note_that_was_taken_says_nothing_of_a_relationship() -> None:
    case = a_case(filed=chart(), integration=stories.integration(auth=PERSON))
    assert judged("perm.relationship", case).status is PASSED


def asked(error: str, words: str) -> list[stories.Row]:
    body = f'{{"error": "{error}", "error_description": "{words}"}}'
    failed = stories.scribe(3, "failed", url=stories.TOKEN_URL, status=400, error=body)
    failed.pop("transaction_id")
    return [*stories.made(), stories.scribe(2, "token"), failed]


SAID: list[tuple[list[stories.Row], Outcome]] = [
    (asked("invalid_grant", "user account is disabled"), FAILED),
    (asked("invalid_grant", "the refresh token expired"), PASSED),
    (refused(403, '{"error": "account_locked"}'), FAILED),
    (refused(403, GATE, {"server": "nginx"}), PASSED),
    (refused(403, outcome("forbidden")), PASSED),
    (stories.made(), NA),
]


@pytest.mark.parametrize(("rows", "status"), SAID)
def test_an_account_that_an_answer_calls_closed(rows: list[stories.Row], status: Outcome) -> None:
    finding = judged("perm.account.inactive.said", a_case(rows=rows))
    assert (finding.status, weight(finding)) == (status, S if status is FAILED else None), finding.says


OFF_LATER = {"active": False, "changed_at": stories.at(3600)}
LISTED_LATER = {"grants": ["document:read"], "changed_at": stories.at(3600)}
LATER: list[tuple[str, dict[str, Any], Outcome, Strength | None]] = [
    ("perm.account.inactive", {"rows": refused(403), "roles": OFF_LATER}, WARNING, None),
    ("perm.account.inactive", {"rows": refused(403), "roles": {"active": False, "changed_at": stories.at(-60)}},
     FAILED, D),
    ("perm.account.inactive", {"rows": refused(403, GATE, {"server": "nginx"}), "roles": {"active": False}},
     FAILED, S),
    ("perm.account.inactive", {"rows": asked("invalid_scope", "x"), "roles": {"active": False}}, FAILED, S),
    ("perm.account.inactive", {"rows": asked("invalid_grant", "x"), "roles": {"active": False}}, FAILED, D),
    ("perm.rbac.matrix", {"rows": refused(403), "roles": LISTED_LATER}, WARNING, None),
    ("perm.drift", {"rows": refused(403), "roles": LISTED_LATER,
                    "baseline": {"grants": ["document:read", "document:write"]}}, UNKNOWN, None),
]  # fmt: skip


@pytest.mark.parametrize(("check", "parts", "status", "strength"), LATER)
def test_what_was_changed_after_the_failure_is_not_why(
    check: str, parts: dict[str, Any], status: Outcome, strength: Strength | None
) -> None:
    finding = judged(check, a_case(**parts))
    assert (finding.status, weight(finding)) == (status, strength), finding.says


def reading(other_note: bool = False, **read: Any) -> Case:
    rows = [
        *stories.made(),
        stories.scribe(2, "acked", method="GET", url=f"{stories.BASE}/Patient/P-1", status=200, **read),
        stories.scribe(4, "sent", token_id="t1", site="north"),
        stories.scribe(5, "failed", status=403, error=outcome("forbidden")),
    ]
    if other_note:
        ids = {"note_id": "N-2", "transaction_id": "tx-2", "encounter_id": "E-2"}
        rows += [stories.scribe(60, "sent", **ids), stories.scribe(61, "acked", status=201, **ids)]
    return a_case(rows=rows)


def test_a_read_counts_for_the_token_that_wrote_only() -> None:
    check = "perm.read_ok_write_denied.log"
    assert judged(check, reading(token_id="t1")).strength is D
    assert judged(check, reading(token_id="t2")).status is UNKNOWN
    assert judged(check, reading(site="south")).status is UNKNOWN
    assert judged(check, reading()).strength is D


def test_where_other_notes_are_written_the_denial_is_about_this_encounter() -> None:
    assert judged("perm.read_ok_write_denied.log", reading(other_note=True)).strength is M


def test_the_ehr_s_words_are_those_of_the_attempt_that_was_refused_last() -> None:
    first = [stories.scribe(2, "sent"), stories.scribe(3, "failed", status=422)]
    last = [stories.scribe(600, "sent", attempt=2), stories.scribe(601, "failed", status=403)]
    closed = outcome("business-rule", "The encounter is locked")
    rows = [*stories.made(), *first, *last]
    check = "perm.encounter.closed"
    of_the_first = a_case(rows=rows, audit=[stories.ehr(2, "rejected", status=422, error=closed)])
    assert judged(check, of_the_first).status is UNKNOWN
    of_the_last = a_case(rows=rows, audit=[stories.ehr(600, "rejected", status=403, error=closed)])
    assert judged(check, of_the_last).status is FAILED


def test_a_finished_encounter_that_nobody_signed_is_less_than_proof() -> None:
    visit = {"id": "E-1", "status": "finished", "period": {"end": stories.at(-600)}}
    check = "perm.encounter.closed"
    assert judged(check, a_case(rows=refused(403), encounters=(visit,))).strength is D
    assert judged(check, a_case(rows=refused(403), encounters=(visit | {"signed": False},))).strength is S
    spoken = outcome("business-rule", "The encounter is closed")
    assert judged(check, a_case(rows=refused(422, spoken), encounters=(visit | {"signed": False},))).strength is D


def test_delegated_authorship_is_no_wrong_attribution() -> None:
    def story(authenticator: str | None, author: str = "svc-scribe") -> Case:
        held = f', "authenticator": {{"reference": "Practitioner/{authenticator}"}}' if authenticator else ""
        note = {"payload": f'{{"resourceType": "DocumentReference"{held}}}'.encode(), "payload_name": "note.json"}
        return a_case(filed=chart(author_id=author), roles={"account": "svc-scribe"}, note=note)

    assert judged("perm.attribution.wrong", story("prov-7")).status is WARNING
    assert judged("perm.attribution.wrong", story("prov-9")).status is FAILED
    assert judged("perm.attribution.wrong", story(None)).status is FAILED
    assert judged("perm.attribution.wrong", story("prov-7", "prov-9")).status is FAILED
