"""Proof before hint, the failure's instant before now, upstream before downstream, and unknown rather than a guess."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from diagnostics import causes
from diagnostics.causes.model import Cause
from diagnostics.check import PREFIXES
from diagnostics.conclude import conclude
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Bearing, Change, Finding
from diagnostics.vocabulary import (
    Category,
    Certainty,
    FailureMode,
    Instant,
    Outcome,
    Step,
    Strength,
)
from tests.diagnostics.stories import START, case, ehr, made, scribe


def found(cause: Cause, strength: Strength = Strength.DECISIVE, instant: Instant = Instant.NOW, **more: Any) -> Finding:
    step = next(step for step, prefixes in PREFIXES.items() if cause.id.split(".")[0] in prefixes)
    return Finding(
        check=more.pop("check", cause.id),
        step=step,
        title="It is so",
        status=more.pop("status", Outcome.FAILED),
        says=f"{cause.id} says so",
        cause=cause,
        strength=strength,
        category=more.pop("category", cause.category),
        who_acts=cause.who_acts,
        instant=instant,
        **more,
    )


def passed(check: str, step: Step, instant: Instant = Instant.NOW, rules_out: tuple[Category, ...] = ()) -> Finding:
    return Finding(check, step, "It is so", Outcome.PASSED, "It holds.", instant=instant, rules_out=rules_out)


def story(*rows: Any, audit: Any = (), **more: Any) -> NoteTrace:
    from diagnostics import catalog
    from diagnostics.evidence.log_parts import note_trace

    catalog.load()
    trace = note_trace(case([*made(), *rows], list(audit), **more))
    assert isinstance(trace, NoteTrace)
    return trace


SENT = scribe(2, "sent")


def refused(status: int) -> NoteTrace:
    return story(
        SENT, scribe(3, "failed", status=status), audit=[ehr(2, "received"), ehr(3, "rejected", status=status)]
    )


def test_proof_wins_over_a_hint_and_swallows_it() -> None:
    trace = story(scribe(2, "token"), scribe(3, "failed", status=401, transaction_id=None))
    drawn = conclude([found(causes.CLIENT_INVALID, Strength.STRONG, Instant.THEN), found(causes.ASSERTION_KID)], trace)
    assert drawn.root is not None
    assert drawn.root.cause is causes.ASSERTION_KID
    assert drawn.root.certainty is Certainty.PROVEN
    assert drawn.contributing == ()


def test_of_two_proofs_the_lower_layer_is_the_root_and_the_other_is_told() -> None:
    drawn = conclude([found(causes.PAYLOAD_REQUIRED, instant=Instant.THEN), found(causes.TLS_EXPIRED)], None)
    assert drawn.root is not None
    assert drawn.root.cause is causes.TLS_EXPIRED
    assert [other.cause for other in drawn.contributing] == [causes.PAYLOAD_REQUIRED]


def test_a_probe_made_now_does_not_explain_an_answer_that_came() -> None:
    drawn = conclude(
        [found(causes.TLS_EXPIRED), found(causes.PAYLOAD_REQUIRED, Strength.STRONG, Instant.THEN)], refused(422)
    )
    assert drawn.root is not None
    assert drawn.root.cause is causes.PAYLOAD_REQUIRED
    assert drawn.root.certainty is Certainty.LIKELY
    assert [other.cause for other in drawn.contributing] == [causes.TLS_EXPIRED]


def test_only_what_fits_the_recorded_answer_can_be_the_root() -> None:
    payload = found(causes.PAYLOAD_REQUIRED, instant=Instant.THEN)
    expired = found(causes.TOKEN_EXPIRED, instant=Instant.THEN)
    drawn = conclude([payload, expired], refused(401))
    assert drawn.root is not None
    assert drawn.root.cause is causes.TOKEN_EXPIRED
    assert [other.cause for other in drawn.contributing] == [causes.PAYLOAD_REQUIRED]


def test_a_delivered_note_has_no_root_although_something_fails_now() -> None:
    trace = story(SENT, scribe(3, "acked", status=201), audit=[ehr(2, "received"), ehr(4, "filed")])
    drawn = conclude([found(causes.TLS_EXPIRED)], trace)
    assert drawn.mode is FailureMode.DELIVERED
    assert drawn.root is None
    assert [other.cause for other in drawn.contributing] == [causes.TLS_EXPIRED]


def test_what_is_found_in_the_chart_makes_a_taken_note_misplaced() -> None:
    trace = story(SENT, scribe(3, "acked", status=201), audit=[ehr(2, "received"), ehr(4, "filed")])
    drawn = conclude([found(causes.SECTION_MISROUTED, instant=Instant.THEN)], trace)
    assert drawn.mode is FailureMode.MISPLACED
    assert drawn.root is not None


def test_two_mere_possibilities_in_different_places_are_no_cause() -> None:
    one = found(causes.HTTP401_CLASSIFY, Strength.MODERATE, Instant.THEN)
    drawn = conclude(
        [
            found(causes.OUTCOME_DUPLICATE, Strength.MODERATE, Instant.THEN),
            found(causes.ENCOUNTER_CLOSED, Strength.MODERATE, Instant.THEN),
            one,
        ],
        refused(409),
    )
    assert drawn.root is None


def test_a_weak_sign_never_stands_alone() -> None:
    assert conclude([found(causes.TOKEN_EXPIRED, Strength.WEAK, Instant.THEN)], refused(401)).root is None


def test_a_possibility_is_dropped_where_a_check_rules_its_category_out() -> None:
    hint = found(causes.OUTCOME_DUPLICATE, Strength.MODERATE, Instant.THEN)
    cleared = passed("fhir.example", Step.WRITE_BACK, rules_out=(causes.OUTCOME_DUPLICATE.category,))
    assert conclude([hint], refused(409)).root is not None
    assert conclude([hint, cleared], refused(409)).root is None


def test_a_warning_is_no_cause() -> None:
    assert conclude([found(causes.TLS_EXPIRING, status=Outcome.WARNING)], None).root is None


def test_a_failure_that_is_gone_now_is_told_as_such() -> None:
    trace = story(SENT, scribe(3, "failed", error="connect ECONNREFUSED 192.0.2.7:443"))
    drawn = conclude(
        [
            found(causes.TCP_REFUSED, Strength.STRONG, Instant.THEN, check="net.tcp.refused.log"),
            passed("net.tcp.refused", Step.NETWORK),
        ],
        trace,
    )
    assert drawn.root is not None
    assert any("fixed since" in reason.says for reason in drawn.root.because)


EARLIER, LATER = START - timedelta(hours=9), START - timedelta(hours=2)
SECRET = Change("credential", "client secret", at=LATER, bearing=Bearing.BEFORE_FAILURE)


def told(*changes: Change) -> list[str]:
    """Return what is said of changes beside a refused client."""
    drawn = conclude([found(causes.CLIENT_INVALID, instant=Instant.THEN)], None, changes)
    assert drawn.root is not None
    return [reason.says for reason in drawn.root.because if reason.check == "changes"]


def test_the_changes_before_the_first_failure_are_among_the_reasons_latest_first() -> None:
    older = replace(SECRET, what="key set", at=EARLIER, before="2026-05", after="2026-11")
    assert [says.split(",")[0] for says in told(older, SECRET)] == [
        "Changed before the failure: client secret",
        "Changed before the failure: key set",
    ]


@pytest.mark.parametrize(
    "change",
    [
        replace(SECRET, kind="template"),
        replace(SECRET, bearing=Bearing.AFTER_FAILURE),
        replace(SECRET, bearing=Bearing.WORKED_SINCE),
        replace(SECRET, kind="certificate", at=None, bearing=Bearing.UNKNOWN),
    ],
    ids=["of another kind", "after it", "notes were taken since", "undated and of another kind"],
)
def test_a_change_that_cannot_be_why_is_no_reason(change: Change) -> None:
    assert told(change) == []


def test_a_difference_without_a_date_is_told_as_one() -> None:
    difference = Change("token", "token lifetime s", "3600", "300")
    drawn = conclude([found(causes.TOKEN_EXPIRED, instant=Instant.THEN)], None, [difference])
    assert drawn.root is not None
    assert drawn.root.because[-1].says == "It differs from the last good run: token lifetime s, from 3600 to 300."


def test_an_open_case_says_what_would_settle_it() -> None:
    trace = story(SENT, scribe(33, "failed", error="Read timed out"), audit=())
    assert trace.failure_mode in (FailureMode.UNKNOWN, FailureMode.NEVER_SENT)
    asked = Finding(
        "hl7.ack.missing", Step.WRITE_BACK, "It is so", Outcome.UNKNOWN, "Not looked at.", missing="the engine's queue"
    )
    drawn = conclude([asked], trace)
    assert drawn.root is None
    assert "the engine's queue" in drawn.missing


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 429, 500])
def test_no_failed_finding_means_no_cause(status: int) -> None:
    drawn = conclude([passed("net.tcp.refused", Step.NETWORK)], refused(status))
    assert drawn.root is None
    assert drawn.mode is FailureMode.REJECTED


def test_what_is_asked_for_first_is_what_speaks_of_the_answer() -> None:
    asked = [
        Finding("auth.assertion.aud", Step.AUTHENTICATION, "It is so", Outcome.UNKNOWN, "?", missing="the assertion"),
        Finding("perm.encounter.owner", Step.PERMISSIONS, "It is so", Outcome.UNKNOWN, "?", missing="the encounter"),
        Finding("perm.http403.classify", Step.PERMISSIONS, "It is so", Outcome.UNKNOWN, "?", missing="the 403's body"),
    ]
    drawn = conclude(asked, refused(403))
    told = [want for want in drawn.missing if want in ("the assertion", "the encounter", "the 403's body")]
    assert told == ["the 403's body", "the encounter"], "an assertion cannot explain a 403"


def test_an_answer_that_never_came_is_no_second_cause_beside_a_refusal_in_the_ehrs_log() -> None:
    trace = story(SENT, scribe(32, "failed", error="Read timed out"), audit=[ehr(3, "rejected", status=422)])
    late = found(causes.TIMEOUT_GATEWAY, Strength.MODERATE, Instant.THEN)
    drawn = conclude([late, found(causes.PAYLOAD_REQUIRED, instant=Instant.THEN)], trace)
    assert drawn.root is not None and drawn.root.cause is causes.PAYLOAD_REQUIRED
    assert drawn.contributing == ()
