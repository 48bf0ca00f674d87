"""Searching: words, words spelled about so, a pasted error; what is shown, to whom, and at what price."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.roles import Role
from console.knowledge import services
from console.knowledge.models import Article
from tests.console.builders import a_facility, a_note, a_person, an_integration
from tests.console.knowledge.builders import ERROR, a_draft, a_published, a_reviewer, a_written, failing
from tests.console.pages.documents import logged_in

pytestmark = pytest.mark.django_db

BODY = "## Cause\n\nThe **intermediate** certificate is missing.\n\n## Resolution\n\n1. Install the whole chain.\n"


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def desk(facility):
    return a_person(facility)


def search(person, text: str = "", *, part: bool = False, **more: str) -> str:
    headers = {"HTTP_HX_REQUEST": "true"} if part else {}
    answer = logged_in(person).post("/knowledge/", {"q": text, **more}, **headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_word_of_the_text_finds_and_is_marked_in_a_fragment_without_markdown(facility, desk) -> None:
    a_written(facility, "TLS chain incomplete", BODY, vendor="epic")
    text = search(desk, "intermediate certificates")
    assert "TLS chain incomplete" in text
    assert "<mark>intermediate</mark>" in text
    assert "<mark>certificate</mark>" in text
    assert "**" not in text
    assert "Network · Epic" in text
    assert "1 article found" in text
    assert "No article matches" in search(desk, "cardiology")


@pytest.mark.parametrize(
    "typed", ["certficate chian", "intermedate", "Intermediate certifcates", "incomplte chain", "epci certificate"]
)
def test_words_with_typos_find_all_the_same(facility, desk, typed) -> None:
    a_written(facility, "TLS chain incomplete", BODY, vendor="epic")
    a_written(facility, "Field renamed in the template", "## Cause\n\nThe plan field has a new name.\n")
    text = search(desk, typed)
    assert "TLS chain incomplete" in text
    assert "Field renamed" not in text


def test_a_pasted_error_is_found_by_its_signature(facility, desk) -> None:
    article = a_published(facility, failing(a_note(an_integration(facility))))
    text = search(desk, f"HTTP 401\n{ERROR.replace('2026-05', 'kid-2031')}")
    assert article.title in text


def test_a_pasted_error_is_found_by_the_cause_it_names(facility, desk) -> None:
    a_written(facility, "Renew in time", "## Cause\n\nForgotten.\n", cause="net.tls.expired")
    assert "Renew in time" in search(desk, "SSL: CERTIFICATE_VERIFY_FAILED certificate has expired (_ssl.c:1007)")


def test_category_and_vendor_narrow_and_unknown_values_are_ignored(facility, desk) -> None:
    a_written(facility, "On Epic", vendor="epic", category="network")
    a_written(facility, "On MEDITECH", vendor="meditech", category="permissions")
    assert "On MEDITECH" not in search(desk, vendor="epic")
    assert "On Epic" not in search(desk, category="permissions")
    assert "On Epic" in search(desk, category="made-up", vendor="made-up")


def test_the_words_never_stand_in_an_address(facility, desk) -> None:
    page = logged_in(desk).get("/knowledge/?q=intermediate").content.decode()
    assert 'action="/knowledge/" method="post"' in page
    assert 'value="intermediate"' not in page
    part = search(desk, "x", part=True)
    assert part.startswith('<section id="results"')


def test_what_is_found_is_escaped_and_nobody_can_fake_a_highlight(facility, desk) -> None:
    article = a_written(facility, "<b>Bold</b> title", "A \x02faked\x03 <script>alert(1)</script> certificate\n")
    text = search(desk, "certificate \x02faked\x03")
    assert "&lt;b&gt;Bold&lt;/b&gt;" in text
    assert "<script>alert" not in text
    assert article.title in Article.objects.get().words


def test_drafts_are_not_found_and_stale_ones_come_last_with_a_word(facility, desk) -> None:
    a_draft(facility)
    old = a_written(facility, "Certificate of old", BODY)
    a_written(facility, "A newer certificate", BODY)
    services.mark_stale(article=old, by=a_reviewer(facility), reason="No longer so.")
    text = search(desk, "certificate")
    assert "published key set" not in text
    assert text.index("A newer certificate") < text.index("Certificate of old")
    assert "Stale" in text


def test_published_articles_are_seen_in_every_facility_but_not_by_who_sees_no_tickets(facility) -> None:
    a_written(facility, "TLS chain incomplete", BODY)
    assert "TLS chain incomplete" in search(a_person(a_facility()), "chain")
    assert logged_in(a_person(facility, Role.ADMINISTRATOR)).get("/knowledge/").status_code == 403


def test_an_empty_knowledge_base_says_what_to_do_first(facility, desk) -> None:
    text = logged_in(desk).get("/knowledge/").content.decode()
    assert "Nothing was published yet" in text
    assert "Resolve a ticket" in text
    assert "Write an article" not in text
    assert "Review the drafts" in logged_in(a_reviewer(facility)).get("/knowledge/").content.decode()


def test_odd_input_breaks_nothing(facility, desk) -> None:
    a_written(facility, "TLS chain incomplete", BODY)
    for text in (
        "'; drop table",
        '"',
        "-",
        "%_\\",
        "a" * 5000,
        "& | !",
        "<->",
        "\x00",
        "🙂",
        "or and not",
        "x " * 3000,
    ):
        search(desk, text)


def test_the_page_asks_as_many_queries_for_many_articles_as_for_few(facility, desk) -> None:
    def count() -> int:
        client = logged_in(desk)
        with CaptureQueriesContext(connection) as queries:
            assert client.post("/knowledge/", {"q": "certificate"}).status_code == 200
        return len(queries)

    for number in range(2):
        a_written(facility, f"Certificate {number}", BODY, cause="net.tls.expired")
    few = count()
    for number in range(9):
        a_written(facility, f"Another certificate {number}", BODY, cause="net.tls.expired")
    assert count() == few
