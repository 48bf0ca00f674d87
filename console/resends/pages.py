"""What the pages of resends show: the ticket's panel, one resend, a note's attempts."""

import uuid
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses.models import Run
from console.integrations.models import Integration
from console.notes.models import Note
from console.resends.models import (
    HELD_BY_EHR,
    LIVE_STAGES,
    PROBLEMS,
    UNCERTAIN_ITEMS,
    ItemState,
    ResendBatch,
    ResendItem,
    ResendPass,
    Stage,
)
from console.resends.queries import attempts_of, counted, waiting_notes
from console.resends.services import OFF, may_be_looked_for, needs_second
from console.shared.work import OPEN_STATES as OPEN_WORK
from console.shared.work import WorkState
from console.tickets.models import Ticket

POLL_MS = 1000
BATCHES_SHOWN = 10

WAYS = {
    "create": "As a new document",
    "conditional_create": "As a new document, only if the EHR has none with its identifier",
    "append": "As an addendum to the document in the chart",
    "message": "As the same message once more",
    "addendum": "As an addendum message to the document in the chart",
}
STAGE_TONES = {
    Stage.PREPARING: "run", Stage.READY: "", Stage.ASKED: "warn", Stage.SENDING: "run", Stage.PAUSED: "warn",
    Stage.STOPPED: "", Stage.DECLINED: "bad", Stage.DONE: "ok",
}  # fmt: skip


def tone_of(state: str, *, in_chart: bool = False) -> str:
    """Give the colour class of a note's state; that the EHR took it is no proof that it stands in the chart."""
    if in_chart:
        return "ok"
    if state in UNCERTAIN_ITEMS or state in (ItemState.NOT_SENT, ItemState.CHANGED, ItemState.NOT_POSSIBLE):
        return "warn"
    if state == ItemState.REFUSED:
        return "bad"
    return "run" if state in (ItemState.SENDING, ItemState.PLANNING) else ""


class Line:
    """Be one note of a resend."""

    def __init__(self, item: ResendItem, *, looking: bool = False) -> None:
        self.item, self.looking = item, looking
        self.plan: dict[str, Any] = item.plan or {}
        answer: dict[str, Any] = item.answer or {}
        self.says = str(answer.get("says") or "")
        self.reason = str(answer.get("reason") or "")
        self.document_id = str(answer.get("document_id") or "")
        self.request_id = str(answer.get("request_id") or "")

    @property
    def name(self) -> str:
        """Name the note."""
        return self.item.note.external_id

    @property
    def tone(self) -> str:
        """Give the colour class."""
        return tone_of(self.item.state, in_chart=self.item.in_chart)

    @property
    def state(self) -> str:
        """Name the state; what was read back says so."""
        return self._with_sight(ItemState(self.item.state).label)

    @property
    def within(self) -> str:
        """Name the state for the middle of a sentence."""
        return self._with_sight(ItemState(self.item.state).within)

    def _with_sight(self, words: str) -> str:
        if self.item.state not in HELD_BY_EHR:
            return words
        return f"{words}, seen in the chart" if self.item.in_chart else f"{words}, not seen in the chart yet"

    @property
    def way(self) -> str:
        """Say how it goes."""
        return WAYS.get(self.item.way, self.item.way)

    @property
    def answered(self) -> str:
        """Give the EHR's answer: HTTP status and acknowledgement."""
        return " ".join(str(part) for part in (self.item.status, self.item.ack) if part)

    @property
    def may_look(self) -> bool:
        """Tell whether looking again could tell more."""
        return not self.looking and may_be_looked_for(self.item)

    @property
    def has_body(self) -> bool:
        """Tell whether what would be sent is still kept, without opening it."""
        return bool(self.item.__dict__.get("body"))


class BatchPage:
    """Be one resend: read once for a request, with as many queries for one note as for two hundred."""

    def __init__(self, batch: ResendBatch, user: User, *, polled: int = 0) -> None:
        self.batch, self.user, self.polled = batch, user, polled
        held, place = grants(user), batch.facility_id
        self.may_resend = held.has(Right.RESEND_NOTES, place)
        self.may_approve = held.has(Right.APPROVE_RESEND, place)
        self.may_open = held.has(Right.OPEN_PAYLOAD, place)
        self.wrong = ""

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Give the notes in their order."""
        items = list(self.batch.items.select_related("note").order_by("position", "id"))
        looking = {row.item_id for row in self._passes if row.kind == ResendPass.Kind.LOOK}
        for item in items:
            item.batch = self.batch
        return tuple(Line(item, looking=item.id in looking) for item in items)

    @cached_property
    def _passes(self) -> list[ResendPass]:
        return list(self.batch.passes.filter(state__in=OPEN_WORK))

    @property
    def to_send(self) -> tuple[Line, ...]:
        """Give the notes that go out, or went."""
        return tuple(line for line in self.lines if line.item.state != ItemState.NOT_POSSIBLE)

    @property
    def not_possible(self) -> tuple[Line, ...]:
        """Give the notes that cannot be resent, with what to do instead."""
        return tuple(line for line in self.lines if line.item.state == ItemState.NOT_POSSIBLE)

    @property
    def count(self) -> int:
        """Count the notes that the button sends."""
        return sum(line.item.state == ItemState.PLANNED for line in self.lines)

    @cached_property
    def leads_to_resolving(self) -> bool:
        """Tell whether the resend is over and every note of an open ticket has its end."""
        ticket = self.batch.ticket
        if self.batch.stage != Stage.DONE or not ticket.is_open:
            return False
        may = grants(self.user).has(Right.WORK_TICKETS, self.batch.facility_id)
        return may and not waiting_notes(ticket).exists()

    @property
    def left(self) -> int:
        """Count the notes that still wait."""
        return sum(line.item.state in (ItemState.WAITING, ItemState.PLANNING) for line in self.lines)

    @cached_property
    def tally(self) -> list[tuple[int, str, str]]:
        """Count notes by what became of them: (count, words, colour class)."""
        counts = Counter((line.within, line.tone) for line in self.to_send)
        return [(count, words, tone) for (words, tone), count in counts.items()]

    @property
    def stage_tone(self) -> str:
        """Give the colour class of where it stands."""
        if self.batch.stage == Stage.DONE and any(line.item.state in PROBLEMS for line in self.lines):
            return "warn"
        return STAGE_TONES[Stage(self.batch.stage)]

    @property
    def running(self) -> bool:
        """Tell whether a worker has something to do, so that the page asks again."""
        return bool(self._passes)

    @property
    def waits_for_worker(self) -> bool:
        """Tell whether no worker has come yet."""
        return any(row.state == WorkState.QUEUED and row.attempt == 0 and row.fence == 0 for row in self._passes)

    @property
    def next_poll(self) -> int:
        """Count polls: each fragment brings a poller of its own."""
        return self.polled + 1

    @property
    def poll_ms(self) -> int:
        """Give when the page asks again."""
        return POLL_MS

    @property
    def needs_second(self) -> bool:
        """Tell whether pressing the button asks a second person."""
        return needs_second(self.batch) if self.batch.stage == Stage.READY else self.batch.needs_second

    @property
    def in_production(self) -> bool:
        """Tell whether it goes to charts of real patients."""
        return self.batch.integration.environment == Integration.Environment.PRODUCTION

    @property
    def repeats(self) -> int:
        """Count the notes that were sent before and never seen."""
        return sum(line.item.repeats_id is not None for line in self.to_send)

    @property
    def asked_by_me(self) -> bool:
        """Tell whether this person asked for it, and so cannot approve it."""
        return self.batch.requested_by_id == self.user.pk

    @property
    def can_decide(self) -> bool:
        """Tell whether this person's word is waited for."""
        return self.batch.stage == Stage.ASKED and self.may_approve and not self.asked_by_me

    @property
    def may_steer(self) -> bool:
        """Tell whether this person may pause and stop it."""
        return self.may_resend or self.may_approve

    @cached_property
    def still_failing(self) -> str:
        """Give the title of the cause that the newest diagnosis of the ticket still shows."""
        return still_failing(self.batch.ticket)


def still_failing(ticket: Ticket) -> str:
    """Give the cause's title where the newest finished run of the ticket shows one: a resend would fail alike."""
    ended = Run.objects.filter(ticket_id=ticket.pk, state=WorkState.DONE)
    newest = ended.defer("document", "progress").order_by("-created_at", "-id").first()
    if newest is None or not newest.cause:
        return ""
    return ticket.verdict if newest.cause == ticket.cause and ticket.verdict else newest.cause


@dataclass(frozen=True)
class Panel:
    """Be the ticket's section about resending."""

    ticket: Ticket
    user: User

    @cached_property
    def waiting(self) -> int:
        """Count the notes that wait."""
        return waiting_notes(self.ticket).count()

    @property
    def may(self) -> bool:
        """Tell whether this person prepares resends."""
        return grants(self.user).has(Right.RESEND_NOTES, self.ticket.facility_id)

    @cached_property
    def batches(self) -> list[ResendBatch]:
        """Give the ticket's resends, newest first, with their counts."""
        rows = ResendBatch.objects.filter(ticket=self.ticket).select_related("requested_by", "prepared_by")
        return list(counted(rows).order_by("-prepared_at", "-id")[:BATCHES_SHOWN])

    @property
    def told(self) -> list[ResendBatch]:
        """Give those that were more than prepared."""
        return [one for one in self.batches if one.requested_at is not None]

    @property
    def live(self) -> ResendBatch | None:
        """Give the resend that has not ended."""
        return next((one for one in self.batches if one.stage in LIVE_STAGES), None)

    @property
    def prepared(self) -> ResendBatch | None:
        """Give what was prepared and not asked for yet."""
        return next((one for one in self.batches if one.stage in (Stage.PREPARING, Stage.READY)), None)

    @property
    def why_not(self) -> str:
        """Say why nothing can be prepared; empty where it can."""
        if not self.ticket.integration.resend_allowed:
            return OFF
        if not self.waiting:
            return "No note of this ticket waits: there is nothing to resend."
        if not self.may:
            return "Your role does not resend notes."
        return ""

    @cached_property
    def still_failing(self) -> str:
        """Give the cause that the newest diagnosis still shows."""
        return still_failing(self.ticket)

    @cached_property
    def key(self) -> str:
        """Give a word by which a double click prepares once."""
        return uuid.uuid4().hex


@dataclass(frozen=True)
class NoteAttempts:
    """Be the attempts to resend one note, of the tickets a person sees."""

    note: Note
    lines: tuple[Line, ...]


def attempts_page(note: Note, visible_batches: Any) -> NoteAttempts:
    """Read a note's attempts, newest first."""
    rows = attempts_of([note.pk]).filter(batch__in=visible_batches)
    return NoteAttempts(note, tuple(Line(item) for item in rows))
