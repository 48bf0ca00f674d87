"""Place what no id joins: by encounter with time, by patient and author with time, at last by time alone. Pure.

Every rule looks only at rows near each other, so that correlating a part gives the same answer as correlating all.
A row goes to a note only where the note's story has a gap for it; of several notes with such a gap, row and note must
be each other's nearest. What was placed so is *weak*: it may decide a note, and then the confidence says so.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from diagnostics.tracing.compact import CODE, What
from diagnostics.tracing.gaps import EARLY, gaps, may_be_copy
from diagnostics.tracing.joined import Joiner
from diagnostics.tracing.loose import Group, grouped
from diagnostics.tracing.story import MARGIN, Clocks, Key, Row
from diagnostics.tracing.thread import Thread

BEFORE, AFTER = timedelta(minutes=15), timedelta(hours=72)  # an encounter's documents (domain.md section 5, key 4)
AUTHOR_AFTER = timedelta(minutes=15)  # key 5
SOON = timedelta(minutes=5)  # by time alone, this long after it was due
ROUNDS = 2  # row and note must be each other's nearest; those left over are asked once more
_MARGIN_MINUTES = int(MARGIN / timedelta(minutes=1))
SURE, LIKELY, GUESSED = 0.66, 0.5, 0.4

_RECEIVED, _ACCEPTED, _REJECTED, _FILED = (
    int(What.EHR_RECEIVED), int(What.EHR_ACCEPTED), int(What.EHR_REJECTED), int(What.EHR_FILED)
)  # fmt: skip
_WHOLE = [_RECEIVED, _ACCEPTED, _FILED]


@dataclass(slots=True)
class Placed:
    """Be what was found for one note on weak grounds."""

    rows: list[Row] = field(default_factory=list)
    key: str = ""
    confidence: float = 1.0
    ambiguous: bool = False
    nameless: bool = False


class Weak:
    """Place the loose rows of a stretch of time. `placed` is by note; `unplaced` is what nobody could place."""

    def __init__(self, joiner: Joiner, clocks: Clocks, shared: bool) -> None:
        self.joiner, self.clocks, self.shared = joiner, clocks, shared
        self.placed: dict[Key, Placed] = defaultdict(Placed)
        self.unplaced: list[Group] = []
        self._needs: dict[Key, dict[int, datetime]] = {}
        self._shifts: dict[Key, timedelta] = {}
        self._clients: dict[tuple[str, datetime], set[str]] = {}
        self._clients_seen: dict[tuple[str, datetime], set[str]] | None = None
        groups = grouped(joiner.loose_ehr)
        if groups:
            self._index_notes(groups)
            left = self._by_encounter(groups)
            left = self._by_patient_and_author(left)
            self.unplaced = self._by_time(left)

    def shift(self, thread: Thread) -> timedelta:
        """Give how far the EHR's clock is ahead for a note, nothing where that is not known."""
        found = self._shifts.get(thread.key)
        if found is None:
            seconds = self.clocks.of_hour(thread.site, thread.client, thread.hour) or 0.0
            found = self._shifts[thread.key] = timedelta(seconds=seconds)
        return found

    def needs(self, thread: Thread) -> dict[int, datetime]:
        """Give what the EHR should have logged of a note and did not, each with the time (the scribe's) it was due."""
        found = self._needs.get(thread.key)
        if found is None:
            if thread.key not in self.placed and [row[1] & CODE for row in thread.ehr] == _WHOLE:
                return {}
            found = self._needs[thread.key] = gaps(thread, self._beside(thread), self.shift(thread))
        return found

    def _beside(self, thread: Thread) -> list[Row]:
        placed = self.placed.get(thread.key)
        return [*thread.ehr, *placed.rows] if placed else thread.ehr

    def _index_notes(self, groups: Sequence[Group]) -> None:
        """Find the notes of the encounters and patients that loose rows name."""
        self._of_encounter: dict[Key, list[Thread]] = {
            group.encounter: [] for group in groups if group.encounter is not None
        }
        self._of_patient: dict[Key, list[Thread]] = {group.patient: [] for group in groups if group.patient is not None}
        for thread in self.joiner.notes.values():
            if thread.encounter in self._of_encounter:
                self._of_encounter[thread.encounter].append(thread)
            if thread.patient in self._of_patient:
                self._of_patient[thread.patient].append(thread)

    def _give(self, thread: Thread, group: Group, key: str, confidence: float) -> None:
        placed = self.placed[thread.key]
        placed.rows = sorted([*placed.rows, *group.rows], key=_place)
        placed.key = placed.key or key
        placed.confidence = min(placed.confidence, confidence)
        self._needs.pop(thread.key, None)

    # By encounter ------------------------------------------------------------------------------------------------

    def _by_encounter(self, groups: Iterable[Group]) -> list[Group]:
        left, of_encounter = [], defaultdict(list)
        for group in groups:
            if group.encounter is not None and self._of_encounter[group.encounter]:
                of_encounter[group.encounter].append(group)
            else:
                left.append(group)
        for encounter, found in of_encounter.items():
            left += self._share_out(self._of_encounter[encounter], found)
        return left

    def _share_out(self, threads: Sequence[Thread], groups: Sequence[Group]) -> list[Group]:
        """Give the loose rows of one encounter to its notes; give back what fits none."""
        left = []
        ambiguous = self._ambiguous(threads, groups)
        for group in groups:
            fitting = [thread for thread in threads if self._fits(thread, group)]
            if any(thread.key in ambiguous and group.own for thread in fitting):
                for thread in fitting:
                    self.placed[thread.key].ambiguous = True
                continue
            chosen = self._nearest(fitting, group)
            if chosen is None:
                left.append(group)
            else:
                self._give(chosen, group, "encounter_id", SURE if len(fitting) == 1 else LIKELY)
        return left

    def _ambiguous(self, threads: Sequence[Thread], groups: Sequence[Group]) -> set[Key]:
        """Give the notes of which several documents with ids of their own could be the one."""
        own = [group for group in groups if group.own]
        if len(own) < 2:
            return set()
        claims = {thread.key: sum(self._fits(thread, group) for group in own) for thread in threads if not thread.ehr}
        claiming = [key for key, count in claims.items() if count > 1]
        return set(claiming) if len(claiming) < len(own) else set()

    def _fits(self, thread: Thread, group: Group) -> bool:
        """Tell whether rows of the note's own encounter may be the note's."""
        shift = self.shift(thread)
        if not thread.begun - BEFORE <= group.at - shift <= thread.scribe[-1].at + AFTER:
            return False
        if group.own and ((self.shared and thread.transaction is not None) or thread.ehr):
            return False  # where the systems share ids, a row with an id of its own is of another note
        if self._other_client(thread, group):
            return False
        if not thread.ehr and not self.placed.get(thread.key):
            return True
        return self._fills(thread, group)

    def _fills(self, thread: Thread, group: Group) -> bool:
        """Tell whether the rows fill a gap of the note's story; a refusal may stand where the filing should."""
        needs = self.needs(thread)
        if any((code := row.what & CODE) in needs or (code == _REJECTED and _FILED in needs) for row in group.rows):
            return True
        return group.has(_FILED) and may_be_copy(thread, self._beside(thread))

    def _other_client(self, thread: Thread, group: Group) -> bool:
        return any(self.is_of_another_client(thread, row) for row in group.rows)

    def is_of_another_client(self, thread: Thread, row: Row) -> bool:
        """Tell whether the EHR saw a row under a client under which this note's site never sends."""
        if not row.origin:
            return False
        known = {thread.client} if thread.client else self._clients_of(thread.site, row.at)
        return bool(known) and row.origin not in known

    def _clients_of(self, site: str, at: datetime) -> set[str]:
        """Give the clients under which the EHR saw a site's notes around a moment, both by the EHR's clock.

        Around the row that is looked at, not around the note, so that whoever holds the row finds the same.
        """
        minute = _minute(at)
        found = self._clients.get((site, minute))
        if found is None:
            seen = self._seen_by_minute()
            span = range(-_MARGIN_MINUTES, _MARGIN_MINUTES)
            there = (seen.get((site, minute + timedelta(minutes=step))) for step in span)
            found = self._clients[site, minute] = set().union(*filter(None, there))
        return found

    def _seen_by_minute(self) -> dict[tuple[str, datetime], set[str]]:
        if self._clients_seen is None:
            self._clients_seen = {}
            for thread in self.joiner.notes.values():
                for row in thread.ehr:
                    if row[10]:
                        self._clients_seen.setdefault((thread.site, _minute(row[0])), set()).add(row[10])
        return self._clients_seen

    def _nearest(self, threads: Sequence[Thread], group: Group) -> Thread | None:
        """Give the note whose gap lies nearest before the rows."""
        best: tuple[bool, timedelta, datetime] | None = None
        chosen = None
        for thread in threads:
            needs = self.needs(thread)
            code = next((row.what & CODE for row in group.rows if row.what & CODE in needs), None)
            code = _FILED if code is None and group.has(_REJECTED) and _FILED in needs else code
            due = needs[code] if code is not None else thread.begun
            gap = group.at - self.shift(thread) - due
            rank = (gap < -EARLY or code is None, abs(gap), thread.begun)
            if best is None or rank < best:
                best, chosen = rank, thread
        return chosen

    # By patient and author ---------------------------------------------------------------------------------------

    def _by_patient_and_author(self, groups: Sequence[Group]) -> list[Group]:
        left = []
        fitting = {
            id(group): [thread for thread in self._of_patient[group.patient] if self._may_be(thread, group)]
            for group in groups
            if group.patient is not None
        }
        claims = Counter(
            thread.key for group in groups if group.own for thread in fitting.get(id(group), ()) if not thread.ehr
        )
        for group in groups:
            threads = fitting.get(id(group), [])
            if group.own and any(claims[thread.key] > 1 for thread in threads):
                for thread in threads:
                    self.placed[thread.key].ambiguous = True
            elif len(threads) == 1 and (not self.placed.get(threads[0].key) or self._may_be(threads[0], group)):
                self._give(threads[0], group, "patient_and_author", LIKELY)
            else:
                left.append(group)
        return left

    def _may_be(self, thread: Thread, group: Group) -> bool:
        if group.encounter is not None and self._of_encounter[group.encounter]:
            return False  # that encounter has notes of its own
        if self._other_client(thread, group):
            return False
        if group.own and ((self.shared and thread.transaction is not None) or thread.ehr):
            return False
        at = group.at - self.shift(thread)
        if not thread.begun - BEFORE <= at <= thread.scribe[-1].at + AUTHOR_AFTER:
            return False
        author = thread.author
        if not thread.ehr and not self.placed.get(thread.key):
            return author is not None and group.author == author
        fits = group.author is None or author is None or group.author == author
        return fits and self._fills(thread, group)

    # By time alone -----------------------------------------------------------------------------------------------

    def _by_time(self, groups: Sequence[Group]) -> list[Group]:
        """Fill gaps with rows that carry no id at all, each with its nearest; nothing else could tell them apart."""
        bare = [g for g in groups if not g.own and g.encounter is None and g.patient is None]
        chosen = {id(group) for group in bare}
        left = [group for group in groups if id(group) not in chosen]
        waiting: dict[int, list[tuple[datetime, Thread]]] = defaultdict(list)
        for thread in self.joiner.notes.values() if bare else ():
            for code, due in self.needs(thread).items():
                if code != _FILED or not thread.is_queued:  # a queue files when it comes to it: time tells nothing
                    waiting[code].append((due + self.shift(thread), thread))
        for code in (_RECEIVED, _ACCEPTED, _REJECTED, _FILED):
            rows = [group for group in bare if group.rows[0].what & CODE == code]
            left += self._pair(rows, waiting[code]) if rows else []
        left += [g for g in bare if g.rows[0].what & CODE not in (_RECEIVED, _ACCEPTED, _REJECTED, _FILED)]
        self._mark_nameless([group for group in left if id(group) in chosen])
        return left

    def _pair(self, groups: list[Group], waiting: list[tuple[datetime, Thread]]) -> list[Group]:
        for _ in range(ROUNDS):
            waiting.sort(key=_due)
            taken: set[int] = set()
            wish = {id(group): self._best(group, waiting) for group in groups}
            suitors: dict[Key, tuple[timedelta, Group]] = {}
            for group in groups:
                found = wish[id(group)]
                if found is not None:
                    gap, thread = found
                    held = suitors.get(thread.key)
                    if held is None or (gap, group.at) < (held[0], held[1].at):
                        suitors[thread.key] = (gap, group)
            for key, (_, group) in suitors.items():
                self._give(self.joiner.notes[key], group, "time", GUESSED)
                taken.add(id(group))
            if not taken:
                break
            groups = [group for group in groups if id(group) not in taken]
            waiting = [(due, thread) for due, thread in waiting if thread.key not in suitors]
        return groups

    def _best(self, group: Group, waiting: Sequence[tuple[datetime, Thread]]) -> tuple[timedelta, Thread] | None:
        """Give the note whose gap is nearest to a row, and how near; `waiting` is by the EHR's clock, in order."""
        best: tuple[timedelta, datetime] | None = None
        chosen: Thread | None = None
        row = group.rows[0]
        lowest = bisect_left(waiting, row.at - SOON, key=_due)
        for due, thread in waiting[lowest : bisect_right(waiting, row.at + EARLY, key=_due)]:
            gap = row.at - due
            if self._other_client(thread, group):
                continue
            if row.author is not None and thread.author is not None and row.author != thread.author:
                continue
            rank = (abs(gap), thread.begun)
            if best is None or rank < best:
                best, chosen = rank, thread
        return None if best is None or chosen is None else (best[0], chosen)

    def _mark_nameless(self, groups: Sequence[Group]) -> None:
        """Tell notes without an answer that rows near their attempt might be theirs."""
        times = sorted(group.at for group in groups)
        if not times:
            return
        near = timedelta(minutes=2)
        for thread in self.joiner.notes.values():
            if thread.ehr or self.placed.get(thread.key):
                continue
            shift = self.shift(thread)
            for row in thread.scribe:
                if What.SENT <= row.what & CODE <= What.LOST:
                    at = bisect_left(times, row.at + shift - near)
                    if at < len(times) and times[at] <= row.at + shift + near:
                        self.placed[thread.key].nameless = True
                        break


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _place(row: Row) -> tuple[datetime, int]:
    return row.at, row.position


_due: Callable[[tuple[datetime, Thread]], datetime] = lambda pair: pair[0]  # noqa: E731
