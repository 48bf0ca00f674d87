"""Tell stretch after stretch and keep what they tell; then once more the notes whose rows lie far apart."""

import gc
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from console.notes.correlation.by_engine import keep_by_engine
from console.notes.correlation.counts import Done
from console.notes.correlation.loading import StoredRow, by_time
from console.notes.correlation.offsets import AROUND, Offsets
from console.notes.correlation.state import Scope
from console.notes.correlation.stretch import HOUR, Stretch, Told
from console.notes.correlation.writing import BORN, LAST, Stored, keep_notes, keep_orphans, remove, stored
from diagnostics.tracing.correlate import MARGIN
from diagnostics.tracing.deciding import Decider
from diagnostics.tracing.story import hour_of

MOST_GUESTS = 2000  # notes told again at once


class Run:
    """Tell stretches of one integration. `fresh` are the batches that nobody has correlated yet; None for all."""

    def __init__(self, scope: Scope, first: datetime, last: datetime, *, fresh: Collection[int] | None = None) -> None:
        self.scope, self.fresh = scope, fresh
        self.offsets = Offsets(scope, first, last)
        self.done = Done()
        self.decider: Decider | None = None

    def stretch(
        self,
        first: datetime,
        last: datetime,
        rows: list[StoredRow],
        *,
        guests: Collection[bytes] = (),
        fresh: Collection[int] | None = None,
    ) -> Stretch:
        """Join the rows of a stretch; they are given with their margins."""
        fresh = self.fresh if fresh is None else fresh
        made = Stretch(self.scope, rows, first, last, fresh=fresh, guests=guests, decider=self.decider)
        self.decider = made.joined.decider
        self.done.rows += len(rows)
        return made

    def keep(self, stretch: Stretch) -> None:
        """Tell a stretch and keep its stories, all or nothing."""
        first, last = stretch.first, stretch.last
        told = stretch.tell(self.offsets.clocks(first, last))
        with transaction.atomic():
            self._keep(stretch, told)

    def again(self) -> None:
        """Tell the notes once more whose rows lie far apart, each hour's together, with all their rows."""
        seen: set[bytes] = set()
        while waiting := {key: at for key, at in self.done.again.items() if key not in seen}:
            self.done.again = {}
            for first, last, guests in _by_hour(waiting):
                rows = by_time(self.scope.integration, first - MARGIN, last + MARGIN)
                self.keep(self.stretch(first, last, rows, guests=guests))
                seen.update(guests)
        self.done.again = {}

    def settle(self, first: datetime, last: datetime) -> None:
        """Tell those once more who borrowed an offset that is not the one in force now."""
        if not self.offsets.moved:
            return
        for hour in sorted(self.offsets.borrowers(first - AROUND, last + AROUND)):
            rows = by_time(self.scope.integration, hour - MARGIN, hour + HOUR + MARGIN)
            self.keep(self.stretch(hour, hour + HOUR, rows, fresh=()))

    def _keep(self, stretch: Stretch, told: Told) -> None:
        notes = {story.note: story for story in told.stories if story.note is not None}
        have = stored(self.scope, notes)
        again = {**told.again, **self._elsewhere(stretch, have)}
        here = {key: story for key, story in notes.items() if key not in again}
        kept = {key for key in here if key in have and have[key].more}
        plain = {key: story for key, story in here.items() if key not in kept}
        written = keep_notes(self.scope, plain, told.threads, have)
        if kept:
            extra = keep_by_engine(self.scope, {key: (have[key].note.id, here[key]) for key in kept}, have)
            written.notes += extra.notes
            written.changed += extra.changed
        nobodys = [story for story in told.stories if story.note is None]
        orphans = keep_orphans(self.scope, nobodys, stretch.first, stretch.last)
        whole = stretch.fresh is None and not stretch.guests
        gone = remove(
            self.scope, stretch.first, stretch.last, notes={*here, *again} if whole else None, orphans=told.orphans,
            settled=told.settled if self.fresh is not None or stretch.guests else {},
        )  # fmt: skip
        self.done.add(Done(written.notes, written.changed + orphans.changed + gone, orphans.orphans, 0, again))

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
