"""Take a mail that somebody forwarded: it opens a ticket, or joins the one that it names. Each message once.

What is refused is recorded by its reason alone; nothing of its text is kept here.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from email.utils import parseaddr
from hashlib import sha256

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac

from console.accounts.access import grants
from console.accounts.mail import send
from console.accounts.models import Facility, User
from console.accounts.roles import Right
from console.integrations.models import Integration
from console.tickets.access import current, visible
from console.tickets.mail_text import MailText, header, mail_text, parse
from console.tickets.mail_trust import is_vouched_for, sender_of, why_automatic
from console.tickets.models import InboundMail, OpenedVia, Ticket, TicketReport
from console.tickets.opening import Opening, integrations_for, keep_files, look_at, open_from
from console.tickets.recognise import recognise_mail
from console.tickets.services import comment

LIMIT_BYTES = 25 * 1024 * 1024
MOST_AN_HOUR = 60  # of one sender
_NAMED = re.compile(r"\[#(\d{1,9})\]")
_IDS = re.compile(r"<[^<>\s]{1,400}>")
State = InboundMail.State


class NotSetUp(Exception):
    """The operator has not said which mail server's word counts, so nobody's mail is taken."""


@dataclass
class _Refusal(Exception):
    """This mail is not taken: why, and who is told of it (nobody whose address may be forged)."""

    why: str
    tell: User | None = None


def take(data: bytes) -> InboundMail:
    """Take one message as it arrived; give what became of it. The same Message-ID gives what became of it first.

    Raise NotSetUp without MAIL_IN_AUTHSERV.
    """
    if not settings.MAIL_IN_AUTHSERV:
        raise NotSetUp
    message = parse(data[:LIMIT_BYTES])
    named = header(message, "Message-ID")[:500] or f"<{sha256(data).hexdigest()}>"
    known = _known([named])
    if known is not None:
        return known
    try:
        with transaction.atomic():
            return _take(message, named, too_large=len(data) > LIMIT_BYTES)
    except IntegrityError:  # the same message came twice at once
        known = _known([named])
        if known is None:
            raise
        return known


def _take(message: EmailMessage, named: str, *, too_large: bool) -> InboundMail:
    user: User | None = None
    try:
        user = _sender(message)
        if too_large:
            raise _Refusal(f"It is larger than {LIMIT_BYTES // 1024**2} MB.", user)
        mail = mail_text(message)
        with transaction.atomic():  # a ticket that is begun and then refused is not there
            state, ticket = _join(message, mail, user) or _open(mail, user, named)
    except _Refusal as refusal:
        if refusal.tell is not None:
            _answer(
                refusal.tell, "Your mail opened no ticket", f"{refusal.why}\n\n{settings.CONSOLE_ADDRESS}tickets/open/"
            )
        return _keep(named, State.REFUSED, user, why=refusal.why)
    return _keep(named, state, user, ticket=ticket)


def _sender(message: EmailMessage) -> User:
    """Give the person who sent it; refuse everybody else without an answer."""
    own = parseaddr(settings.DEFAULT_FROM_EMAIL)[1]
    automatic = why_automatic(message, own)
    if automatic:
        raise _Refusal(automatic)
    address = sender_of(message)
    if not address:
        raise _Refusal("It names no sender, or several.")
    if not is_vouched_for(message, address, settings.MAIL_IN_AUTHSERV):
        raise _Refusal("The mail server does not vouch for its sender.")
    user = User.objects.filter(email=address, is_active=True).first()
    if user is None or not grants(user).where(Right.WORK_TICKETS):
        raise _Refusal("Its sender does not work on tickets here.")
    lately = InboundMail.objects.filter(sender=user, at__gt=timezone.now() - timedelta(hours=1))
    if lately.count() >= MOST_AN_HOUR:
        raise _Refusal(f"Its sender sent {MOST_AN_HOUR} mails within an hour.")
    return user


def _join(message: EmailMessage, mail: MailText, user: User) -> tuple[State, Ticket] | None:
    """Add it to the ticket that its subject names, or that an earlier mail of its chain became."""
    number = _NAMED.search(mail.subject)
    mine = visible(user, Right.WORK_TICKETS)
    if number:
        ticket = mine.filter(number=int(number[1])).first()
    else:
        earlier = _known(
            [word for name in ("In-Reply-To", "References") for word in _IDS.findall(header(message, name))]
        )
        if earlier is None or earlier.ticket_id is None:
            return None
        ticket = mine.filter(pk=earlier.ticket_id).first()
    if ticket is None:
        raise _Refusal("It names a ticket that you do not work on, or that is not there.", user)
    ticket = current(user, ticket)
    comment(ticket=ticket, text=f"By mail: {mail.subject}\n\n{mail.text}".strip(), by=user)
    keep_files(ticket=ticket, files=mail.files, by=user)
    return State.JOINED, ticket


def _open(mail: MailText, user: User, named: str) -> tuple[State, Ticket]:
    pasted = recognise_mail(mail)
    if not mail.text.strip() and pasted.payload is None:
        raise _Refusal("It holds no text.", user)
    opening = look_at(user, pasted)
    integration = opening.integration or _named_integration(user, pasted.text)
    if integration is None:
        names = ", ".join(one.name for one in integrations_for(user)[:20])
        raise _Refusal(
            f"It does not tell through which integration the note was sent. Send it again with the integration's name "
            f"in the subject, one of: {names}."[:200],
            user,
        )
    ticket = open_from(
        opening=opening, integration=integration, text=pasted.text, by=user, key=_digests(named)[0].hex(),
        via=OpenedVia.MAIL,
    )  # fmt: skip
    TicketReport.objects.create(facility_id=ticket.facility_id, ticket=ticket, by=user, text=pasted.text)
    if mail.dropped:
        comment(ticket=ticket, text=f"{mail.dropped} parts of the mail lay too deep and were left out.", by=user)
    _answer(user, f"[#{ticket.number}] Ticket opened", _opened(ticket, opening), facility=ticket.facility)
    return State.OPENED, ticket


def _opened(ticket: Ticket, opening: Opening) -> str:
    where = settings.CONSOLE_ADDRESS + reverse("tickets:ticket", args=[ticket.number]).lstrip("/")
    lines = [f"Your mail opened ticket {ticket.number}. Its diagnosis is under way.", where]
    if opening.strong:
        lines.append(
            "Open tickets that match: " + ", ".join(f"#{match.ticket.number}" for match in opening.strong) + "."
        )
    lines.append("Answer this mail, with its subject as it is, to add to the ticket.")
    return "\n\n".join(lines) + "\n"


def _named_integration(user: User, text: str) -> Integration | None:
    """Give the one integration whose name stands in the mail."""
    words = text.lower()
    named = [one for one in integrations_for(user) if re.search(rf"(?<!\w){re.escape(one.name.lower())}(?!\w)", words)]
    return named[0] if len(named) == 1 else None


def _answer(user: User, subject: str, body: str, facility: Facility | None = None) -> None:
    """Write to the sender, who is known and vouched for; numbers and addresses only, no patient data."""
    place = facility or Facility.objects.filter(id__in=grants(user).where(Right.WORK_TICKETS)).order_by("id").first()
    if place is not None:
        send(facility=place, to=[user.email], subject=subject, body=body, about="mail-in")


def _keep(named: str, state: State, sender: User | None, *, why: str = "", ticket: Ticket | None = None) -> InboundMail:
    return InboundMail.objects.create(
        message_hash=_digests(named)[0], sender=sender, state=state, why=why[:200], ticket=ticket
    )


def _known(ids: list[str]) -> InboundMail | None:
    """Give what became of one of these messages, the newest."""
    digests = [digest for one in ids[:50] for digest in _digests(one)]
    return InboundMail.objects.filter(message_hash__in=digests).order_by("-at", "-id").first() if digests else None


def _digests(message_id: str) -> list[bytes]:
    """Give the keyed hash of a Message-ID, which may hold a name; then those under earlier keys."""
    secrets: Iterator[str] = iter((settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))
    return [
        salted_hmac("console.tickets.mail_in", message_id, secret=one, algorithm="sha256").digest() for one in secrets
    ]
