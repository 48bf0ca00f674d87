"""The demo's mailbox: what would have been mailed, as files; outside the demo there is none."""

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from email.utils import parsedate_to_datetime
from pathlib import Path

from django.conf import settings

SHOWN = 50


@dataclass(frozen=True)
class Letter:
    """Be one mail."""

    to: str
    subject: str
    at: datetime | None
    body: str


def letters() -> list[Letter]:
    """Read the newest mails of the demo's folder."""
    folder = Path(settings.MAIL_FOLDER) if settings.MAIL_FOLDER else None
    if folder is None or not folder.is_dir():
        return []
    found = []
    for path in sorted(folder.glob("*.log"), reverse=True)[:SHOWN]:
        mail = message_from_bytes(path.read_bytes().split(b"\n" + b"-" * 79)[0], policy=default)
        at = parsedate_to_datetime(mail["Date"]) if mail["Date"] else None
        text = mail.get_body(("plain",))
        body = text.get_content() if text is not None else ""
        found.append(Letter(str(mail["To"] or ""), str(mail["Subject"] or ""), at, body))
    return sorted(found, key=lambda letter: letter.at.timestamp() if letter.at else 0.0, reverse=True)
