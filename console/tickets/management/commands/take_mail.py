"""`manage.py take_mail`: take one mail from standard input, as a mail server's pipe delivers it."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from console.tickets.mail_in import LIMIT_BYTES, NotSetUp, take

TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: the mail server keeps the mail and comes again


class Command(BaseCommand):
    """Take a forwarded mail."""

    help = (
        "Reads one RFC 5322 message from standard input: it opens a ticket or joins one. Ends with 0 also where the "
        "mail is refused, which is recorded, so that no bounce goes to a forged sender; with 75 where it could not "
        "be taken now, so that the mail server delivers it again."
    )
    requires_system_checks: list[str] = []  # one process a mail: the pages are none of its business

    def handle(self, *args: Any, **options: Any) -> None:
        """Take it; whatever fails leaves the mail with the mail server."""
        data = sys.stdin.buffer.read(LIMIT_BYTES + 1)
        try:
            row = take(data)
        except NotSetUp:
            self.stderr.write("MAIL_IN_AUTHSERV is not set: nobody's mail is taken. See SECURITY.md, Mail-in.")
            sys.exit(TRY_AGAIN)
        except Exception as problem:  # the database is away, or worse: no mail may be lost
            self.stderr.write(f"The mail could not be taken now: {type(problem).__name__}.")
            sys.exit(TRY_AGAIN)
        if options["verbosity"] > 1:
            self.stdout.write(row.get_state_display())
