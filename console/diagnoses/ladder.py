"""Lay out the two-log ladder: what the AI scribe sent, what the EHR's audit trail says of it, on one clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from diagnostics.evidence.logs import Attempt, NoteTrace

SCRIBE_Y, EHR_Y, MIDDLE_Y = 22, 122, 72
LEFT, RIGHT = 84, 286
SHOWN_ATTEMPTS = 6

_KEYS = {
    "transaction_id": "transaction id",
    "request_id": "request id",
    "note_id": "note id",
    "encounter_id": "encounter id",
    "patient_id": "patient",
    "time": "time",
}


@dataclass(frozen=True)
class Rung:
    """Be one column: a dot or an exchange, with its positions in the picture."""

    x: int
    kind: str  # dot, filed, sent
    tone: str  # ok, bad or empty
    text: str
    tick: str
    arrives: bool = False
    answered: bool = False

    @property
    def there(self) -> int:
        """Give where a message reaches the other lane."""
        return self.x + 10

    @property
    def back(self) -> int:
        """Give where its answer returns."""
        return self.x + 20

    @property
    def middle(self) -> int:
        """Give where a message that never arrived ends."""
        return self.x + 5


@dataclass(frozen=True)
class RawRow:
    """Be one log row in words; no identifier and no text of the note."""

    at: datetime
    log: str
    event: str
    answer: str


@dataclass(frozen=True)
class Ladder:
    """Be the picture, its sentence for those who do not see it, and the rows behind it."""

    rungs: tuple[Rung, ...]
    sentence: str
    note: str
    rows: tuple[RawRow, ...]
    hidden_attempts: int = 0


def ladder(trace: NoteTrace | None) -> Ladder | None:
    """Lay out the trace of one note; None where neither log has a row of it."""
    if trace is None or not (trace.rows or trace.ehr_rows):
        return None
    offset = timedelta(seconds=trace.clock_offset_s or 0.0)
    events: list[tuple[datetime, str, str, str, Attempt | None]] = [
        (row.at, "dot", "ok", row.event, None) for row in trace.rows if row.event == "generated"
    ]
    shown, hidden = _shown(trace.attempts)
    events += [(a.at, "sent", _tone(a), _answer(a), a) for a in shown]
    if not trace.attempts:
        events += [(t.at, "dot", "bad", "token refused", None) for t in trace.tokens if not t.ok][-3:]
    events += [(row.at - offset, "filed", "ok", "filed", None) for row in trace.ehr_rows if row.event == "filed"][:3]
    events.sort(key=lambda event: event[0])
    gap = (RIGHT - LEFT) / max(1, len(events) - 1)
    rungs, before = [], None
    for index, (at, kind, tone, text, attempt) in enumerate(events):
        x = round(LEFT + gap * index) if len(events) > 1 else LEFT
        arrives = attempt is not None and attempt.outcome != "unreached"
        answered = attempt is not None and attempt.outcome in ("accepted", "rejected")
        rungs.append(Rung(x, kind, tone, text, _tick(at, before), arrives, answered))
        before = at
    return Ladder(tuple(rungs), _sentence(trace), _note(trace), _rows(trace, offset), hidden)


def _shown(attempts: Sequence[Attempt]) -> tuple[list[Attempt], int]:
    if len(attempts) <= SHOWN_ATTEMPTS:
        return list(attempts), 0
    kept = [*attempts[:2], *attempts[-(SHOWN_ATTEMPTS - 2) :]]
    return kept, len(attempts) - len(kept)


def _tone(attempt: Attempt) -> str:
    return {"accepted": "ok", "pending": ""}.get(attempt.outcome, "bad")


def _answer(attempt: Attempt) -> str:
    if attempt.outcome == "unreached":
        return "no connection"
    if attempt.outcome == "lost":
        return "no answer"
    if attempt.status is not None:
        return str(attempt.status)
    return attempt.ack or ("" if attempt.outcome == "pending" else attempt.outcome)


def _tick(at: datetime, before: datetime | None) -> str:
    local = timezone.localtime(at)
    if before is None:
        return local.strftime("%H:%M:%S")
    earlier = timezone.localtime(before)
    if local.replace(microsecond=0) == earlier.replace(microsecond=0):
        return ""
    same_minute = local.replace(second=0, microsecond=0) == earlier.replace(second=0, microsecond=0)
    return local.strftime(":%S") if same_minute else local.strftime("%H:%M:%S")


def _sentence(trace: NoteTrace) -> str:
    parts = []
    if trace.attempts:
        answers = ", ".join(dict.fromkeys(_answer(a) or "pending" for a in trace.attempts))
        times = "once" if len(trace.attempts) == 1 else f"{len(trace.attempts)} times"
        parts.append(f"The AI scribe sent the note {times}; answers: {answers}.")
    elif trace.rows:
        parts.append("The AI scribe never sent the note.")
    else:
        parts.append("The AI scribe's log has no row of this note.")
    filed = sum(row.event == "filed" for row in trace.ehr_rows)
    if filed:
        parts.append("The EHR filed it." if filed == 1 else f"The EHR filed it {filed} times.")
    elif trace.ehr_rows:
        parts.append("The EHR filed nothing.")
    else:
        parts.append("The EHR's audit trail has no row of it.")
    return " ".join(parts)


def _note(trace: NoteTrace) -> str:
    parts = []
    if trace.clock_offset_s is not None:
        parts.append(
            "clocks agree"
            if abs(trace.clock_offset_s) < 0.05
            else f"clock offset {trace.clock_offset_s:+.1f} s, corrected"
        )
    elif trace.ehr_rows:
        parts.append("clock offset not known")
    if trace.keys and trace.ehr_rows:
        parts.append("matched by " + _KEYS.get(trace.keys[0], trace.keys[0].replace("_", " ")))
    return " · ".join(parts)


def _rows(trace: NoteTrace, offset: timedelta) -> tuple[RawRow, ...]:
    rows = [RawRow(r.at, "AI scribe", r.event, _plain(r.status, r.ack)) for r in trace.rows]
    rows += [RawRow(r.at - offset, "EHR", r.event, _plain(r.status, r.ack)) for r in trace.ehr_rows]
    return tuple(sorted(rows, key=lambda row: row.at))


def _plain(status: object, ack: str | None) -> str:
    return " ".join(str(part) for part in (status, ack) if part not in (None, ""))
