"""A question is asked only where nothing else can tell; an answer is evidence with a name, and settles it."""

from dataclasses import replace
from typing import Any

import pytest

from diagnostics import engine, serialize
from diagnostics.case import Answer, Case
from diagnostics.questions import CREDENTIAL_REPLACED, ENCOUNTER_CLOSED, NO, PRODUCTION_ADDRESS, YES, Question
from diagnostics.vocabulary import Certainty
from tests.diagnostics.stories import START, Row, case, ehr, made, scribe

NO_TOKEN = scribe(3, "failed", url=None, transaction_id=None, status=401, error='{"error": "invalid_client"}')
REFUSED = [*made(), scribe(2, "token"), NO_TOKEN]
FORBIDDEN = [*made(), scribe(2, "sent"), scribe(3, "failed", status=403)]
ELSEWHERE = [*made(), scribe(2, "sent"), scribe(3, "acked", status=201)]
OTHERS = [ehr(2, "received", transaction_id="tx-9", encounter_id="E-9", patient_id="P-9")]

ASKED: list[tuple[Question, list[Row], list[Row], str, str, str]] = [
    (CREDENTIAL_REPLACED, REFUSED, [], YES, NO, "auth.credential.rotated"),
    (ENCOUNTER_CLOSED, FORBIDDEN, [], YES, NO, "perm.encounter.closed"),
    (PRODUCTION_ADDRESS, ELSEWHERE, OTHERS, NO, YES, "fhir.base.environment"),
]


def told(a_case: Case, question: Question, value: str) -> Case:
    return replace(a_case, answers=(Answer(question.id, value, "Hana Desai", START),))


def questions(a_case: Case) -> list[str]:
    return [q["id"] for q in serialize.to_document(engine.run(a_case), a_case)["questions"]]


@pytest.mark.parametrize(("question", "rows", "audit", "bad", "good", "cause"), ASKED)
def test_a_question_is_asked_and_its_answer_settles_it(
    question: Question, rows: Any, audit: Any, bad: str, good: str, cause: str
) -> None:
    open_case = case(rows, audit)
    assert questions(open_case) == [question.id]

    accused = told(open_case, question, bad)
    root = engine.run(accused).root_cause
    assert root is not None
    assert root.cause.id == cause
    assert root.certainty is Certainty.LIKELY, "what a person says is strong, never proof"
    assert any("Hana Desai" in reason.says for reason in root.because)
    assert questions(accused) == []

    cleared = told(open_case, question, good)
    root = engine.run(cleared).root_cause
    assert root is None or root.cause.id != cause
    assert questions(cleared) == []


def test_nothing_is_asked_where_nothing_failed() -> None:
    assert questions(case(ELSEWHERE, [ehr(2, "received"), ehr(4, "filed")])) == []


def test_questions_are_for_the_console_and_no_part_of_the_public_document() -> None:
    a_case = case(REFUSED, [])
    assert "questions" not in serialize.to_json(engine.run(a_case), a_case)
