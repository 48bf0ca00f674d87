"""Hold the rows of one note while they are joined, and the clocks' offset that they show. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from diagnostics.tracing.compact import ALONE, CODE, FAILED, OF_A_WRITE, PENDING, What
from diagnostics.tracing.story import Key, Row, around, hour_of

_SENT, _ACCEPTED, _LOST = int(What.SENT), int(What.ACCEPTED), int(What.LOST)
_TOKENS = (int(What.TOKEN_GRANTED), int(What.TOKEN_REFUSED))
_HOUR = timedelta(hours=1)
_RECEIVED, _DECIDED = int(What.EHR_RECEIVED), (int(What.EHR_ACCEPTED), int(What.EHR_REJECTED))


class Thread:
    """Be a note's rows: the scribe's, the EHR's that ids join, and the EHR's that were joined on weaker grounds."""

    __slots__ = (
        "begun",
        "by_encounter",
        "client",
        "ehr",
        "encounter",
        "hours",
        "id_by_encounter",
        "key",
        "keys",
        "offset",
        "patient",
        "sampled",
        "scribe",
        "site",
        "transaction",
    )  # fmt: skip

    def __init__(self, key: Key, row: Row) -> None:
        self.key = key
        self.scribe: list[Row] = [row]
        self.ehr: list[Row] = []
        self.begun = row[0]
        self.encounter = row[5]
        self.patient = row[6]
        self.transaction = row[3]
        self.keys: list[str] = []
        self.site = row[10]  # the scribe's, and under which client the EHR saw it: whose clocks they are
        self.client = ""
        self.by_encounter = False  # some of the scribe's rows are its own only by their encounter
        self.hours: tuple[datetime, datetime] | None = None
        self.id_by_encounter = False  # so does the id that joins the EHR's
        self.offset: float | None = None
        self.sampled: float | None = None

    @property
    def author(self) -> Key | None:
        """Give who wrote the note, as the scribe's rows name it."""
        return next((row.author for row in self.scribe if row.author is not None), None)

    @property
    def hour(self) -> datetime:
        """Give the full hour in which the note begins."""
        if self.hours is None or self.hours[0] is not self.begun:
            self.hours = self.begun, hour_of(self.begun)
        return self.hours[1]

    @property
    def is_queued(self) -> bool:
        """Tell whether the last answer said that the EHR queued the note."""
        answers = [row for row, code in self.writes() if code != _SENT]
        return bool(answers) and bool(answers[-1].what & PENDING)

    def writes(self) -> list[tuple[Row, int]]:
        """Give the rows about writes with their codes, in order; a token's refusal is no write's."""
        found, token_open = [], False
        for row in self.scribe:
            code = row[1] & CODE
            if code in _TOKENS:
                token_open = True
            elif code == _SENT:
                token_open = False
                found.append((row, code))
            elif _ACCEPTED <= code <= _LOST:
                if token_open and row[1] & FAILED and not row[1] & OF_A_WRITE:
                    token_open = False
                else:
                    found.append((row, code))
        return found


def samples(thread: Thread) -> Iterator[tuple[datetime, float]]:
    """Yield the offset that a note's own rows show, in seconds, by the full hour in which it was sent.

    Only rows around that hour count, so that it is the same however much of the note was loaded beside them.
    """
    if not thread.ehr:
        return
    asked: datetime | None = None
    for row in thread.scribe:
        if row[1] & CODE != _SENT:
            continue
        hour = thread.hour
        if not hour <= row[0] < hour + _HOUR:
            hour = hour_of(row[0])
        if hour != asked:
            asked = hour
            seconds = _shown(*(_within(rows, hour) for rows in (thread.scribe, thread.ehr)))
            if seconds is not None:
                yield hour, seconds


def _within(rows: list[Row], hour: datetime) -> list[Row]:
    first, last = around(hour)
    if not rows or (rows[0][0] >= first and rows[-1][0] < last):
        return rows
    return [row for row in rows if first <= row[0] < last]


def _shown(scribe: list[Row], ehr: list[Row]) -> float | None:
    """Give the offset that rows of one note show, in seconds; None where they do not show it firmly."""
    if not ehr:
        return None
    sent = answered = None
    for row in scribe:
        code = row[1] & CODE
        if code == _SENT:
            if sent is not None:
                return None  # of several sendings nobody can say which one a row answers
            sent = row[0]
        elif _ACCEPTED <= code <= What.REJECTED and row[1] & ALONE:
            if answered is not None:
                return None
            answered = row[0]
    if sent is None or answered is None or answered < sent:
        return None
    arrived = decided = None
    for row in ehr:
        code = row[1] & CODE
        if code == _RECEIVED:
            if arrived is not None:
                return None
            arrived = row[0]
        elif code in _DECIDED:
            if decided is not None:
                return None
            decided = row[0]
    if arrived is None and decided is None:
        return None
    theirs = decided if arrived is None else arrived if decided is None else arrived + (decided - arrived) / 2
    assert theirs is not None
    return round((theirs - (sent + (answered - sent) / 2)).total_seconds(), 3)
