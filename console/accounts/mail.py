"""Mail that leaves the house: written as rows, sent by workers; nothing is lost while the mail server is away."""

import logging
import uuid
from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import transaction
from django.utils import timezone

from console.accounts.models import Facility, OutgoingMail
from console.shared.work import WorkState, claim, finish, lease, ring, try_again

log = logging.getLogger(__name__)
BUDGET_S = 60.0
LONGEST_PAUSE_S = 3600


@transaction.atomic
def send(*, facility: Facility, to: Iterable[str], subject: str, body: str, about: str) -> list[OutgoingMail]:
    """Queue one mail for each address; they leave once the transaction commits.

    `about` names the kind (invitation, reset, alert, packet). Neither subject nor body may hold patient data.
    """
    rows = []
    for address in dict.fromkeys(to):
        row = OutgoingMail(facility=facility, to=address, subject=subject[:200], body=body, about=about)
        row.max_attempts = 12
        row.save(force_insert=True)
        ring(row)
        rows.append(row)
    return rows


def deliver(mail_id: uuid.UUID | str) -> bool:
    """Hand one mail to the mail server; on failure try again later, each time after a longer pause.

    A worker that dies between handing over and noting it sends the mail again: twice is better than never.
    """
    mail = claim(OutgoingMail, mail_id)
    if mail is None:
        return False
    try:
        with lease(mail, budget_s=BUDGET_S):
            EmailMessage(mail.subject, mail.body or "", settings.DEFAULT_FROM_EMAIL, [mail.to]).send()
    except Exception as problem:  # mail servers fail in many ways, none of which may lose the mail
        log.warning("mail %s was not taken: %s", mail.id, type(problem).__name__)
        if mail.attempt < mail.max_attempts:
            try_again(mail, after_s=min(LONGEST_PAUSE_S, 5 * 4**mail.attempt), error=type(problem).__name__)
        else:
            finish(mail, WorkState.FAILED, error=type(problem).__name__)
        return False
    mail.body = None
    mail.save(update_fields=["body"])
    return finish(mail, WorkState.DONE)


def recently(address: str, about: str, *, within: timedelta = timedelta(minutes=5)) -> bool:
    """Tell whether a mail of a kind was queued for an address just now: nobody may flood somebody's mailbox."""
    return OutgoingMail.objects.filter(to=address, about=about, created_at__gt=timezone.now() - within).exists()
