"""Find notes by the error text that a log recorded for them."""

import re

from django.contrib.auth.models import AnonymousUser
from django.db.models import QuerySet

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.notes.log_rows import mask
from console.notes.models import LogEntry, Note
from console.notes.queries import visible

NEWEST_ROWS = 200
_KNOWN_WORD = re.compile(r"(?<![<\w])[^\W\d_]{2}")


def with_error(user: User | AnonymousUser, text: str) -> QuerySet[Note]:
    """Give the notes whose log rows hold the same error, its ids and numbers masked; newest first.

    Only the newest rows are looked at: an error that failed a thousand notes names them all alike.
    """
    signature = mask(text)
    if not _KNOWN_WORD.search(signature):  # nothing is left that could tell one error from another
        return Note.objects.none()
    hashes = (
        LogEntry.objects.filter(
            facility__in=grants(user).where(Right.SEE_TICKETS), signature=signature, note_hash__isnull=False
        )
        .order_by("-at", "-id")
        .values_list("note_hash", flat=True)[:NEWEST_ROWS]
    )
    found = {bytes(value) for value in hashes}
    return (
        visible(user)
        .filter(external_hash__in=found)
        .select_related("integration", "facility", "department")
        .order_by("-generated_at", "-created_at", "-id")
    )
