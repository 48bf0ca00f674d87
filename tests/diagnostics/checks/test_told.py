"""What people answered: yes is a cause, no clears it, silence asks, and what a log knows nobody is asked."""

from datetime import timedelta
from typing import Any

import pytest

from diagnostics.case import Answer, Case
from diagnostics.questions import CREDENTIAL_REPLACED, ENCOUNTER_CLOSED, NO, PRODUCTION_ADDRESS, YES
from diagnostics.vocabulary import Outcome
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import a_case, judged, outcome, refused

FAILED, PASSED, UNKNOWN, NA = Outcome.FAILED, Outcome.PASSED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
ROTATED, OTHER_SYSTEM, CLOSED = "auth.credential.rotated", "fhir.base.environment", "perm.encounter.closed"
RULE = outcome("business-rule")
VISIT = ({"id": "E-1", "status": "in-progress"},)


def said(question: str, *values: str) -> dict[str, Any]:
    """Return answers of one person to one question, in this order."""
    first = stories.START + timedelta(hours=1)
    kept = [Answer(question, value, "Ines Okafor", first + timedelta(minutes=n)) for n, value in enumerate(values)]
    return {"answers": tuple(kept)}


def token_refused(error: str, audit: list[stories.Row] | None = None, **more: Any) -> Case:
    """Return a note that was never sent because its token request was refused so."""
    body = f'{{"error": "{error}"}}'
    rows = [*stories.made(), stories.scribe(2, "token", note_id="N-1", status=400, error=body)]
    return stories.case(rows, audit, **more)


def taken(audit: list[stories.Row] | None, **more: Any) -> Case:
    """Return a note that somebody took with 201."""
    return a_case(audit=audit, **more)


ROTATION = {"at": stories.at(-60), "event": "change", "change": {"kind": "credential"}}
SEEN = [stories.ehr(2.5, "received"), stories.ehr(3, "accepted", status=201)]
HL7 = stories.integration(protocol="hl7v2")


@pytest.mark.parametrize(
    ("check", "case", "status"),
    [
        (ROTATED, token_refused("invalid_client"), UNKNOWN),
        (ROTATED, token_refused("invalid_client", **said(CREDENTIAL_REPLACED.id, YES)), FAILED),
        (ROTATED, token_refused("invalid_grant", **said(CREDENTIAL_REPLACED.id, YES)), FAILED),
        (ROTATED, token_refused("invalid_client", **said(CREDENTIAL_REPLACED.id, NO)), PASSED),
        (ROTATED, token_refused("invalid_client", **said(CREDENTIAL_REPLACED.id, YES, NO)), PASSED),
        (ROTATED, token_refused("invalid_client", **said(ENCOUNTER_CLOSED.id, YES)), UNKNOWN),
        (ROTATED, token_refused("invalid_scope", **said(CREDENTIAL_REPLACED.id, YES)), NA),
        (ROTATED, token_refused("invalid_client", [ROTATION], **said(CREDENTIAL_REPLACED.id, NO)), NA),
        (ROTATED, stories.case(stories.made(), **said(CREDENTIAL_REPLACED.id, YES)), NA),
        (OTHER_SYSTEM, taken([]), UNKNOWN),
        (OTHER_SYSTEM, taken([], **said(PRODUCTION_ADDRESS.id, NO)), FAILED),
        (OTHER_SYSTEM, taken([], **said(PRODUCTION_ADDRESS.id, YES)), PASSED),
        (OTHER_SYSTEM, taken(None, **said(PRODUCTION_ADDRESS.id, NO)), NA),
        (OTHER_SYSTEM, taken(SEEN, **said(PRODUCTION_ADDRESS.id, NO)), NA),
        (OTHER_SYSTEM, taken([], integration=HL7, **said(PRODUCTION_ADDRESS.id, NO)), NA),
        (OTHER_SYSTEM, a_case(rows=refused(403), audit=[], **said(PRODUCTION_ADDRESS.id, NO)), NA),
        (CLOSED, a_case(rows=refused(403)), UNKNOWN),
        (CLOSED, a_case(rows=refused(403), **said(ENCOUNTER_CLOSED.id, YES)), FAILED),
        (CLOSED, a_case(rows=refused(422, RULE), **said(ENCOUNTER_CLOSED.id, YES)), FAILED),
        (CLOSED, a_case(rows=refused(403), **said(ENCOUNTER_CLOSED.id, NO)), PASSED),
        (CLOSED, a_case(rows=refused(422, outcome("required")), **said(ENCOUNTER_CLOSED.id, YES)), NA),
        (CLOSED, a_case(rows=refused(403), encounters=VISIT, **said(ENCOUNTER_CLOSED.id, YES)), NA),
        (CLOSED, a_case(rows=refused(401), **said(ENCOUNTER_CLOSED.id, YES)), NA),
    ],
)
def test_an_answer_counts_only_where_nothing_else_can_tell(check: str, case: Case, status: Outcome) -> None:
    assert judged(f"{check}.told", case).status is status


@pytest.mark.parametrize(
    ("id", "question", "case"),
    [
        ("auth.credential.rotated.told", CREDENTIAL_REPLACED, token_refused("invalid_client")),
        ("fhir.base.environment.told", PRODUCTION_ADDRESS, taken([])),
        ("perm.encounter.closed.told", ENCOUNTER_CLOSED, a_case(rows=refused(403))),
    ],
)
def test_who_does_not_know_is_asked(id: str, question: Any, case: Case) -> None:
    assert judged(id, case).ask == question


def test_the_one_who_said_so_is_named() -> None:
    finding = judged("perm.encounter.closed.told", a_case(rows=refused(403), **said(ENCOUNTER_CLOSED.id, YES)))
    assert finding.says.startswith("Ines Okafor says")
