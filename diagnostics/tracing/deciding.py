"""Let the engine's decision table speak for many notes at once: each distinct story is decided once. Pure.

A note's rows are reduced to a *shape*: what they say, in order, and how their ids relate. The table (`triage.decide`)
sees only what the shape holds, so two notes of one shape have one answer. Where time still matters, because the note
is young, nothing is remembered.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from diagnostics.case import Note
from diagnostics.evidence.logs import EhrRow, ScribeRow
from diagnostics.tracing.attempts import numbered, pair
from diagnostics.tracing.compact import ALONE, CODE, FAILED, OF_A_WRITE, PENDING, What
from diagnostics.tracing.known import Known, Verdict
from diagnostics.tracing.match import Match
from diagnostics.tracing.story import Key, Row
from diagnostics.tracing.thread import Thread
from diagnostics.tracing.triage import GRACE, decide, tokens_failed

_FILED, _SENT = int(What.EHR_FILED), int(What.SENT)
_EVENTS = {
    What.GENERATED: "generated", What.PACKAGED: "packaged", What.QUEUED: "queued", What.TOKEN_GRANTED: "token",
    What.TOKEN_REFUSED: "token", What.SENT: "sent", What.READ: "sent", What.OTHER: "queued",
}  # fmt: skip
_ANSWERS: dict[int, tuple[int | None, str | None]] = {
    What.ACCEPTED: (201, None), What.REJECTED: (422, "refused"), What.UNREACHED: (None, "connection refused"),
    What.LOST: (None, "read timed out"),
}  # fmt: skip
_EHR_EVENTS = {
    What.EHR_RECEIVED: "received", What.EHR_ACCEPTED: "accepted", What.EHR_REJECTED: "rejected",
    What.EHR_FILED: "filed",
}  # fmt: skip
_THE_NOTE = Note(id="n")


@dataclass(frozen=True)
class Around:
    """Be what the table asks beyond a note's own rows: the logs at hand, the time, the vendor's usual delay."""

    now: datetime
    has_scribe: bool
    has_ehr: bool
    logs_filing: bool
    usual_delay: timedelta


@dataclass(frozen=True)
class Doubts:
    """Be what the neighbours say of a note: rows that may be its own, a log that was not written."""

    ambiguous: bool = False
    nameless: bool = False  # rows without any id stand near an attempt
    overdue: bool = False  # younger than the time of grace, and yet later than this log's notes are ever sent
    covered: bool = True  # the EHR's log was being written when the note should have arrived
    tokens: tuple[Row, ...] = ()


@dataclass
class Decider:
    """Decide threads; remember each shape's verdict for as long as this object lives."""

    around: Around
    seen: dict[Any, tuple[Verdict, int]] = field(default_factory=dict)

    def decide(
        self, thread: Thread, ehr: Sequence[Row], offset: float, doubts: Doubts | None = None
    ) -> tuple[Verdict, int]:
        """Give the table's verdict on a note with these rows of the EHR, and its number of attempts."""
        if doubts is not None and doubts.overdue:
            return self._ask(thread, ehr, offset, doubts)
        last = max(thread.scribe[-1].at, ehr[-1].at - timedelta(seconds=offset)) if ehr else thread.scribe[-1].at
        settled = self.around.now - last > max(GRACE, self.around.usual_delay) + timedelta(minutes=1)
        if not settled:
            return self._ask(thread, ehr, offset, doubts or Doubts())
        shape = (_shape_of(thread), tuple(_ehr_part(thread, ehr)) if ehr else (), doubts and _doubt_part(doubts))
        found = self.seen.get(shape)
        if found is None:
            found = self.seen[shape] = self._ask(thread, ehr, offset, doubts or Doubts())
        return found

    def _ask(self, thread: Thread, ehr: Sequence[Row], offset: float, doubts: Doubts) -> tuple[Verdict, int]:
        """Put the note to the table, its ids replaced by how they relate."""
        scribe = _scribe_rows(thread, doubts.tokens)
        rows = tuple(_ehr_rows(thread, ehr))
        attempts, tokens = pair(scribe)
        attempts = numbered(attempts)
        log: list[EhrRow] | None = None
        if self.around.has_ehr:
            log = [*rows]
            shift = timedelta(seconds=offset)
            if doubts.covered:
                log += [EhrRow(at=row.at + shift, event="change") for row in thread.scribe]
            if self.around.logs_filing:
                log.append(EhrRow(at=thread.begun - timedelta(days=300), event="filed", transaction_id="other"))
            if doubts.nameless:
                log += [EhrRow(at=attempt.at + shift, event="received") for attempt in attempts]
            log.sort(key=_at)
        known = Known(
            note=_THE_NOTE,
            scribe=scribe if self.around.has_scribe else None,
            ehr=log,
            match=Match(scribe, rows, tuple(thread.keys), 1.0, doubts.ambiguous),
            attempts=attempts,
            filed=None,
            now=self.around.now + (GRACE if doubts.overdue else timedelta()),
            usual_delay=self.around.usual_delay,
            token_failed=tokens_failed(tokens),
            token_asked=bool(tokens),
            offset=offset,
        )
        return decide(known), len(attempts)


def _shape_of(thread: Thread) -> tuple[Any, ...]:
    """Give what the scribe's rows say in order; with several sendings also which answers belong to which."""
    whats = tuple([row[1] for row in thread.scribe])
    if sum(what & CODE == _SENT for what in whats) < 2 and not _answer_first(whats):
        return whats
    numbers: dict[Key, int] = {}
    return tuple(
        (
            row.what,
            row.request and numbers.setdefault(("r", row.request), len(numbers)),
            row.transaction and numbers.setdefault(("t", row.transaction), len(numbers)),
            row.attempt,
        )
        for row in thread.scribe
    )


def _answer_first(whats: Sequence[int]) -> bool:
    """Tell whether an answer stands before the first sending: then it matters whose answer it is."""
    for what in whats:
        code = what & CODE
        if code == _SENT:
            return False
        if What.ACCEPTED <= code <= What.LOST:
            return True
    return False


def _doubt_part(doubts: Doubts) -> tuple[Any, ...]:
    return doubts.ambiguous, doubts.nameless, doubts.covered, tuple(row.what for row in doubts.tokens)


def _ehr_part(thread: Thread, rows: Sequence[Row]) -> list[Any]:
    """Give what the EHR's rows say: each with whether patient and encounter are the note's; filings by document."""
    encounter, patient = thread.encounter, thread.patient
    part: list[Any] = [
        row[1]
        | (1024 if row[6] is not None and patient is not None and row[6] != patient else 0)
        | (2048 if row[5] is not None and encounter is not None and row[5] != encounter else 0)
        for row in rows
    ]
    filed = [row for row in rows if row[1] & CODE == _FILED]
    if len(filed) > 1:
        numbers: dict[Any, int] = {}
        for row in filed:
            document = row.document if row.document is not None else row.transaction
            part.append(
                (
                    row.document is not None,
                    document is not None and numbers.setdefault(("d", document), len(numbers)),
                    row.content is not None and numbers.setdefault(("c", row.content), len(numbers)),
                    row.request is not None and numbers.setdefault(("r", row.request), len(numbers)),
                )
            )
    return part


def _scribe_rows(thread: Thread, tokens: Sequence[Row]) -> tuple[ScribeRow, ...]:
    """Spell the scribe's rows out again, ids replaced by numbers."""
    numbers: dict[Any, str] = {}
    rows = sorted([*thread.scribe, *tokens], key=_at) if tokens else thread.scribe
    return tuple(_scribe_row(thread, row, numbers) for row in rows)


def _scribe_row(thread: Thread, row: Row, numbers: dict[Any, str]) -> ScribeRow:
    code = What(row.what & CODE)
    request = numbers.setdefault(("r", row.request), f"r{len(numbers)}") if row.request is not None else None
    transaction = (
        numbers.setdefault(("t", row.transaction), f"t{len(numbers)}") if row.transaction is not None else None
    )
    status, error, ack, url = None, None, None, None
    if code in _ANSWERS:
        event = "failed" if row.what & FAILED else "acked"
        status, error = _ANSWERS[code]
        if row.what & PENDING:
            status = 202
        if code == What.REJECTED and event == "acked":
            ack, status = "AE", None
        if code == What.ACCEPTED and event == "failed":  # a good acknowledgement under a wrong name
            ack, status = "CA" if row.what & PENDING else "AA", None
        elif code == What.ACCEPTED and not row.what & ALONE:
            status = None
        url = "https://ehr.example/" if row.what & ALONE and status is None and ack is None else None
    else:
        event = _EVENTS[code]
    if code == What.TOKEN_GRANTED:
        status = 200
    elif code == What.TOKEN_REFUSED:
        status = 401
    method = "GET" if code == What.READ else "POST" if row.what & OF_A_WRITE or code == What.SENT else None
    return ScribeRow(
        at=row.at, event=event, note_id="n" if row.note is not None else None, transaction_id=transaction,
        request_id=request, encounter_id=None if thread.encounter is None else "e",
        patient_id=None if thread.patient is None else "p", method=method, url=url, status=status, ack=ack,
        attempt=row.attempt, error=error,
    )  # fmt: skip


def _ehr_rows(thread: Thread, rows: Sequence[Row]) -> list[EhrRow]:
    numbers: dict[Any, str] = {}

    def numbered_as(kind: str, key: Key | None) -> str | None:
        return None if key is None else numbers.setdefault((kind, key), f"{kind}{len(numbers)}")

    spelled = []
    for row in rows:
        content = numbered_as("c", row.content)
        spelled.append(
            EhrRow(
                at=row.at,
                event=_EHR_EVENTS.get(What(row.what & CODE), "change"),
                transaction_id=numbered_as("t", row.transaction),
                request_id=numbered_as("r", row.request),
                resource=None if row.document is None else f"Document/{numbered_as('d', row.document)}",
                encounter_id=_related(row.encounter, thread.encounter, "e"),
                patient_id=_related(row.patient, thread.patient, "p"),
                fields=None if content is None else {"field": content},
                status="queued" if row.what & PENDING else None,
            )
        )
    return spelled


def _related(found: Key | None, own: Key | None, name: str) -> str | None:
    if found is None:
        return None
    return name if own is None or found == own else f"another-{name}"


def _at(row: Any) -> datetime:
    at: datetime = row.at
    return at
