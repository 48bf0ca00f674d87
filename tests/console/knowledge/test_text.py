"""What may stand in an article, and how it is shown: the lint, and Markdown from anybody."""

import json
import re

import pytest

from console.knowledge import drafting
from console.knowledge.lint import Lint
from console.knowledge.rendering import to_html
from console.knowledge.services import problems_of
from diagnostics import catalog
from tests.console.builders import a_facility, a_note, an_integration
from tests.console.knowledge.builders import a_draft, failing
from tests.console.pages.documents import a_diagnosed_ticket

JWT = "eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJhYmMifQ.c2lnbmF0dXJl"

PLANTED = {
    "SSN 123-45-6789 was sent": "a social security number",
    "MRN: 00451277 was wrong": "a patient's number",
    "for patient id 88-1204": "a patient's number",
    "call 555-010-0199": "a phone number",
    "call (555) 010-0199": "a phone number",
    "ring +49 30 901820": "a phone number",
    "write to rosa@clinic.example": "an e-mail address",
    "born 3/14/62": "a date that may be of birth",
    "DOB 19620314": "a date that may be of birth",
    "since 1962-03-14": "a date that may be of birth",
    "on March 14, 1962": "a date that may be of birth",
    "for Mrs. Fenwick": "a person's name",
    "Patient: Fenwick": "a person's name",
    "PID|1||4711": "a line of an HL7 message",
    "resource 0f8fad5b-d9cb-469f-a165-70867728950e": "an id",
    "message 20261122165814": "a long number, perhaps an id",
    f"token {JWT}": "a secret (token, key or password)",
    "Authorization: Bearer abcdefghijklmnop": "a secret (token, key or password)",
    "client_secret=hunter2hunter2": "a secret (token, key or password)",
}


@pytest.mark.parametrize(("text", "what"), PLANTED.items())
def test_patient_data_and_secrets_are_found_by_their_shape(text, what) -> None:
    assert what in [problem.what for problem in Lint(None).problems("Good title", f"Fine.\n{text}\n")]
    assert {problem.where for problem in Lint(None).problems("Good title", f"Fine.\n{text}\n")} == {"line 2"}
    assert next(problem.where for problem in Lint(None).problems(text, "Fine.")) == "the title"


@pytest.mark.parametrize(
    "text",
    [
        "HTTP 401 since version 14.2 of 2026-05-11; see RFC 7517 section 4.5",
        "OBX-5 was cut at 4,000 characters; raise the limit to 65536",
        "Ask for `system/DocumentReference.write` at https://ehr.example/oauth2/token",
        "The patient's chart shows the note; Patient Access API answers 200",
        "Port 6661 on 10.0.0.4 refused; the certificate ran until 11 May 2027",
    ],
)
def test_what_engineers_write_passes(text) -> None:
    assert Lint(None).problems("A title", text) == ()


@pytest.mark.django_db
def test_the_tickets_own_ids_and_the_notes_own_words_are_found_wherever_they_stand() -> None:
    payload = json.dumps({"resourceType": "Patient", "name": [{"family": "Fenwick", "given": ["Rosalind"]}]})
    facility = a_facility()
    note = a_note(
        an_integration(facility), external_id="N-5f21c", transaction_id="TX-9", encounter_id="Encounter/E-88213",
        patient_id="P-4", provider_id="prov-7", payload=payload.encode(), payload_name="note.json",
        narrative="She has slept badly for three weeks.",
    )  # fmt: skip
    lint = Lint(a_diagnosed_ticket(facility, note))
    for text in ("Note n-5f21c", "(TX-9)", "E-88213,", "Encounter/E-88213", "P-4", "asked prov-7"):
        assert [p.what for p in lint.problems("T", text)] == ["an id of the ticket's notes"], text
    for text in ("as Rosalind said", "for Fenwick", "it read: She has slept badly for three weeks."):
        assert next(p.what for p in lint.problems("T", text)).startswith("words of the note"), text
    assert lint.problems("T", "P-42 and TX-90 are somebody else's") == ()
    assert "Fenwick" not in repr(lint.problems("for Fenwick", "for Fenwick"))


@pytest.mark.django_db
def test_a_patient_called_like_a_word_of_ours_does_not_forbid_our_own_sentences() -> None:
    facility = a_facility()
    payload = json.dumps({"name": [{"family": "The", "given": ["Key"]}]})
    note = a_note(an_integration(facility), payload=payload.encode(), payload_name="note.json")
    article = a_draft(facility, failing(note), what_was_done="It was The Key.")
    problems = problems_of(article)
    line = next(n for n, text in enumerate(article.body.splitlines(), 1) if text.startswith("What was done"))
    assert [(p.line, p.what[:17]) for p in problems] == [(line, "words of the note")]


@pytest.mark.django_db
def test_every_cause_of_the_catalogue_drafts_a_text_that_passes() -> None:
    ticket = a_diagnosed_ticket(a_facility())
    for cause in catalog.causes().values():
        ticket.confirmed_cause, ticket.confirmed_category = cause.id, str(cause.category)
        found = Lint(None).problems(drafting.title(ticket), drafting.body(ticket, signature="invalid_client: <w> <n>"))
        assert found == (), cause.id


def test_the_masked_signature_passes_even_where_it_is_an_hl7_message() -> None:
    signature = "MSH|^~\\&|EHR|<w>|SCRIBE MSA|AE|<n> ERR||TXA^<n>"
    assert Lint(None, signature=signature).problems("T", f"The log says:\n\n    {signature}\n") == ()
    assert Lint(None, signature=signature).problems("T", f"{signature} PID|1||4711") != ()


# -- showing it ----------------------------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "![x](https://evil.example/pixel.png)",
    "<a href='javascript:alert(1)'>x</a>",
    "<style>body{display:none}</style>",
    "<iframe src=https://evil.example></iframe>",
    '[x](https://ok.example "onmouseover=alert(1)")',
    "`<script>`",
    "<div style=position:fixed>x</div>",
    "[a]: javascript:alert(1)\n\n[a]",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<form action=/logout/><button>x</button></form>",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_markdown_becomes_harmless_text(text) -> None:

    tags = re.findall(r"<[^>]*>", to_html(text))
    for tag in tags:
        assert re.fullmatch(
            r'</?(?:p|code|em|strong)>|</a>|<a href="https://[^"<>]*" rel="[a-z ]*">|<a rel="[a-z ]*">', tag
        )


def test_the_forms_of_an_article_are_shown_as_meant() -> None:
    html = to_html("# Top\n\n## Cause\n\n1. one\n2. two\n\n- **b** `c`\n\n    <n> as typed\n\n[d](/knowledge/)\n")
    assert "<h1" not in html
    for part in ("<h2>Top</h2>", "<h2>Cause</h2>", "<ol>", "<strong>b</strong>", "<code>c</code>", "&lt;n&gt; as typed",
                 '<a href="/knowledge/" rel="noopener noreferrer nofollow">d</a>'):  # fmt: skip
        assert part in html, part


def test_a_table_scrolls_by_itself_and_can_be_reached_with_keys() -> None:
    html = to_html("| a | b |\n|:--|--:|\n| 1 | 2 |\n")
    assert html.startswith('<div class="scroll-x" tabindex="0" role="region" aria-label="Table"><table class="data">')
    assert html.rstrip().endswith("</table></div>")
    assert "style" not in html
    assert "<div" not in to_html('<div class="scroll-x"><table>')
