"""Correlate a stretch of time: its rows with a margin on either side, and whatever elsewhere belongs to them.

A note is told by the stretch in which its first row lies. Rows of a note that lie far from its beginning (a retry on
the next day, a filing hours later) are found by their ids; such a note is told once more, together with them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from console.notes.correlation.loading import Keys, StoredRow, by_keys_around, by_log, by_time, in_order
from console.notes.correlation.offsets import Pair
from console.notes.correlation.standing import Standing
from console.notes.correlation.state import Scope
from console.notes.correlation.writing import CLOCKS
from diagnostics.tracing.compact import CODE, What
from diagnostics.tracing.correlate import MARGIN, Joined
from diagnostics.tracing.deciding import Decider
from diagnostics.tracing.story import Clocks, Sample, Story
from diagnostics.tracing.thread import Thread
from diagnostics.tracing.weak import AFTER, BEFORE

HOUR = timedelta(hours=1)
FAR = timedelta(days=14)  # a row with the note's own id that comes later than this is told as a document of its own
_TOKENS = (int(What.TOKEN_GRANTED), int(What.TOKEN_REFUSED))
_OTHER = int(What.EHR_OTHER)


@dataclass(slots=True)
class Told:
    """Be what a stretch has to tell: its notes and nobody's documents.

    `again` are the notes to be told once more with all their rows, by their begin. `loose` are documents elsewhere
    that are nobody's as far as can be seen from here, `joined` the ids of those elsewhere that are a note's, by note.
    """

    stories: list[Story]
    threads: dict[Any, Thread]
    again: dict[bytes, datetime]
    orphans: set[bytes]
    loose: dict[bytes, datetime]
    joined: dict[bytes, dict[bytes, datetime]]


class Stretch:
    """Hold the rows of first <= time < last with their margins, joined by ids.

    `fresh` are the batches nobody has correlated yet, None for all; `guests` are notes whose rows are looked for
    wherever they lie.
    """

    def __init__(
        self,
        scope: Scope,
        rows: Sequence[StoredRow],
        first: datetime,
        last: datetime,
        *,
        fresh: Collection[int] | None = None,
        guests: Collection[bytes] = (),
        decider: Decider | None = None,
    ) -> None:
        self.scope, self.first, self.last, self.fresh = scope, first, last, fresh
        self.guests = set(guests)
        self._loaded = [(self.from_, self.to)]
        self.loose: list[StoredRow] = []
        if guests:
            rows = in_order([*rows, *self._surroundings(rows)])
        scribe, ehr = by_log(rows)
        elsewhere = self._elsewhere(scribe, ehr)
        if elsewhere:
            further_scribe, further_ehr = by_log(elsewhere)
            scribe, ehr = in_order(scribe + further_scribe), in_order(ehr + further_ehr)
        self.joined = Joined(
            scribe, ehr, now=scope.now, has_scribe=scope.has_scribe, has_ehr=scope.has_ehr,
            logs_filing=scope.logs_filing, shared=scope.shares_ids, usual_delay=scope.usual_delay, reach=scope.reach,
            decider=decider,
        )  # fmt: skip
        self._samples: list[Sample] | None = None

    @property
    def from_(self) -> datetime:
        """Give where the loaded rows begin."""
        return self.first - MARGIN

    @property
    def to(self) -> datetime:
        """Give where the loaded rows end."""
        return self.last + MARGIN

    @property
    def samples(self) -> list[Sample]:
        """Give the offset that each strongly joined note shows."""
        if self._samples is None:
            self._samples = self.joined.samples()
        return self._samples

    def offsets(self) -> dict[Pair, tuple[float, int]]:
        """Give the clocks' offset of each hour and pair that lies here, and from how many notes it is."""
        shown: dict[Pair, list[float]] = {}
        for found in self.samples:
            if self.first <= found.hour < self.last:
                shown.setdefault((found.site, found.client, found.hour), []).append(found.seconds)
        return {pair: (round(median(seconds), 3), len(seconds)) for pair, seconds in shown.items()}

    def tell(self, clocks: Clocks, moved: Collection[Pair] | None = None) -> Told:
        """Tell the notes that begin here; where `moved` names the clocks that did, without those whose traces stand."""
        _ = self.samples  # the stories repeat them
        wanted = {key: each for key, each in self.joined.notes.items() if self.first <= each.begun < self.last}
        if moved is not None and self.fresh is not None:
            standing = Standing(self.scope, self.joined, self.fresh, clocks, moved)
            wanted = {key: each for key, each in wanted.items() if key in self.guests or not standing.holds(each)}
        stories = self.joined.stories(clocks, wanted)
        for story in stories:
            if story.note is not None:
                story.weak |= wanted[story.note].by_encounter  # another note of it would make it another story
        nobodys = [story for story in stories if story.note is None]
        here = [s for s in stories if s.note is not None or self.first <= s.born_at < self.last]
        orphans = {story.orphan for story in nobodys}
        encounters = {thread.encounter for thread in wanted.values()}
        loose = {
            s.orphan: s.born_at for s in nobodys if s.encounter in encounters and not self.from_ <= s.first.at < self.to
        }
        return Told(here, wanted, self._again(), orphans, loose, self._joined_elsewhere(wanted))

    def _joined_elsewhere(self, told: Mapping[Any, Thread]) -> dict[bytes, dict[bytes, datetime]]:
        """Give by note the ids of documents elsewhere that are one of these notes', and when the EHR told of them."""
        found: dict[bytes, dict[bytes, datetime]] = {}
        for note, thread in told.items():
            for row in (*thread.ehr, *self.joined.placed.get(note, ())):
                if not self.from_ <= row[0] < self.to:
                    found.setdefault(note, {}).update((key, row[0]) for key in (row[3], row[8]) if key is not None)
        return found

    # What lies elsewhere ------------------------------------------------------------------------------------------

    def _surroundings(self, rows: Sequence[StoredRow]) -> list[StoredRow]:
        """Give what was logged around those rows of the guests that lie far from where they begin."""
        guests = Keys(note=set(self.guests))
        keys = Keys(note=set(self.guests)).take(row for row in rows if row[2] in self.guests)
        own = self._outside(guests, FAR)
        own += self._outside(keys.take(own).without(guests), FAR)
        encounters = Keys().take((row for row in (*rows, *own) if row[2] in self.guests), ("encounter",))
        own += [row for row in self._outside(encounters, AFTER + MARGIN) if row[1] & CODE >= What.EHR_RECEIVED]
        around: list[StoredRow] = []
        for first, last in _spans({row[0] for row in own}, self._loaded[0]):
            around += by_time(self.scope.integration, first, last)
            self._loaded.append((first, last))
        return around

    def _elsewhere(self, scribe: Sequence[StoredRow], ehr: Sequence[StoredRow]) -> list[StoredRow]:
        """Find the rows outside that belong to rows here: by ids of rows that nothing here explains."""
        self.loose = _unexplained(scribe, ehr)
        keys, encounters = Keys().take(self.loose), Keys().take(self.loose, ("encounter",))
        ahead = Keys()
        if self.guests:
            keys.note |= self.guests
            own = [row for row in scribe if row[2] in self.guests]
            keys.take(own)
            encounters.take(own, ("encounter",))
        elif self.fresh is not None and self.to <= self.scope.now:
            ahead.take(row for row in scribe if row[14] in self.fresh)
        found = [
            *self._outside(keys, FAR),
            *self._outside(encounters, AFTER + MARGIN),
            *self._outside(ahead, FAR, before=timedelta()),
        ]
        new = found
        for _ in range(2):  # an encounter's row leads to its note's rows, and these to the EHR's
            further = Keys().take(new, ("note", "transaction", "request", "document")).without(keys)
            new = self._outside(further, FAR)
            found += new
            keys.merge(further)
        if self.guests:
            far = Keys().take((row for row in found if row[2] in self.guests), ("encounter",))
            found += self._outside(far.without(encounters), AFTER + MARGIN)
        return list({row[13]: row for row in found}.values())

    def _outside(self, keys: Keys, far: timedelta, *, before: timedelta | None = None) -> list[StoredRow]:
        """Fetch the rows with these ids that were not loaded by their time."""
        if not keys:
            return []
        first, last = self.from_ - (far if before is None else before), min(self.to + far, self.scope.now + MARGIN)
        return [
            row
            for row in by_keys_around(self.scope.integration, keys, first, last, (self.from_, self.to))
            if not any(from_ <= row[0] < to for from_, to in self._loaded)
        ]

    def fresh_encounters(self) -> set[bytes]:
        """Give the encounters of which rows have come that nobody has correlated yet."""
        if self.fresh is None:
            return set()
        rows = (row for thread in self.joined.notes.values() for row in (*thread.scribe, *thread.ehr))
        loose = (*self.joined.loose[0], *self.joined.loose[1])
        return {row[5] for row in (*rows, *loose) if row[5] is not None and row[14] in self.fresh}

    def claiming(self, rows: Iterable[StoredRow]) -> dict[bytes, datetime]:
        """Give the notes that begin here of which rows elsewhere, of their encounter, may tell, and when they began."""
        there: dict[Any, list[StoredRow]] = {}
        for row in rows:
            there.setdefault(row[5], []).append(row)
        return {
            key: thread.begun
            for key, thread in self.joined.notes.items()
            if thread.encounter in there and self.first <= thread.begun < self.last and key not in self.guests
            and any(self._may_tell_of(thread, row) for row in there[thread.encounter])
        }  # fmt: skip

    def _may_tell_of(self, thread: Thread, row: StoredRow) -> bool:
        """Tell whether a row of the EHR may be a note's: it names no message, or names of messages are not shared."""
        if not thread.begun - BEFORE - CLOCKS <= row[0] <= thread.scribe[-1][0] + AFTER + CLOCKS:
            return False
        return (row[3] is None and row[4] is None) or not self.scope.shares_ids or thread.transaction is None

    def _again(self) -> dict[bytes, datetime]:
        """Give the notes that begin elsewhere and have rows here that they were not told with."""
        again: dict[bytes, datetime] = {}
        loose: dict[Any, list[Any]] = {}
        for row in self.loose:
            if row[5] is not None and self.first <= row[0] < self.last:
                loose.setdefault(row[5], []).append(row)
        for key, thread in self.joined.notes.items():
            begun = thread.begun
            if self.first <= begun < self.last or key in self.guests:
                continue
            rows = [*thread.scribe, *thread.ehr]
            if any(self._is_unseen(row[0], begun) and self._concerns(row) for row in rows) or any(
                self._is_unseen(row[0], begun) and (self._is_new(row) or self._is_judged_here(thread, row))
                for row in loose.get(thread.encounter, ())
            ):
                again[key] = begun
        return again

    def _is_judged_here(self, thread: Thread, row: Any) -> bool:
        """Tell whether the rows around a row say whether it may be a note's: under which clients its site sends."""
        return bool(row[10]) and not thread.client

    def _is_unseen(self, at: datetime, begun: datetime) -> bool:
        """Tell whether a row here was not loaded where a note is told that begins before or after this stretch."""
        if begun < self.first:
            return begun < self.from_ or at >= self.first + MARGIN
        return begun >= self.to or at < self.last - MARGIN

    def _concerns(self, row: Any) -> bool:
        return self.first <= row[0] < self.last and self._is_new(row)

    def _is_new(self, row: Any) -> bool:
        return self.fresh is None or row[14] in self.fresh


def _spans(moments: Iterable[datetime], loaded: tuple[datetime, datetime]) -> list[tuple[datetime, datetime]]:
    """Give the stretches around moments, joined where they touch, without what is loaded already."""
    spans: list[tuple[datetime, datetime]] = []
    for at in sorted(moments):
        first, last = at - MARGIN, at + MARGIN
        first, last = (first, min(last, loaded[0])) if at < loaded[0] else (max(first, loaded[1]), last)
        if spans and first <= spans[-1][1] and not spans[-1][1] <= loaded[0] <= first:
            spans[-1] = spans[-1][0], last
        else:
            spans.append((first, last))
    return spans


def _unexplained(scribe: Sequence[StoredRow], ehr: Sequence[StoredRow]) -> list[StoredRow]:
    """Give the rows that share no id with a note here."""
    nameless = [row for row in scribe if row[2] is None and row[1] & CODE not in _TOKENS]
    transactions = {row[3] for row in scribe if row[2] is not None}
    requests = {row[4] for row in scribe if row[2] is not None}
    documents = {row[8] for row in scribe if row[8] is not None and row[2] is not None}
    transactions.discard(None)
    requests.discard(None)
    joined = {row[8] for row in ehr if row[3] in transactions or row[4] in requests} | documents
    joined.discard(None)
    return [
        row
        for rows in (nameless, ehr)
        for row in rows
        if not (row[3] in transactions or row[4] in requests or row[8] in joined) and row[1] & CODE != _OTHER
    ]
