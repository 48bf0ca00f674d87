"""Hold what triage knows of one note, and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from diagnostics.case import Note
from diagnostics.evidence.case_parts import Filed
from diagnostics.evidence.logs import Attempt, EhrRow, ScribeRow
from diagnostics.tracing.match import Match
from diagnostics.vocabulary import FailureMode, Stage


@dataclass(frozen=True)
class Verdict:
    """Hold the table's answer: mode, the stage that broke, why, and what would settle an open question."""

    mode: FailureMode
    broke_at: Stage | None
    says: str
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """Be everything the decision table asks of one note."""

    note: Note
    scribe: Sequence[ScribeRow] | None
    ehr: Sequence[EhrRow] | None
    match: Match
    attempts: tuple[Attempt, ...]
    filed: Filed | None
    now: datetime
    usual_delay: timedelta
    token_failed: bool
    token_asked: bool
    offset: float

    def seen(self, *events: str) -> list[EhrRow]:
        """Return the EHR's rows of the note with one of these events."""
        return [row for row in self.match.ehr if row.event in events]

    @property
    def answered(self) -> list[Attempt]:
        """Return the attempts that got a good answer."""
        return [a for a in self.attempts if a.outcome == "accepted"]

    @property
    def generated(self) -> bool:
        """Tell whether anything shows that the note exists."""
        return bool(self.match.scribe) or self.note.generated_at is not None

    @property
    def ehr_covers(self) -> bool:
        """Tell whether the EHR's log was being written when the note should have arrived, as its other rows show."""
        if not self.ehr:
            return False
        times = [a.at for a in self.attempts] or [row.at for row in self.match.scribe]
        if not times:
            return True
        shift = timedelta(seconds=self.offset)
        first, last = self.ehr[0].at - shift, self.ehr[-1].at - shift
        return first - _WRITTEN <= max(times) and min(times) <= last + _WRITTEN

    @property
    def nameless(self) -> list[EhrRow]:
        """Return rows near an attempt that carry no id at all: nobody can say that they are not this note's."""
        shift = timedelta(seconds=self.offset)
        return [
            row
            for row in self.ehr or ()
            if row.event not in ("token", "change")
            and not (row.transaction_id or row.request_id or row.encounter_id or row.patient_id or row.resource)
            and any(abs(row.at - shift - a.at) <= _NEAR for a in self.attempts)
        ]


_WRITTEN = timedelta(minutes=10)  # a log whose rows end longer before may have stopped being written
_NEAR = timedelta(minutes=2)
