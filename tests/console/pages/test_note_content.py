"""The content of a note, as sent and in plain characters."""

import pytest

from console.tickets.content import in_plain_characters, readable
from tests.console.builders import a_facility, a_person
from tests.console.pages.documents import a_diagnosed_ticket, logged_in

HL7 = (
    "MSH|^~\\&|SCRIBE|N|EHR|N|2026||MDM^T02|M1|P|2.5.1\r"
    "OBX|1|TX|1^n^L||Give 50 \u00b5g \u2014 count 10\u2079/L\u00a0||||||F\r"
).encode()


def test_a_message_is_shown_as_a_receiver_of_plain_characters_would_get_it() -> None:
    plain = in_plain_characters(HL7)
    assert plain is not None and plain.kept
    assert "Give 50 mcg - count 10\u2079/L ||||||F" in plain.text
    assert {(name, instead) for _, name, _, instead in plain.characters} == {
        ("micro sign", "mc"), ("em dash", "-"), ("superscript nine", None), ("no-break space", " "),
    }  # fmt: skip


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"{}",
        '{"text": "caf\u00e9"}'.encode(),
        b"MSH|^~\\&|S\rPID|1",
        "plain \u2014 text".encode(),
        b"\xff\xfe",
    ],
)
def test_what_is_no_message_or_already_plain_has_no_second_look(content: bytes | None) -> None:
    assert in_plain_characters(content) is None


def test_a_long_message_is_cut_in_both_looks() -> None:
    long = HL7 + b"OBX|2|TX|1^n^L||" + b"x" * 300_000 + b"\r"
    plain = in_plain_characters(b"\x0b" + long + b"\x1c\r")
    assert plain is not None and "more characters" in plain.text and "more characters" in str(readable(long))


@pytest.mark.django_db
def test_the_page_shows_both_and_names_what_has_no_safe_replacement() -> None:
    facility = a_facility()
    ticket = a_diagnosed_ticket(facility)
    row = ticket.ticket_notes.get()
    row.note.payload, row.note.payload_name = HL7, "note.hl7"
    row.note.save()
    where = f"/tickets/{ticket.number}/notes/{row.note_id}/content/"
    page = logged_in(a_person(facility)).post(where).content.decode()
    assert "as the receiver would get it after transliteration" in page
    assert "no safe replacement" in page and "<code>mc</code>" in page and "a space" in page
    assert "set to UTF-8" in page
