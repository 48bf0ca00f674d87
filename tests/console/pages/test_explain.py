"""The page that explains an error."""

import pytest

from tests.console.builders import a_facility, a_person
from tests.console.pages.documents import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def client():
    return logged_in(a_person(a_facility()))


def ask(client, text: str, status: int = 200, **more: str) -> str:
    answer = client.post("/explain/", {"text": text, **more})
    assert answer.status_code == status
    return answer.content.decode()


def test_a_clear_error_gets_its_category_cause_and_remedy(client) -> None:
    text = ask(client, "certificate has expired", protocol="tls")
    assert "Network" in text
    assert "net.tls.expired" in text
    assert "Who acts" in text
    assert "<ol>" in text


def test_what_does_not_speak_is_not_guessed(client) -> None:
    text = ask(client, "something odd happened")
    assert "No cause established" in text
    assert "This text alone does not say what is wrong" in text


def test_the_paste_comes_back_as_text_and_never_as_markup(client) -> None:
    assert "<script>alert" not in ask(client, "<script>alert(1)</script>")


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"text": ""}, "Paste an error text first"),
        ({"text": "x", "status": "abc"}, "An HTTP status is a number such as 401."),
        ({"text": "x", "status": "7"}, "from 100 to 599"),
    ],
)
def test_a_wrong_form_answers_422_in_words(client, form, says) -> None:
    answer = client.post("/explain/", form)
    assert answer.status_code == 422
    assert says in answer.content.decode()
