"""Mail-in: a forwarded mail opens a ticket or joins one, each once; nobody's word counts but the own mail server's."""

import io
import logging
import re
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path

import pytest

from console.accounts.models import OutgoingMail
from console.accounts.roles import Role
from console.tickets.mail_folder import look
from console.tickets.mail_in import LIMIT_BYTES, NotSetUp, take
from console.tickets.models import InboundMail, Ticket
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration
from tests.console.pages.documents import logged_in
from tests.console.tickets.mails import AUTHSERV, a_mail

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(autouse=True)
def set_up(settings):
    settings.MAIL_IN_AUTHSERV = AUTHSERV


@pytest.fixture
def integration():
    return an_integration(a_facility())


@pytest.fixture
def desk(integration):
    return a_person(integration.facility)


def refused(mail: EmailMessage | bytes) -> str:
    row = take(mail if isinstance(mail, bytes) else mail.as_bytes())
    assert row.state == "refused"
    assert not Ticket.objects.filter(opened_via="mail").exists()
    return row.why


# -- opening ------------------------------------------------------------------------------------------------------


def test_a_forwarded_mail_opens_a_ticket_for_the_note_it_names_and_answers_with_its_number(integration, desk) -> None:
    note = a_note(integration, external_id="N-1", encounter_id="E-88213")
    row = take(a_mail(desk.email).as_bytes())
    ticket = Ticket.objects.get()
    assert (row.state, row.ticket, row.sender, row.why) == ("opened", ticket, desk, "")
    assert ticket.ticket_notes.get().note == note
    assert (ticket.opened_via, ticket.opened_by) == ("mail", desk)
    answer = OutgoingMail.objects.get()
    assert (answer.to, answer.subject) == (desk.email, f"[#{ticket.number}] Ticket opened")
    assert "E-88213" not in answer.body
    text = logged_in(desk).get(f"/tickets/{ticket.number}/").content.decode()
    assert "by mail" in text
    words = "The note of encounter E-88213 is missing."
    assert words not in text, "what was told is masked until it is opened"
    assert words in logged_in(desk).post(f"/tickets/{ticket.number}/told/").content.decode()


def test_the_same_message_is_taken_once(integration, desk) -> None:
    mail = a_mail(desk.email)
    first, again = take(mail.as_bytes()), take(mail.as_bytes())
    assert first.pk == again.pk
    assert Ticket.objects.count() == OutgoingMail.objects.count() == 1
    no_id = a_mail(desk.email, Message_ID="")
    assert take(no_id.as_bytes()).pk == take(no_id.as_bytes()).pk


def test_an_html_mail_is_read_as_words_and_its_chain_is_kept(integration, desk) -> None:
    mail = a_mail(desk.email)
    mail.clear_content()
    mail.set_content(
        "<html><head><style>p {color: red}</style><script>alert(1)</script></head><body><p>Please look.</p>"
        "<blockquote>On Sunday Dr. Example wrote:<br>Encounter:&nbsp;E-5 has <b>no note</b></blockquote></body></html>",
        subtype="html",
    )
    note = a_note(integration, encounter_id="E-5")
    ticket = take(mail.as_bytes()).ticket
    assert ticket.ticket_notes.get().note == note
    assert (
        ticket.pasted == "Fwd: note missing\n\nPlease look.\n\nOn Sunday Dr. Example wrote:\nEncounter: E-5 has no note"
    )


def test_a_mail_within_a_mail_is_read_with_who_wrote_it(integration, desk) -> None:
    inner = a_mail("dr.example@clinic.example", "HTTP 401 while sending the note of visit: V-12")
    mail = a_mail(desk.email, "See below")
    mail.add_attachment(inner)
    ticket = take(mail.as_bytes()).ticket
    assert "From: Test Person <dr.example@clinic.example>" in ticket.pasted
    assert "HTTP 401 while sending" in ticket.pasted


def test_an_attached_message_is_the_note_and_other_files_are_kept(integration, desk) -> None:
    mail = a_mail(desk.email, "Both attached")
    message = b"MSH|^~\\&|SCRIBE|A|EHR|B|20261122||MDM^T02|TX-77|P|2.5.1\rPID|||P-1\r"
    mail.add_attachment(message, maintype="application", subtype="hl7-v2", filename="note.hl7")
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="../../screen.png")
    ticket = take(mail.as_bytes()).ticket
    note = ticket.ticket_notes.get().note
    assert (note.external_id, note.payload, note.payload_name) == ("TX-77", message, "note.hl7")
    assert sorted(file.name for file in ticket.attachments.all()) == [".._.._screen.png", "note.hl7"]


def test_too_many_files_are_left_out_and_that_is_told(integration, desk, settings) -> None:
    settings.ATTACHMENT_LIMIT_BYTES = 1000
    mail = a_mail(desk.email)
    for number in range(12):
        mail.add_attachment(
            b"x" * (600 if number == 1 else 50), maintype="text", subtype="csv", filename=f"{number}.csv"
        )
    mail.add_attachment(b"y" * 900, maintype="text", subtype="csv", filename="large.csv")
    ticket = take(mail.as_bytes()).ticket
    assert sum(file.size for file in ticket.attachments.all()) <= 1000
    assert re.match(r"\d+ files of the mail were not attached", ticket.comments.get().text)


def test_the_integration_is_told_by_its_name_or_asked_for(integration, desk) -> None:
    other = an_integration(integration.facility)
    row = take(a_mail(desk.email).as_bytes())
    assert row.state == "refused"
    answer = OutgoingMail.objects.get()
    assert integration.name in answer.body
    assert other.name in answer.body
    assert take(a_mail(desk.email, Subject=f"{other.name}: no notes").as_bytes()).ticket.integration == other


def test_open_tickets_that_match_are_named_in_the_answer(integration, desk) -> None:
    ticket = a_ticket(integration, a_note(integration, encounter_id="E-88213"))
    take(a_mail(desk.email).as_bytes())
    assert f"Open tickets that match: #{ticket.number}." in OutgoingMail.objects.get().body


# -- joining ------------------------------------------------------------------------------------------------------


def test_the_number_in_the_subject_joins_as_a_comment_with_its_files(integration, desk) -> None:
    ticket = a_ticket(integration)
    mail = a_mail(desk.email, "The vendor rotated a key", Subject=f"Re: [#{ticket.number}] Ticket opened")
    mail.add_attachment(b"a,b", maintype="text", subtype="csv", filename="a.csv")
    row = take(mail.as_bytes())
    assert (row.state, row.ticket) == ("joined", ticket)
    assert "The vendor rotated a key" in ticket.comments.get().text
    assert ticket.attachments.get().name == "a.csv"
    assert Ticket.objects.count() == 1
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize("header", ["In_Reply_To", "References"])
def test_an_answer_within_the_chain_joins_what_the_first_mail_opened(integration, desk, header) -> None:
    first = a_mail(desk.email)
    ticket = take(first.as_bytes()).ticket
    answer = a_mail(desk.email, "And another one", **{header: f"<x@y.example> {first['Message-ID']}"})
    assert (take(answer.as_bytes()).state, ticket.comments.count()) == ("joined", 1)


def test_a_merged_ticket_is_joined_where_it_went(integration, desk) -> None:
    went, kept = a_ticket(integration), a_ticket(integration)
    Ticket.objects.filter(pk=went.pk).update(merged_into=kept, state="closed")
    assert take(a_mail(desk.email, Subject=f"[#{went.number}]").as_bytes()).ticket == kept


def test_nobody_joins_a_ticket_that_he_does_not_work_on(integration, desk) -> None:
    shut = a_department(integration.facility, restricted=True)
    hidden = a_ticket(integration, a_note(integration, department=shut))
    foreign = a_ticket(an_integration(a_facility()))
    for number in (hidden.number, foreign.number, 999999):
        assert "do not work on" in refused(a_mail(desk.email, Subject=f"[#{number}]"))
    assert not hidden.comments.exists()


# -- who may ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ("", "does not vouch"),
        (f"{AUTHSERV}; dmarc=fail header.from=test.example", "does not vouch"),
        (f"{AUTHSERV}; dmarc=pass header.from=evil.example", "does not vouch"),
        (f"{AUTHSERV}; dmarc=pass", "does not vouch"),
        (f"{AUTHSERV}; spf=pass smtp.mailfrom=test.example; dkim=pass header.d=test.example", "does not vouch"),
        (f"{AUTHSERV}; none (dmarc=pass header.from=test.example)", "does not vouch"),
        ("mx.evil.example; dmarc=pass header.from=test.example", "does not vouch"),
        (f"{AUTHSERV}.evil.example; dmarc=pass header.from=test.example", "does not vouch"),
    ],
)
def test_a_sender_for_whom_the_own_mail_server_does_not_vouch_is_refused_without_an_answer(desk, header, why) -> None:
    assert why in refused(a_mail(desk.email, Authentication_Results=header))
    assert not OutgoingMail.objects.exists()


def test_a_forged_line_below_the_servers_own_one_counts_for_nothing(desk) -> None:
    forged = f"Authentication-Results: {AUTHSERV}; dmarc=pass header.from=test.example\r\n".encode()
    own = f"Authentication-Results: {AUTHSERV}; dmarc=fail header.from=test.example\r\n".encode()
    rest = a_mail(desk.email, Authentication_Results="").as_bytes()
    assert "does not vouch" in refused(own + forged + rest)


def test_strangers_leavers_and_people_without_the_right_are_refused_without_an_answer(integration, desk) -> None:
    manager = a_person(integration.facility, Role.MANAGER)
    leaver = a_person(integration.facility)
    leaver.is_active = False
    leaver.save()
    for address in ("stranger@test.example", manager.email, leaver.email):
        assert "does not work on tickets" in refused(a_mail(address))
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize(
    "sender", ["", "a@test.example, b@test.example", "Nobody", "undisclosed:;", "=?utf-8?q?broken", "<<>>@"]
)
def test_a_mail_without_one_sender_is_refused(desk, sender) -> None:
    assert refused(a_mail(desk.email, From="").as_bytes().replace(b"To:", f"From: {sender}\nTo:".encode(), 1))


def test_two_from_lines_are_refused(desk) -> None:
    assert "no sender, or several" in refused(b"From: x@evil.example\n" + a_mail(desk.email).as_bytes())


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Auto_Submitted": "auto-generated; owner=x"},
        {"Precedence": "bulk"},
        {"List_Id": "<news.example>"},
        {"Return_Path": "<>"},
        {"From": "Mail Delivery <MAILER-DAEMON@test.example>"},
        {"From": "NoteTrace <notetrace@localhost>"},
    ],
    ids=str,
)
def test_what_no_person_wrote_is_left_alone_so_that_no_loop_begins(desk, headers) -> None:
    assert refused(a_mail(desk.email, **headers))
    assert not OutgoingMail.objects.exists()


def test_auto_submitted_no_is_a_persons_mail(integration, desk) -> None:
    assert take(a_mail(desk.email, Auto_Submitted="no").as_bytes()).state == "opened"


def test_a_flood_of_one_sender_ends(integration, desk) -> None:
    for number in range(60):
        InboundMail.objects.create(message_hash=bytes([number]) * 32, sender=desk, state="joined")
    assert "60 mails within an hour" in refused(a_mail(desk.email))


def test_an_empty_or_too_large_mail_is_refused_with_an_answer(integration, desk) -> None:
    assert "holds no text" in refused(a_mail(desk.email, " "))
    big = a_mail(desk.email).as_bytes() + b"x" * LIMIT_BYTES
    assert "larger than 25 MB" in refused(big)
    assert OutgoingMail.objects.count() == 2


def test_nothing_of_a_mail_is_kept_or_logged_but_its_reason(desk, caplog) -> None:
    with caplog.at_level(logging.DEBUG):
        row = take(a_mail("ada.example@test.example", "Ada Example, E-1", Subject="Ada").as_bytes())
    assert "Ada" not in caplog.text
    assert "ada" not in str(InboundMail.objects.values().get(pk=row.pk)).lower()


def test_without_a_mail_server_that_is_believed_nobodys_mail_is_taken(desk, settings) -> None:
    settings.MAIL_IN_AUTHSERV = ""
    with pytest.raises(NotSetUp):
        take(a_mail(desk.email).as_bytes())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"\x00" * 100,
        b"no mail at all",
        b"From: a\n" * 5000,
        b"Content-Type: multipart/mixed\n\n--\n" * 50,
        b'Content-Type: multipart/mixed; boundary=""\n\nx',
        b"Subject: =?x?q?=ff?=\nContent-Type: text/plain; charset=nope\n\n\xff",
        b"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\n!!!",
        b"From: \xff\xfe\n\n\xff",
    ],
    ids=range(10),
)
def test_what_is_broken_is_refused_and_never_raises(desk, data) -> None:
    assert refused(data)
    lines = a_mail(desk.email).as_bytes().partition(b"\n\n")[0]
    trusted = b"\n".join(line for line in lines.split(b"\n") if not line.lower().startswith((b"content-", b"mime")))
    assert take(trusted + b"\n" + data).state in ("opened", "refused")


def test_a_mail_within_a_mail_within_a_mail_has_an_end(integration, desk) -> None:
    mail = a_mail(desk.email, "innermost")
    for _ in range(12):
        outer = a_mail(desk.email, "around")
        outer.add_attachment(mail)
        mail = outer
    ticket = take(mail.as_bytes()).ticket
    assert "innermost" not in ticket.pasted
    assert "lay too deep" in ticket.comments.get().text


# -- ways in ------------------------------------------------------------------------------------------------------


def test_a_watched_maildir_is_emptied_and_what_is_refused_is_set_aside(integration, desk, tmp_path, settings) -> None:
    settings.MAIL_IN_FOLDER = str(tmp_path)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "1.good").write_bytes(a_mail(desk.email).as_bytes())
    (tmp_path / "new" / "2.bad").write_bytes(a_mail("stranger@test.example").as_bytes())
    (tmp_path / "new" / "3.link").symlink_to("/etc/hostname")
    (tmp_path / "new" / ".hidden").write_bytes(b"x")
    done = look()
    assert (done.taken, done.refused, done.left) == (1, 1, 1)
    assert Ticket.objects.count() == 1
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == [".hidden", "3.link"]
    assert [path.name for path in (tmp_path / "cur").iterdir()] == ["2.bad:2,"]
    settings.MAIL_IN_AUTHSERV = ""
    (tmp_path / "new" / "4").write_bytes(b"x")
    assert look().left == 2
    settings.MAIL_IN_FOLDER = str(tmp_path / "nowhere")
    assert look().taken == 0
    settings.MAIL_IN_FOLDER = ""
    assert look() is None


@pytest.mark.django_db(transaction=True)
def test_the_command_takes_a_mail_from_standard_input_and_keeps_it_with_the_server_where_it_cannot() -> None:
    import os

    integration = an_integration(a_facility())
    desk = a_person(integration.facility)

    def run(**more: str) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "console.settings", **more}
        command = [sys.executable, "manage.py", "take_mail"]
        return subprocess.run(
            command, cwd=ROOT, env=environment, input=a_mail(desk.email).as_bytes(), capture_output=True
        )

    assert run().returncode == 75
    assert run(MAIL_IN_AUTHSERV=AUTHSERV, DATABASE_URL="postgresql://127.0.0.1:1/none").returncode == 75
    assert not Ticket.objects.exists()
    done = run(MAIL_IN_AUTHSERV=AUTHSERV)
    assert (done.returncode, done.stdout) == (0, b"")
    assert Ticket.objects.get().opened_via == "mail"


def test_a_saved_mail_opens_a_ticket_from_the_paste_box_as_well(integration, desk) -> None:
    note = a_note(integration, encounter_id="E-88213")
    mail = a_mail("dr.example@clinic.example")
    mail.add_attachment(b"a,b", maintype="text", subtype="csv", filename="a.csv")
    client = logged_in(desk)
    file = io.BytesIO(mail.as_bytes())
    file.name = "forwarded.eml"
    text = client.post("/tickets/open/", {"step": "look", "file": file}).content.decode()
    assert "<span>A mail</span>" in text
    file.seek(0)
    client.post("/tickets/open/", {"step": "open", "file": file})
    ticket = Ticket.objects.get()
    assert ticket.ticket_notes.get().note == note
    assert ticket.pasted == "Fwd: note missing\n\nThe note of encounter E-88213 is missing."
    assert ticket.attachments.get().name == "a.csv"
