"""Mails as a mail server hands them over, with invented people."""

import itertools
from email.message import EmailMessage

AUTHSERV = "mx.hospital.example"
_numbers = itertools.count(1)


def a_mail(sender: str, text: str = "The note of encounter E-88213 is missing.", **headers: str) -> EmailMessage:
    """Make a mail that the own mail server vouches for; a header given as an empty text is left out."""
    mail = EmailMessage()
    given = {
        "Authentication-Results": f"{AUTHSERV}; dmarc=pass (p=reject) header.from={sender.rpartition('@')[2]}",
        "From": f"Test Person <{sender}>",
        "To": "tickets@notetrace.example",
        "Subject": "Fwd: note missing",
        "Date": "Sun, 22 Nov 2026 17:12:00 +0000",
        "Message-ID": f"<m-{next(_numbers)}@hospital.example>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in given.items():
        if value:
            mail[name] = value
    mail.set_content(text)
    return mail
