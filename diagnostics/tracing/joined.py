"""Join the rows of both logs into one thread a note, by the keys that are ids. Pure.

Strongest first (domain.md section 5): transaction id, request id, the document that an answer named. What no id joins
is left loose, and `weak.py` looks at it by encounter, patient and time. One pass over the rows, one dict a key.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from diagnostics.tracing.compact import CODE, What
from diagnostics.tracing.story import Key, Row, Sample, around
from diagnostics.tracing.thread import Thread, samples

USED_BEFORE = timedelta(minutes=15)  # an EHR row from longer before the note is of an earlier use of its id
USED_AGAIN = timedelta(hours=12)  # one from longer after, with a request that is not the note's, is of a later use
_SENT, _ACCEPTED, _LOST = int(What.SENT), int(What.ACCEPTED), int(What.LOST)
_TOKENS = (int(What.TOKEN_GRANTED), int(What.TOKEN_REFUSED))
_RECEIVED, _DECIDED = int(What.EHR_RECEIVED), (int(What.EHR_ACCEPTED), int(What.EHR_REJECTED))
_FILED, _OTHER = int(What.EHR_FILED), int(What.EHR_OTHER)
APART = timedelta(hours=1)  # between two uses of one id, for time alone to tell them apart


class Joiner:
    """Join the rows of a stretch of time. Rows are sorted by time; equal times keep their order."""

    def __init__(self, scribe: Sequence[Row], ehr: Sequence[Row]) -> None:
        self.notes: dict[Key, Thread] = {}
        self.tokens: list[Row] = []  # token requests that name no note, with the failures that answer them
        self.loose_scribe: list[Row] = []
        self.loose_ehr: list[Row] = []
        self.shared = False
        self._by_transaction: dict[Key, Thread | list[Thread]] = {}
        self._by_request: dict[Key, Thread | list[Thread]] = {}
        self._by_document: dict[Key, Thread] = {}
        self._of_hour: dict[datetime, list[Thread]] | None = None
        self._documents: dict[Key, Thread] = {}  # those that joined rows are about
        self._take_scribe(scribe)
        self._take_ehr(ehr)

    def _take_scribe(self, rows: Sequence[Row]) -> None:
        notes, by_transaction = self.notes, self._by_transaction
        by_request, by_document = self._by_request, self._by_document
        nameless: list[Row] = []
        for row in rows:
            note = row[2]
            if note is None:
                nameless.append(row)
                continue
            thread = notes.get(note)
            if thread is None:
                thread = notes[note] = Thread(note, row)
            else:
                thread.scribe.append(row)
                if thread.encounter is None:
                    thread.encounter = row[5]
                if thread.patient is None:
                    thread.patient = row[6]
                if thread.transaction is None:
                    thread.transaction = row[3]
                if not thread.site:
                    thread.site = row[10]
            for key, index in ((row[3], by_transaction), (row[4], by_request)):
                if key is None:
                    continue
                known = index.get(key)
                if known is None:
                    index[key] = thread
                elif known is not thread:
                    _share(index, key, known, thread)
            if row[8] is not None:
                by_document[row[8]] = thread
        self._take_nameless(nameless)

    def _take_nameless(self, rows: Iterable[Row]) -> None:
        """Place scribe rows without a note id by their other ids; token requests stand beside all notes."""
        touched = set()
        token_open = False
        for row in rows:
            code = row.what & CODE
            if code in _TOKENS:
                self.tokens.append(row)
                token_open = True
                continue
            thread = self._of_transaction(row.transaction, row.at, timedelta())
            if thread is None and row.request is not None:
                thread = self._of_request(row)
            if thread is not None:
                thread.scribe.append(row)
                touched.add(thread.key)
                if row.request is not None:
                    self._by_request.setdefault(row.request, thread)
            elif token_open and code > _ACCEPTED and row.transaction is None:
                self.tokens.append(row)
                token_open = False
            else:
                self.loose_scribe.append(row)
        touched |= self._by_encounter()
        for key in touched:
            thread = self.notes[key]
            thread.scribe.sort(key=_place)
            thread.begun = thread.scribe[0].at
            thread.encounter = next((row.encounter for row in thread.scribe if row.encounter is not None), None)
            thread.patient = next((row.patient for row in thread.scribe if row.patient is not None), None)

    def _by_encounter(self) -> set[Key]:
        """Give rows whose note id is lost to their encounter's note, where it is the only one."""
        wanted = {row.encounter for row in self.loose_scribe if row.encounter is not None}
        if not wanted:
            return set()
        there: dict[Key, list[Thread]] = {}
        for thread in self.notes.values():
            if thread.encounter in wanted:
                there.setdefault(thread.encounter, []).append(thread)
        left, touched = [], set()
        for row in self.loose_scribe:
            found = there.get(row.encounter, [])
            if len(found) == 1 and self._may_be_of(found[0], row):
                thread = found[0]
                thread.scribe.append(row)
                thread.by_encounter = True
                touched.add(thread.key)
                if row.transaction is not None:
                    thread.id_by_encounter |= thread.transaction is None
                    thread.transaction = row.transaction
                    self._by_transaction.setdefault(row.transaction, thread)
                if row.request is not None:
                    self._by_request.setdefault(row.request, thread)
            else:
                left.append(row)
        self.loose_scribe = left
        return touched

    def _may_be_of(self, thread: Thread, row: Row) -> bool:
        """Tell whether a row of the note's encounter may be its own: in its time, and with no other message's id."""
        if not thread.begun <= row.at <= thread.begun + USED_AGAIN:
            return False
        return row.transaction is None or thread.transaction is None or row.transaction == thread.transaction

    def _of_transaction(self, transaction: Key | None, at: datetime, slack: timedelta) -> Thread | None:
        """Give the note of a transaction id; of several, the latest that had begun by then."""
        if transaction is None:
            return None
        known = self._by_transaction.get(transaction)
        if known is None:
            return None
        if not isinstance(known, list):
            return known if known.begun - USED_BEFORE <= at < known.scribe[-1].at + USED_AGAIN else None
        begun = [thread for thread in known if thread.begun <= at + slack]
        return max(begun or known, key=lambda thread: thread.begun) if begun else min(known, key=_begun)

    def _take_ehr(self, rows: Sequence[Row]) -> None:
        """Join by transaction id first: only then is it known whether the systems share these ids at all."""
        by_transaction, left, joined = self._by_transaction, [], 0
        for row in rows:
            if row[1] & CODE == _OTHER:
                continue
            known = by_transaction.get(row[3]) if row[3] is not None else None
            if known is None:
                left.append(row)
                continue
            if isinstance(known, list):
                thread = self._of_several(known, row)
            else:
                thread = None if self._used_again(known, row) or self._contradicts(known, row) else known
            if thread is None or row[0] < thread.begun - USED_BEFORE:
                left.append(row)
            else:
                self._join(thread, row, "transaction_id")
                joined += 1
        self.shared = joined > 0
        touched: set[Key] = set()
        for row in left:
            thread, key = self._of_other_ids(row)
            if thread is None or row[0] < thread.begun - USED_BEFORE:
                self.loose_ehr.append(row)
            else:
                self._join(thread, row, key)
                touched.add(thread.key)
        if self._documents:
            self._by_resource(touched)
        for note in touched:
            self.notes[note].ehr.sort(key=_place)

    def _join(self, thread: Thread, row: Row, key: str) -> None:
        thread.ehr.append(row)
        if not thread.client:
            thread.client = row[10]
        if key not in thread.keys:
            thread.keys.append(key)
        if row[8] is not None:
            self._documents[row[8]] = thread

    def _of_other_ids(self, row: Row) -> tuple[Thread | None, str]:
        """Give the note of a row by request, else by the document that an answer named, and the key."""
        thread, key = None, "request_id"
        if row[4] is not None:
            thread = self._of_request(row)
            if thread is not None and self.shared and row[3] is not None and thread.transaction is not None:
                thread = None  # one request, and another message: of another note in the same request
        if thread is None and row[8] is not None:
            thread, key = self._by_document.get(row[8]), "transaction_id"
        return thread, key

    def _of_several(self, known: list[Thread], row: Row) -> Thread | None:
        """Give the note of an id that several notes used: by time, of several in one time by request or encounter.

        Uses far apart in time do not see each other, so that a part of the rows gives the same answer as all.
        """
        near = [thread for thread in known if thread.begun - USED_BEFORE <= row.at < thread.scribe[-1].at + USED_AGAIN]
        if not near:
            before = [thread for thread in known if thread.begun <= row.at and not self._used_again(thread, row)]
            return max(before, key=_begun, default=None)
        if len(near) == 1:
            return None if self._contradicts(near[0], row) else near[0]
        asked = self._by_request.get(row.request) if row.request is not None else None
        if isinstance(asked, Thread) and asked in near:
            return asked
        here = [thread for thread in near if row.encounter is not None and row.encounter == thread.encounter]
        fitting = here or [
            thread
            for thread in near
            if (row.encounter is None or thread.encounter is None)
            and (row.request is None or not _has_requests(thread))
        ]
        fitting.sort(key=_begun)
        if len(fitting) > 1 and fitting[-1].begun - fitting[-2].begun < APART:
            return None
        return fitting[-1] if fitting else None

    def _of_request(self, row: Row) -> Thread | None:
        """Give the note of a request id; of several notes in one request, the one whose encounter the row names."""
        known = self._by_request.get(row.request)
        if not isinstance(known, list):
            return known
        near = [thread for thread in known if row.encounter is not None and row.encounter == thread.encounter]
        return near[0] if len(near) == 1 else None

    def _used_again(self, thread: Thread, row: Row) -> bool:
        """Tell whether a row so long after a note is of a later use of its id: of none of its own requests."""
        if row[0] < thread.scribe[-1][0] + USED_AGAIN or (row[4] is None and row[5] is None):
            return False
        if row[5] is not None and row[5] == thread.encounter:
            return False
        return row[4] is None or self._by_request.get(row[4]) is not thread

    def _contradicts(self, thread: Thread, row: Row) -> bool:
        """Tell whether a row of another encounter is about a request that the note did not make.

        Then two senders count their messages alike; a note that was filed elsewhere names its own request, or none.
        """
        if row[5] is None or thread.encounter is None or row[5] == thread.encounter or row[4] is None:
            return False
        return self._by_request.get(row[4]) is not thread and _has_requests(thread)

    def _by_resource(self, touched: set[Key]) -> None:
        """Add rows about the same document that lost their ids: a filer's row often carries only the document."""
        left = []
        for row in self.loose_ehr:
            thread = self._documents.get(row[8]) if row[8] is not None and row[3] is None and row[4] is None else None
            if thread is None or row[0] < thread.begun - USED_BEFORE:
                left.append(row)
            else:
                thread.ehr.append(row)
                touched.add(thread.key)
        self.loose_ehr = left

    def notes_around(self, hour: datetime) -> list[Thread]:
        """Give the notes that began in an hour or within the margin on both sides of it."""
        if self._of_hour is None:
            self._of_hour = {}
            for thread in self.notes.values():
                self._of_hour.setdefault(thread.hour, []).append(thread)
        first, last = around(hour)
        step = timedelta(hours=1)
        near = (thread for at in (hour - step, hour, hour + step) for thread in self._of_hour.get(at, ()))
        return [thread for thread in near if first <= thread.begun < last]

    def samples(self) -> Iterator[Sample]:
        """Yield the clocks' offset that each note with one answered write and the EHR's rows of it shows, by its hour.

        The midpoint of arrival and decision against that of sending and answer, so that latency cancels out.
        """
        for thread in self.notes.values():
            for hour, seconds in samples(thread):
                if hour == thread.hour:
                    thread.sampled = seconds
                yield Sample(thread.key, thread.site, thread.client, hour, seconds)


def _share(index: dict[Key, Thread | list[Thread]], key: Key, known: Thread | list[Thread], thread: Thread) -> None:
    """Keep all notes of an id that was used more than once."""
    if isinstance(known, list):
        if thread not in known:
            known.append(thread)
    else:
        index[key] = [known, thread]


def _has_requests(thread: Thread) -> bool:
    return any(row[4] is not None for row in thread.scribe)


def _place(row: Row) -> tuple[datetime, int]:
    return row.at, row.position


def _begun(thread: Thread) -> datetime:
    return thread.begun
