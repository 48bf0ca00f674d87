"""Correlate both systems' logs for many notes at once: the two logs become one story a note. Pure.

`Joined` joins what ids join and shows the clocks' offsets; `stories` places the rest on weaker grounds, asks the
engine's decision table and says how sure the answer is. Rows are given in order of time; a stretch of rows gives the
same stories as all rows, for notes that lie `MARGIN` inside it.
"""

from bisect import bisect_left
from collections.abc import Container, Sequence
from datetime import datetime, timedelta

from diagnostics.tracing.compact import CODE, OPEN, What
from diagnostics.tracing.deciding import Around, Decider, Doubts
from diagnostics.tracing.joined import Joiner
from diagnostics.tracing.loose import Group
from diagnostics.tracing.match import CONFIDENCE
from diagnostics.tracing.story import MARGIN as MARGIN
from diagnostics.tracing.story import Clocks, Key, Row, Sample, Story
from diagnostics.tracing.thread import Thread
from diagnostics.tracing.traits import Traits, traits_of
from diagnostics.tracing.triage import GRACE, USUAL_DELAY
from diagnostics.tracing.weak import Placed, Weak
from diagnostics.vocabulary import FailureMode

_NEAR = timedelta(minutes=15)
_WRITTEN = timedelta(minutes=10)
_FILED, _SENT, _ACCEPTED, _REJECTED, _LOST = (
    int(What.EHR_FILED), int(What.SENT), int(What.ACCEPTED), int(What.REJECTED), int(What.LOST)
)  # fmt: skip
_ASIDE = (int(What.TOKEN_GRANTED), int(What.TOKEN_REFUSED), int(What.READ))  # requests that write nothing
DOUBTED = 0.6
TELLING_NOTES, SOON_SENT = 50, timedelta(minutes=5)
Reach = tuple[datetime, datetime]


class Joined:
    """Hold the rows of a stretch of time, joined by ids; `unplaced` are the EHR's rows nobody could place,
    `placed` those that went to a note on weak grounds; both once the stories are told.

    `reach` is when the EHR's whole log begins and ends (its clock), by default that of the rows given. `shared` tells
    whether the systems share transaction ids at all; None finds out from the rows given.
    """

    def __init__(
        self,
        scribe: Sequence[Row],
        ehr: Sequence[Row],
        *,
        now: datetime,
        has_scribe: bool = True,
        has_ehr: bool = True,
        logs_filing: bool | None = None,
        shared: bool | None = None,
        usual_delay: timedelta = USUAL_DELAY,
        reach: Reach | None = None,
        decider: Decider | None = None,
    ) -> None:
        filing = any(row.what & CODE == _FILED for row in ehr) if logs_filing is None else logs_filing
        self._around = Around(now, has_scribe, has_ehr, filing, usual_delay)
        self.decider = decider if decider is not None and decider.around == self._around else Decider(self._around)
        self._scribe, self._ehr = scribe, ehr
        self._joiner = Joiner(scribe, ehr)
        self._shared = self._joiner.shared if shared is None else shared
        self._reach = reach or ((ehr[0].at, ehr[-1].at) if ehr else None)
        self.unplaced: list[Row] = []
        self.placed: dict[Key, list[Row]] = {}

    @property
    def notes(self) -> dict[Key, Thread]:
        """Give the notes and the rows that ids join."""
        return self._joiner.notes

    @property
    def loose(self) -> tuple[list[Row], list[Row]]:
        """Give the scribe's and the EHR's rows that no id joined to a note."""
        return self._joiner.loose_scribe, self._joiner.loose_ehr

    def samples(self) -> list[Sample]:
        """Give the offset that each strongly joined note shows; ask before `stories`, which repeat it."""
        return list(self._joiner.samples())

    def stories(self, clocks: Clocks, wanted: Container[Key] | None = None) -> list[Story]:
        """Tell each note's story, and those of documents that no note explains; `wanted` limits the notes told."""
        weak = Weak(self._joiner, clocks, self._shared)
        self.unplaced = [row for group in weak.unplaced for row in group.rows]
        self.placed = {key: found.rows for key, found in weak.placed.items() if found.rows}
        teller = _Teller(self._joiner, weak, self.decider, clocks, self._scribe, self._ehr, self._reach)
        told = [teller.tell(thread) for key, thread in self._joiner.notes.items() if wanted is None or key in wanted]
        return told + [teller.orphan(group) for group in weak.unplaced if _is_document(group)]


class _Teller:
    """Turn threads into stories."""

    def __init__(
        self,
        joiner: Joiner,
        weak: Weak,
        decider: Decider,
        clocks: Clocks,
        scribe: Sequence[Row],
        ehr: Sequence[Row],
        reach: Reach | None,
    ) -> None:
        self.joiner, self.weak, self.decider, self.clocks, self.reach = joiner, weak, decider, clocks, reach
        self.around = around = decider.around
        self.scribe_times = [row.at for row in scribe]
        self.ehr_times = [row.at for row in ehr]
        self.loose_scribe = [row.at for row in joiner.loose_scribe if row.what & CODE >= _SENT]
        self.bare_filings = sorted(
            row.at for row in joiner.loose_ehr if row.what & CODE == _FILED and row.encounter is None
        )
        self.unplaced_filings = sorted(group.at for group in weak.unplaced if group.has(_FILED))
        self.young = max(GRACE, around.usual_delay) + timedelta(minutes=1)
        self._silent: list[datetime] | None = None
        self._by_hour: dict[datetime, Traits] = {}
        self.scribe_rows, self.ehr_rows = scribe, ehr
        self.unplaced_in: dict[Key, list[Group]] = {}
        for group in weak.unplaced:
            if group.encounter is not None and group.has(_FILED):
                self.unplaced_in.setdefault(group.encounter, []).append(group)

    def tell(self, thread: Thread) -> Story:
        """Tell one note's story."""
        site, client = thread.site, thread.client
        known = self.clocks.of_hour(site, client, thread.hour)
        offset = known or 0.0
        placed = self.weak.placed.get(thread.key)
        rows, confidence = thread.ehr, 0.0
        if thread.ehr and placed is None:
            verdict, attempts = self.decider.decide(thread, rows, offset)
            confidence = CONFIDENCE[thread.keys[0]] if len(thread.keys) == 1 else _best(thread)
        elif placed is not None and placed.rows:
            rows = sorted([*thread.ehr, *placed.rows], key=_place)
            verdict, attempts = self.decider.decide(thread, rows, offset, Doubts(ambiguous=placed.ambiguous))
            confidence = placed.confidence
            if thread.ehr:
                plain, _ = self.decider.decide(thread, thread.ehr, offset)
                if (plain.mode, plain.broke_at) == (verdict.mode, verdict.broke_at):
                    confidence = _best(thread)
        else:
            verdict, attempts = self.decider.decide(thread, rows, offset, self._doubts(thread, placed, offset))
            confidence = _best(thread) if thread.ehr else self._alone(verdict.mode)
        mode = verdict.mode
        if mode is FailureMode.UNKNOWN:
            confidence = 0.3
        elif (
            thread.id_by_encounter
            or (thread.by_encounter and not thread.ehr)
            or self._doubted(thread, rows, mode, attempts, offset)
        ):
            confidence = min(confidence, DOUBTED)
        story = Story(
            note=thread.key, orphan=None, mode=mode, broke_at=verdict.broke_at,
            keys=_keys(thread, placed), confidence=round(confidence, 2),
            born_at=thread.begun, last_at=thread.scribe[-1].at, first=thread.scribe[0],
            ambiguous=placed is not None and placed.ambiguous, weak=placed is not None or confidence < 0.9,
            attempts=attempts, transaction=thread.transaction, encounter=thread.encounter, patient=thread.patient,
            author=thread.author, site=site, client=client, offset_s=known, sample_s=thread.sampled,
        )  # fmt: skip
        _times(story, thread, rows, timedelta(seconds=offset))
        if self._is_young(story.last_at, offset):
            story.recheck_at = story.last_at + self.young + timedelta(seconds=abs(offset))
        return story

    def orphan(self, group: Group) -> Story:
        """Tell of a document that no scribe row explains."""
        row = next(row for row in group.rows if row.what & CODE == _FILED)
        client = next((each.origin for each in group.rows if each.origin), "")
        known = self.clocks.at("", client, row.at)
        shift = timedelta(seconds=known or 0.0)
        key = next((each.transaction for each in group.rows if each.transaction is not None), None)
        return Story(
            note=None, orphan=row.document if key is None else key, mode=FailureMode.DELIVERED, broke_at=None, keys=(),
            confidence=0.9, born_at=group.at - shift, last_at=group.rows[-1].at - shift, first=row,
            filed_at=row.at - shift, encounter=group.encounter, patient=group.patient, author=group.author,
            client=client, offset_s=known,
        )  # fmt: skip

    def _alone(self, mode: FailureMode) -> float:
        """Say how sure an answer is that rests on the scribe's log alone."""
        if not self.around.has_ehr:
            return 0.6 if mode in (FailureMode.REJECTED, FailureMode.NEVER_SENT) else 0.4
        return 0.9

    def _doubts(self, thread: Thread, placed: Placed | None, offset: float) -> Doubts:
        tokens: tuple[Row, ...] = ()
        if self._is_young(thread.scribe[-1].at, offset) and not thread.writes():
            first, last = thread.begun - timedelta(minutes=10), thread.scribe[-1].at + GRACE
            near = self.joiner.tokens[
                bisect_left(self.joiner.tokens, first, key=_at) : bisect_left(self.joiner.tokens, last, key=_at)
            ]
            tokens = tuple(row for row in near if not row.origin or not thread.site or row.origin == thread.site)
            while tokens and tokens[0].what & CODE > _SENT:
                tokens = tokens[1:]  # a refusal whose request lies before
        return Doubts(
            ambiguous=placed is not None and placed.ambiguous,
            nameless=placed is not None and placed.nameless,
            covered=self._covered(thread.scribe[-1].at + timedelta(seconds=offset)),
            tokens=tokens,
            overdue=self._is_overdue(thread, offset),
        )

    def _is_overdue(self, thread: Thread, offset: float) -> bool:
        """Tell whether a young note without any sending is later than this log's notes are ever sent."""
        last = thread.scribe[-1].at
        if not self._is_young(last, offset) or thread.writes():
            return False
        usual = self._sent_within(thread.hour)
        return usual is not None and self.around.now - last > usual

    def _covered(self, at: datetime) -> bool:
        """Tell whether the EHR's log was being written around a moment of its clock."""
        if self.reach is None or not self.reach[0] - _WRITTEN <= at <= self.reach[1] + _WRITTEN:
            return False
        return _any(self.ehr_times, at - _WRITTEN, at + _WRITTEN) or not _any(self.silent, at - _NEAR, at + _NEAR)

    @property
    def silent(self) -> list[datetime]:
        """Give when notes were answered yes of which the EHR's log holds no row: it may not have been written."""
        if self._silent is None:
            self._silent = sorted(
                thread.scribe[-1].at
                for thread in self.joiner.notes.values()
                if not thread.ehr and any(code == _ACCEPTED for _, code in thread.writes())
            )
        return self._silent

    def _is_young(self, last: datetime, offset: float) -> bool:
        return self.around.now - last <= self.young + timedelta(seconds=abs(offset))

    def _doubted(self, thread: Thread, rows: Sequence[Row], mode: FailureMode, attempts: int, offset: float) -> bool:
        """Tell whether rows without a place near the note, or missing ones, could make another answer of it."""
        shift = timedelta(seconds=offset)
        last = thread.scribe[-1].at
        lossy = self._traits(thread.hour).loses_ids
        if mode in (FailureMode.DELIVERED, FailureMode.DUPLICATE) and self._place_unknown(thread, rows):
            return True
        if mode is FailureMode.DELIVERED:
            if lossy and _sent_again(thread, rows, attempts):
                return True
            again = attempts > 1 and _any(self.unplaced_filings, last + shift - _NEAR, last + shift + _NEAR)
            return again or self._copy_in_encounter(thread, shift)
        if lossy and mode in (FailureMode.DELAYED, FailureMode.NEVER_SENT):
            return True
        if lossy and mode is FailureMode.REJECTED and _sent_again(thread, rows, attempts):
            return True
        if mode is FailureMode.DELAYED:
            since = rows[-1].at if rows else last + shift
            return self._is_young(last, offset) or _any(
                self.bare_filings, since - timedelta(seconds=5), since + timedelta(minutes=1)
            )
        if mode is FailureMode.MISPLACED:
            return any(self.weak.is_of_another_client(thread, row) for row in rows if row.what & CODE == _FILED)
        if mode is FailureMode.REJECTED:
            arrived = [row.at for row in rows if row.what & CODE != What.EHR_REJECTED]
            if arrived and max(arrived) - shift > last + timedelta(seconds=30):
                return True  # it arrived once more, and nothing says what became of that
            refused = sum(row.what & CODE == What.EHR_REJECTED for row in rows)
            return refused < attempts and any(row.what & OPEN for row in thread.scribe)
        if mode in (FailureMode.NEVER_SENT, FailureMode.NOT_GENERATED):
            writes = thread.writes()
            if rows:
                return True
            if not writes:
                quiet = self.around.now - last > _NEAR and not _any(
                    self.scribe_times, last + timedelta(microseconds=1), last + _NEAR
                )
                return quiet or _any(self.loose_scribe, last, last + _NEAR)
            near = timedelta(minutes=2)
            return writes[-1][1] in (_SENT, _LOST) and _any(self.loose_scribe, last - near, last + near)
        return False

    def _copy_in_encounter(self, thread: Thread, shift: timedelta) -> bool:
        """Tell whether a document nobody explains was filed to the note's encounter soon after, by its client."""
        return any(
            abs(group.at - shift - thread.scribe[-1].at) <= _NEAR
            and (not thread.client or group.rows[0].origin in ("", thread.client))
            for group in self.unplaced_in.get(thread.encounter, ())
        )

    def _place_unknown(self, thread: Thread, rows: Sequence[Row]) -> bool:
        """Tell whether nothing says that the note was filed where it belongs, though the logs say so as a rule."""
        if not self._traits(thread.hour).tells_place:
            return False
        if thread.encounter is None:
            return True
        return any(row.encounter is None for row in rows if row.what & CODE == _FILED)

    def _traits(self, hour: datetime) -> Traits:
        """Tell what the logs are like around an hour."""
        found = self._by_hour.get(hour)
        if found is None:
            found = self._by_hour[hour] = traits_of(self.scribe_rows, self.ehr_rows, hour)
        return found

    def _sent_within(self, hour: datetime) -> timedelta | None:
        """Give after how long a note of this hour will not be sent any more; None where too few notes tell."""
        lags = sorted(
            writes[0][0].at - thread.begun for thread in self.joiner.notes_around(hour) if (writes := thread.writes())
        )
        return max(SOON_SENT, 5 * lags[len(lags) * 99 // 100]) if len(lags) >= TELLING_NOTES else None


def _sent_again(thread: Thread, rows: Sequence[Row], attempts: int) -> bool:
    """Tell whether anything hints at a further sending of the note, whose rows may be the ones without ids."""
    if attempts > 1 or any(row.attempt is not None and row.attempt > 1 for row in thread.scribe):
        return True
    if any(code == _LOST or row.what & OPEN for row, code in thread.writes()):
        return True
    own = (row for row in thread.scribe if row.what & CODE not in _ASIDE)
    return len({row.request for row in (*own, *rows) if row.request is not None}) > 1


def _times(story: Story, thread: Thread, rows: Sequence[Row], shift: timedelta) -> None:
    """Set the moments of the journey, all on the scribe's clock, and the answer that counts."""
    for row in thread.scribe:
        code = row[1] & CODE
        if code == What.GENERATED:
            story.generated_at = story.generated_at or row.at
        elif code == What.PACKAGED:
            story.packaged_at = story.packaged_at or row.at
        elif code == _SENT:
            story.sent_at = story.sent_at or row.at
        elif _ACCEPTED <= code <= _LOST:
            if code <= _REJECTED and story.accepted_at is None:
                story.accepted_at = row.at
            story.sent_at = story.sent_at or row.at
            story.last_answer = row
    for row in rows:
        code = row[1] & CODE
        at = row.at - shift
        if code == _FILED:
            story.filed_at = story.filed_at or at
        elif code in (What.EHR_ACCEPTED, What.EHR_REJECTED):
            story.accepted_at = story.accepted_at or at
            if code == What.EHR_REJECTED and (
                story.last_answer is None or story.last_answer.what & CODE in (_ACCEPTED, _LOST)
            ):
                story.last_answer = row
        if at > story.last_at:
            story.last_at = at


def _keys(thread: Thread, placed: Placed | None) -> tuple[str, ...]:
    names = [*thread.keys, *([placed.key] if placed and placed.key else [])]
    return tuple(sorted(set(names), key=_ORDER.index))


_ORDER = [*CONFIDENCE, "time"]


def _best(thread: Thread) -> float:
    return max((CONFIDENCE[key] for key in thread.keys), default=CONFIDENCE["transaction_id"])


def _is_document(group: Group) -> bool:
    return group.has(_FILED) and any(row.transaction is not None or row.document is not None for row in group.rows)


def _any(times: Sequence[datetime], first: datetime, last: datetime) -> bool:
    at = bisect_left(times, first)
    return at < len(times) and times[at] <= last


def _place(row: Row) -> tuple[datetime, int]:
    return row.at, row.position


def _at(row: Row) -> datetime:
    return row.at
