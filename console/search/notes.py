"""Find notes: by any id, by provider or time, by ids within a message or an error, by the error they failed with.

Ids go no further than their keyed hashes. That somebody looked for one is recorded, without the id.
"""

import re
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from django.contrib.sessions.backends.base import SessionBase
from django.urls import reverse
from django.utils import timezone

from console.accounts.keys import keyring
from console.accounts.models import User
from console.accounts.services import record
from console.diagnoses import words
from console.notes.by_error import with_error
from console.notes.models import Note
from console.notes.queries import find
from console.search.found import Group, Hit
from console.tickets.recognise import Pasted
from console.worklist.access import Scope
from console.worklist.asking import MOST_WORDS, read
from console.worklist.find_page import look_up

MOST = 6
MOST_RECORDED = 20
_NUMBERED = re.compile(r"\d")


def group(user: User, scope: Scope, text: str, pasted: Pasted, session: SessionBase) -> Group:
    """Find notes by what was typed or by what stands in it."""
    if not scope.facilities:
        return Group("Notes", "file-text", ())
    if pasted.kind in ("hl7", "fhir") or (pasted.kind == "error" and len(text.split()) > MOST_WORDS):
        return _within(user, scope, pasted)
    now = timezone.now()
    zone = timezone.get_current_timezone()
    asked = read(text, now=now, zone=zone if isinstance(zone, ZoneInfo) else ZoneInfo("UTC"))
    if asked.wrong or asked.is_empty:
        return _within(user, scope, pasted)
    led = look_up(scope, asked, session)
    if led.note is not None:
        note = Note.objects.select_related("integration", "department", "facility").get(pk=led.note)
        _record(user, scope, asked.words, [note])
        return Group("Notes", "file-text", (_hit(note, exact=True),))
    if any(_NUMBERED.search(word) for word in asked.words):
        _record(user, scope, asked.words, [])
    if led.nothing:
        return _within(user, scope, pasted)
    where = f"{reverse('worklist:find')}?{led.query}"
    return Group("Notes", "file-text", (Hit(where, "Notes found by this", "Shown as a list, the newest first"),))


def _within(user: User, scope: Scope, pasted: Pasted) -> Group:
    """Look for the ids that stand in a message or an error; then for the notes that failed with the error."""
    for candidate in pasted.lookups:
        found = list(find(user, candidate)[:MOST])
        found = [note for note in found if note.facility_id in scope.facilities]
        if found:
            _record(user, scope, (candidate,), found)
            return Group("Notes", "file-text", tuple(_hit(note) for note in found))
    if pasted.kind == "error" and pasted.error:
        failed = [note for note in with_error(user, pasted.error)[:MOST] if note.facility_id in scope.facilities]
        where = reverse("worklist:failures") if len(failed) == MOST else ""
        return Group(
            "Notes that failed with this error", "file-text", tuple(_hit(n) for n in failed), where, "All failures"
        )
    return Group("Notes", "file-text", ())


def _hit(note: Note, *, exact: bool = False) -> Hit:
    at = note.generated_at or note.created_at
    place = [note.integration.name, note.department.name if note.department else "", note.facility.name]
    return Hit(
        url=reverse("worklist:note", args=[note.pk]),
        name=f"Note of {timezone.localtime(at):%-d %b %H:%M}",
        says=" · ".join(part for part in place if part),
        pill=str(note.get_failure_mode_display()),
        tone=words.tone(note.failure_mode),
        exact=exact,
    )


def _record(user: User, scope: Scope, typed: Iterable[str], found: Iterable[Note]) -> None:
    """Record that ids were looked for: keyed hashes, so that an officer who has an id can ask who looked for it."""
    notes = list(found)
    places = {note.facility_id for note in notes} or set(scope.facilities[:MOST_RECORDED])
    for place in sorted(places):
        ring = keyring(place)
        asked = sorted({ring.hash(word, "note").hex()[:16] for word in typed})
        here = [note for note in notes if note.facility_id == place]
        record(
            by=user,
            action="search.by_id",
            subject=here[0] if len(here) == 1 else user,
            facility=place,
            detail={"asked": asked, "found": len(here)},
        )
