"""Find notes by the error text that a log recorded for them."""

import re

from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.db.models import QuerySet

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.notes.correlation.asked import tell_failed
from console.notes.log_rows import mask
from console.notes.models import Note
from console.notes.queries import visible

NEWEST = 200
_KNOWN_WORD = re.compile(r"(?<![<\w])[^\W\d_]{2}")
# By traces, which hold the error of a note's last failing answer and have an index for it: the log has none, and to
# look for a rare error there is to read every day of it.
WITH_SIGNATURE = """
SELECT found.note_id
  FROM integrations_integration AS place CROSS JOIN LATERAL (
    SELECT note_id, born_at FROM notes_trace
     WHERE integration_id = place.id AND signature = %(signature)s AND signature <> '' AND note_id IS NOT NULL
     ORDER BY born_at DESC LIMIT %(most)s
  ) AS found
 WHERE place.facility_id = ANY(%(facilities)s) ORDER BY found.born_at DESC LIMIT %(most)s
"""


def signature_of(text: str) -> str:
    """Mask an error text as traces hold it; empty where nothing is left that could tell one error from another."""
    signature = mask(text)
    return signature if _KNOWN_WORD.search(signature) else ""


def with_error(user: User | AnonymousUser, text: str) -> QuerySet[Note]:
    """Give the notes whose last failing answer was the same error, its ids and numbers masked; newest first.

    Only the newest are looked at: an error that failed a thousand notes names them all alike.
    """
    signature = signature_of(text)
    if not signature:
        return Note.objects.none()
    facilities = sorted(grants(user).where(Right.SEE_TICKETS))
    tell_failed(facilities, signature)
    with connection.cursor() as cursor:
        cursor.execute(WITH_SIGNATURE, {"signature": signature, "facilities": facilities, "most": NEWEST})
        found = [note_id for (note_id,) in cursor.fetchall()]
    return (
        visible(user)
        .filter(id__in=found)
        .select_related("integration", "facility", "department")
        .order_by("-generated_at", "-created_at", "-id")
    )
