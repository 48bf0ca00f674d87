"""The page of one note: what became of it, told from both logs as the diagnosis would tell it."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from urllib.parse import urlsplit

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses import pages as diagnosis
from console.diagnoses.cases import build_case
from console.diagnoses.ladder import Ladder, ladder
from console.notes.log_rows import mask
from console.notes.models import ClockOffset, End, Note, NoteEnd, Trace
from console.tickets.access import visible
from console.tickets.duplicates import Match, Sought, duplicates
from console.tickets.joining import can_join
from console.tickets.models import OPEN_STATES, Ticket
from console.worklist import words
from console.worklist.failures import Alike, alike_of
from console.worklist.gaps import Gap, gaps_in
from console.worklist.lines import stand_in
from console.worklist.waiting_page import ENDS
from diagnostics.evidence.logs import Attempt, NoteTrace
from diagnostics.gather import read_parts
from diagnostics.remembering import forget

NOTICED_S = 0.05  # clocks that differ by less agree


@dataclass(frozen=True)
class AttemptLine:
    """Be one attempt to write the note; the host alone of its address, the answer's text masked."""

    number: int
    at: datetime
    where: str
    answer: str
    tone: str
    took: str
    says: str


@dataclass(frozen=True)
class KeyLine:
    """Be one key that joined the logs, and what it means."""

    name: str
    means: str


@dataclass(frozen=True)
class Candidate:
    """Be a row that could be this note's as well as another's."""

    at: datetime
    event: str
    client: str
    answer: str


class NotePage:
    """Read once for a request; parts the template does not ask for cost nothing."""

    def __init__(self, note: Note, user: User) -> None:
        self.note = note
        self.user = user
        held = grants(user)
        self.may_work = held.has(Right.WORK_TICKETS, note.facility_id)
        self.may_open = held.has(Right.OPEN_PAYLOAD, note.facility_id)
        self.stored: Trace | None = note.trace if hasattr(note, "trace") else None
        self.ends_offered = tuple(ENDS)

    # -- what the logs say -------------------------------------------------------------------------------------------

    @cached_property
    def told(self) -> NoteTrace | None:
        """Give the engine's trace of this note's rows: the very function that a diagnosis uses."""
        case = build_case(integration=self.note.integration, note=self.note, offline=True)
        try:
            return read_parts(case).get(NoteTrace)
        finally:
            forget()

    @property
    def mode(self) -> str:
        """Give what became of the note."""
        return str(self.told.failure_mode) if self.told else self.note.failure_mode

    @property
    def confidence(self) -> float:
        """Give how sure that is, 0 to 1; what lies around the note may take from what its own rows say."""
        own = self.told.confidence if self.told else 0.0
        return self.stored.confidence if self.stored is not None and self.is_doubted else own

    @property
    def is_doubted(self) -> bool:
        """Tell whether the note's neighbours leave less certain what its own rows say."""
        told, stored = self.told, self.stored
        return (
            told is not None
            and stored is not None
            and stored.failure_mode == str(told.failure_mode)
            and stored.confidence < min(told.confidence, words.GOOD)
        )

    @property
    def has_rows(self) -> bool:
        """Tell whether either log has a row of the note."""
        return self.told is not None and bool(self.told.rows or self.told.ehr_rows or self.told.candidates)

    @property
    def at(self) -> datetime:
        """Give when the note came into being, as far as it is known."""
        return self.stored.born_at if self.stored else self.note.generated_at or self.note.created_at

    @property
    def pill(self) -> str:
        """Name what became of the note."""
        return words.pill(self.mode, self.confidence if self.has_rows else 1.0)

    @property
    def tone(self) -> str:
        """Give the pill's colour class."""
        return words.pill_tone(self.mode, self.confidence if self.has_rows else 1.0)

    @property
    def sentence(self) -> str:
        """Say what became of the note; the engine's own words where it has some."""
        plain = words.sentence(self.mode, self.confidence if self.has_rows else 1.0)
        says = self.told.says if self.told else ""
        return f"{plain} {says}" if says and says.rstrip(".") not in plain else plain

    @property
    def sureness(self) -> str:
        """Put the confidence in a word."""
        return words.sureness(self.confidence)

    @property
    def percent(self) -> int:
        """Give the confidence in percent."""
        return round(100 * self.confidence)

    @cached_property
    def gap(self) -> Gap | None:
        """Give the silence that keeps this note from being judged."""
        gap = gaps_in({self.note.facility_id}).get(self.note.integration_id)
        last = self.stored.last_at if self.stored else self.at
        return gap if gap is not None and gap.leaves_open(self.mode, last) else None

    @cached_property
    def journey(self) -> tuple[diagnosis.Stop, ...]:
        """Give the journey picture."""
        stages = self.told.journey if self.told else ()
        given = [{"stage": str(one.stage), "state": str(one.state), "at": one.at, "says": one.says} for one in stages]
        return diagnosis.journey({"journey": given} if given else None)

    @cached_property
    def ladder(self) -> Ladder | None:
        """Give the two-log ladder on one clock."""
        return ladder(self.told)

    @cached_property
    def keys(self) -> tuple[KeyLine, ...]:
        """Give what joined the logs, strongest first."""
        names = self.told.keys if self.told else ()
        return tuple(KeyLine(*words.KEYS.get(name, (name.replace("_", " ").capitalize(), ""))) for name in names)

    @cached_property
    def candidates(self) -> tuple[Candidate, ...]:
        """Give the rows of which nobody can say whether they are this note's."""
        rows = self.told.candidates if self.told else ()
        return tuple(
            Candidate(row.at - self._shift, row.event, row.client_id or "", str(row.status or row.ack or ""))
            for row in rows
        )

    @property
    def _shift(self) -> timedelta:
        return timedelta(seconds=(self.told.clock_offset_s or 0.0) if self.told else 0.0)

    @cached_property
    def attempts(self) -> tuple[AttemptLine, ...]:
        """Give the attempts to write the note, in time order."""
        return tuple(_attempt(number, one) for number, one in enumerate(self.told.attempts if self.told else (), 1))

    @cached_property
    def clock_says(self) -> str:
        """Say how the EHR's clock stood to the scribe's, and how many notes show it."""
        row = self._offset
        seconds = row.seconds if row else self.told.clock_offset_s if self.told else None
        if seconds is None:
            return "How the two clocks stand to each other is not known yet." if self.has_rows else ""
        told = f"; from {row.pairs} {'note' if row.pairs == 1 else 'notes'} of that hour" if row else ""
        if abs(seconds) < NOTICED_S:
            return f"Both clocks agree{told}."
        way = "ahead" if seconds > 0 else "behind"
        return f"EHR clock {_length(abs(seconds))} {way}, corrected{told}."

    @cached_property
    def _offset(self) -> ClockOffset | None:
        if self.stored is None:
            return None
        hour = self.stored.born_at.replace(minute=0, second=0, microsecond=0)
        return ClockOffset.objects.filter(
            integration=self.note.integration_id, site=self.stored.site, client=self.stored.client, hour=hour
        ).first()

    # -- what people did ---------------------------------------------------------------------------------------------

    @cached_property
    def tickets(self) -> tuple[Ticket, ...]:
        """Give the tickets that hold this note and that the person sees, open ones first."""
        rows = visible(self.user).filter(ticket_notes__note=self.note).select_related("owner")
        return tuple(sorted(rows.order_by("-opened_at", "-id"), key=lambda ticket: ticket.state not in OPEN_STATES))

    @property
    def open_ticket(self) -> Ticket | None:
        """Give the open ticket that holds this note."""
        return next((ticket for ticket in self.tickets if ticket.state in OPEN_STATES), None)

    @cached_property
    def matches(self) -> tuple[Match, ...]:
        """Give the open tickets that may be about the same failure and take this note, where none holds it yet."""
        if not self.may_work or self.open_ticket is not None or self.mode == "delivered":
            return ()
        signature = self.stored.signature if self.stored is not None else ""
        sought = Sought(integration_id=self.note.integration_id, signature=signature)
        found = duplicates(visible(self.user, Right.WORK_TICKETS), sought)
        return tuple(match for match in found if match.is_strong and can_join(match.ticket, [self.note]))

    @cached_property
    def alike(self) -> Alike | None:
        """Give the notes that failed alike in the last days, where this one failed."""
        if self.stored is None or self.mode == "delivered":
            return None
        return alike_of(self.user, self.stored)

    @cached_property
    def ends(self) -> Sequence[NoteEnd]:
        """Give what was said of its end, newest first."""
        return list(NoteEnd.objects.filter(note=self.note).select_related("by"))

    @property
    def end(self) -> NoteEnd | None:
        """Give the end in force."""
        newest = self.ends[0] if self.ends else None
        return newest if newest is not None and newest.how != End.OPEN else None

    @property
    def waits(self) -> bool:
        """Tell whether somebody still has to say how it ended."""
        weak = self.mode == "delivered" and self.confidence < words.GOOD
        return self.end is None and (self.mode != "delivered" or weak)

    @property
    def has_content(self) -> bool:
        """Tell whether the note's text is kept, without opening it."""
        return bool(self.note.payload_name or self.note.__dict__.get("narrative"))

    @cached_property
    def key(self) -> str:
        """Give a word by which a double click opens one ticket."""
        return uuid.uuid4().hex

    @property
    def trace(self) -> Trace:
        """Give the stored trace, or one that says what the note itself knows."""
        return self.stored or stand_in(self.note)


def _attempt(number: int, one: Attempt) -> AttemptLine:
    answered = one.answer is not None
    if one.outcome == "unreached":
        answer, tone = "no connection", "bad"
    elif one.outcome == "lost":
        answer, tone = "no answer", "bad"
    elif one.outcome == "pending":
        answer, tone = "no answer yet", ""
    else:
        answer = " ".join(str(part) for part in (one.status, one.ack) if part not in (None, "")) or one.outcome
        tone = "ok" if one.outcome == "accepted" else "bad"
    seconds = None
    if one.answer is not None and one.answer.latency_ms is not None:
        seconds = one.answer.latency_ms / 1000
    elif one.answer is not None and one.outcome != "lost":
        seconds = (one.answer.at - one.at).total_seconds()
    return AttemptLine(
        number=number,
        at=one.at,
        where=_where(one.url, one.sent.method),
        answer=answer,
        tone=tone,
        took=_length(seconds) if answered and seconds is not None and seconds >= 0 else "",
        says=mask(one.error) if one.error else "",
    )


def _where(url: str | None, method: str | None) -> str:
    """Name the server: a path may hold ids."""
    try:
        host = urlsplit(url or "").netloc.rpartition("@")[2]
    except ValueError:
        host = ""
    return " ".join(part for part in (method or "", host) if part)


def _length(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms" if seconds < 0.1 else f"{seconds:.1f} s"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
