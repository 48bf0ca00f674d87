"""Tell stretch after stretch and keep what they tell; then once more the notes whose rows lie far apart."""

import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from console.notes.correlation.by_engine import keep_by_engine
from console.notes.correlation.counts import Done
from console.notes.correlation.loading import Keys, StoredRow, by_keys_around, by_time
from console.notes.correlation.offsets import AROUND, Offsets
from console.notes.correlation.state import Scope
from console.notes.correlation.stretch import HOUR, Stretch, Told
from console.notes.correlation.writing import (
    BORN,
    LAST,
    Stored,
    far_apart,
    keep_notes,
    keep_orphans,
    known_orphans,
    remove,
    stored,
    unknown_orphans,
    weak_in,
)
from diagnostics.tracing.compact import CODE, What
from diagnostics.tracing.correlate import MARGIN
from diagnostics.tracing.deciding import Decider
from diagnostics.tracing.story import hour_of
from diagnostics.tracing.weak import AFTER

ROUNDS = 5  # telling a note again may show another offset, by which others are told
MOST_GUESTS = 2000  # notes told again at once


class Run:
    """Tell stretches of one integration. `fresh` are the batches that nobody has correlated yet; None for all."""

    def __init__(self, scope: Scope, first: datetime, last: datetime, *, fresh: Collection[int] | None = None) -> None:
        self.scope, self.fresh = scope, fresh
        self.offsets = Offsets(scope, first, last)
        self.done = Done()
        self.decider: Decider | None = None
        self.told: set[datetime] = set()  # the hours that this run tells anyway, with whatever is new

    def stretch(
        self, first: datetime, last: datetime, rows: list[StoredRow], guests: Collection[bytes] = ()
    ) -> Stretch:
        """Join the rows of a stretch; they are given with their margins. Notes known to lie far apart are guests."""
        far = far_apart(self.scope, first, last, last + MARGIN)
        made = Stretch(self.scope, rows, first, last, fresh=self.fresh, guests={*guests, *far}, decider=self.decider)
        self.decider = made.joined.decider
        self.done.rows += len(rows)
        return made

    def keep(self, stretch: Stretch, *, whole: bool = True) -> None:
        """Tell a stretch and keep its stories, all or nothing; not `whole` leaves the traces that stand."""
        clocks = self.offsets.clocks(stretch.first, stretch.last)
        told = stretch.tell(clocks, None if whole else self.offsets.moved)
        with transaction.atomic():
            self._keep(stretch, told)

    def again(self) -> None:
        """Tell once more, with all their rows, the notes whose rows lie far apart, and documents they let go of."""
        seen: set[bytes] = set()
        told: set[datetime] = set()
        while True:
            notes = {key: at for key, at in self.done.again.items() if key not in seen}
            hours = self.done.hours - told
            self.done.again, self.done.hours = {}, set()
            if not notes and not hours:
                return
            for first, last, guests in _by_hour(notes):
                self._once_more(first, last, guests)
                seen.update(guests)
            for hour in sorted(hours):
                self._once_more(hour, hour + HOUR)
                told.add(hour)

    def settle(self, first: datetime, last: datetime) -> None:
        """Tell those once more who borrowed an offset that is not the one in force now."""
        first, last = first - AROUND, last + AROUND
        for _ in range(ROUNDS):
            if not self.offsets.moved:
                return
            self.offsets = Offsets(self.scope, first, last)
            for hour in sorted(self.offsets.borrowers(first, last)):
                self._once_more(hour, hour + HOUR)
            self.again()

    def _once_more(self, first: datetime, last: datetime, guests: Collection[bytes] = ()) -> None:
        rows = by_time(self.scope.integration, first - MARGIN, last + MARGIN)
        stretch = self.stretch(first, last, rows, guests)
        self.offsets.learn(first, last, stretch.offsets())
        self.keep(stretch)

    def _keep(self, stretch: Stretch, told: Told) -> None:
        scope, first, last = self.scope, stretch.first, stretch.last
        notes = {story.note: story for story in told.stories if story.note is not None}
        have = stored(scope, notes)
        relatives, claiming = self._relatives(stretch)
        again = {**told.again, **claiming, **self._elsewhere(stretch, have)}
        here = {key: story for key, story in notes.items() if key not in again}
        kept = {key for key in here if key in have and have[key].more}
        written = keep_notes(scope, {key: here[key] for key in here if key not in kept}, told.threads, have)
        if kept:
            written.add(
                keep_by_engine(scope, {key: (have[key].note.id, here[key]) for key in kept}, have, told.threads)
            )
        written.add(keep_orphans(scope, [story for story in told.stories if story.note is None], first, last))
        # what a note would take that is told once more with all its rows, is for that telling to say
        settled = {key: at for note, ids in told.joined.items() if note not in again for key, at in ids.items()}
        still = {*here, *again} if self.fresh is None else None
        written.changed += remove(scope, first, last, notes=still, orphans=told.orphans, settled=settled)
        untold = unknown_orphans(scope, told.loose)
        hours = {hour_of(at) for at in untold} | ({hour_of(at) for at in relatives} - self.told)
        self.done.add(Done(written.notes, written.changed, written.orphans, 0, again, hours))

    def _relatives(self, stretch: Stretch) -> tuple[list[datetime], dict[bytes, datetime]]:
        """Look for what the rows of an encounter, now that there are more of them, make another story of.

        Give when notes and documents were told elsewhere whose answer rests on what an encounter's rows are, and the
        notes here, by their begin, that may be what rows elsewhere tell of.
        """
        encounters = stretch.fresh_encounters()
        if not encounters:
            return [], {}
        scope, first, last = self.scope, stretch.first - AFTER, stretch.last + AFTER
        wanted, last_row, loaded = (
            Keys(encounter=encounters),
            min(last, scope.now + MARGIN),
            (stretch.from_, stretch.to),
        )
        rows = [
            row
            for row in by_keys_around(scope.integration, wanted, first, last_row, loaded)
            if row[1] & CODE >= What.EHR_RECEIVED
        ]
        found = {
            key: row[0]
            for row in rows
            if row[1] & CODE == What.EHR_FILED
            for key in (row[3], row[8])
            if key is not None
        }
        moments = [*weak_in(scope, encounters, first, last), *known_orphans(scope, found)]
        return [at for at in moments if not stretch.first <= at < stretch.last], stretch.claiming(rows)

    def _elsewhere(self, stretch: Stretch, have: dict[bytes, Stored]) -> dict[bytes, datetime]:
        """Give the notes of which rows lie outside what was loaded, as their present traces know."""
        again = {}
        for key, held in have.items():
            if held.trace is None or key in stretch.guests:
                continue
            born, last = held.values[BORN], held.values[LAST]
            if not stretch.from_ <= born < stretch.to or last >= stretch.to:
                again[key] = min(born, stretch.joined.notes[key].begun)
        return again


def _by_hour(waiting: dict[bytes, datetime]) -> Iterator[tuple[datetime, datetime, list[bytes]]]:
    """Group notes by the hours on which they bear, in order of time."""
    hours: dict[tuple[datetime, datetime], list[bytes]] = {}
    for key, begun in waiting.items():
        hours.setdefault((hour_of(begun - MARGIN), hour_of(begun + MARGIN) + HOUR), []).append(key)
    for first, last in sorted(hours):
        keys = sorted(hours[first, last])
        for at in range(0, len(keys), MOST_GUESTS):
            yield first, last, keys[at : at + MOST_GUESTS]


@contextmanager
def without_cycles() -> Iterator[None]:
    """Leave the collector of cycles off: rows and threads make none, and looking for them costs a third of the time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
