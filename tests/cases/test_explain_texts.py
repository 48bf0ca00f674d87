"""Every error text of explain_texts.toml must be read as its row says."""

import io
import json

import pytest
from django.core.management import call_command

from tests.cases.explaining import texts, wrong


@pytest.mark.parametrize("item", [pytest.param(item, id=f"{n:03}") for n, item in enumerate(texts())])
def test_the_text_is_explained(item: dict) -> None:
    assert not wrong(item), f"{item['text'][:200]} ({item.get('why', '')})"


def test_the_command_answers_one_line_for_each(tmp_path) -> None:
    asked = [{key: item.get(key) for key in ("text", "status", "protocol", "context")} for item in texts()]
    file = tmp_path / "texts.ndjson"
    file.write_text("".join(json.dumps(item) + "\n" for item in asked))
    out = io.StringIO()
    call_command("explain", "--json", str(file), stdout=out)
    answers = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(answers) == len(asked)
    assert {frozenset(answer) for answer in answers} == {frozenset({"category", "cause", "certainty", "says"})}


@pytest.mark.parametrize(
    "line", ["{", "[]", "3", '{"text": 5}', '{"status": "x"}', "\x00", '"plain"', "{}", '{"text": null}']
)
def test_a_strange_line_gets_an_answer_too(line: str, tmp_path) -> None:
    file = tmp_path / "texts.ndjson"
    file.write_text(f'{{"text": "jwt expired", "status": 401}}\n{line}\n{{"text": "jwt expired", "status": 401}}\n')
    out = io.StringIO()
    call_command("explain", "--json", str(file), stdout=out)
    answers = [json.loads(row) for row in out.getvalue().splitlines()]
    assert len(answers) == 3
    assert answers[0] == answers[2]
    assert answers[0]["cause"] == "auth.token.expired"
