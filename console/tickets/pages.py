"""The ticket page: one object with everything its template and its live fragment show."""

from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses import pages as diagnosis
from console.diagnoses import words
from console.diagnoses.cases import build_case
from console.diagnoses.checklists import in_force, of_ticket
from console.diagnoses.ladder import Ladder, ladder
from console.diagnoses.models import Run
from console.diagnoses.segments import segments_with_workers
from console.diagnoses.verdict import Verdict, remembered, verdict
from console.integrations.models import Segment
from console.shared.work import OPEN_STATES as OPEN_WORK
from console.shared.work import WorkState
from console.tickets.acting import has_canary
from console.tickets.activity import Entry, activity
from console.tickets.alike import Proposal, proposal
from console.tickets.checklist import ItemList, checklist, progress
from console.tickets.confirming import CONFIRMABLE, Proof, proof_of
from console.tickets.models import GRAVE, Severity, Ticket, TicketAction, TicketNote, TicketState, WaitingFor
from console.tickets.note_lines import NoteLine, NoteLines, note_lines
from console.tickets.people import colleagues
from console.tickets.people_page import PeoplePage
from console.tickets.queue import state_words
from console.tickets.related import Related, related
from console.tickets.states import choices
from console.tickets.vendor_answers import VendorPage, vendor_page
from diagnostics.evidence.logs import NoteTrace
from diagnostics.gather import read_parts

QUICK_S = 10
SHOWN_ACTIONS = 6
QUICK_MS, SLOW_MS = 500, 2000


class TicketPage:
    """Read once for a request; parts the template does not ask for cost nothing."""

    def __init__(self, ticket: Ticket, user: User, *, polled: int = 0, notes_page: str = "") -> None:
        self.ticket = ticket
        self.user = user
        self.polled = polled
        self.notes_page = notes_page
        self.run: Run | None = ticket.run
        held = grants(user)
        self.may_work = held.has(Right.WORK_TICKETS, ticket.facility_id) and ticket.merged_into_id is None
        self.may_run = held.has(Right.RUN_DIAGNOSIS, ticket.facility_id) and ticket.merged_into_id is None
        self.may_open_payload = held.has(Right.OPEN_PAYLOAD, ticket.facility_id)

    # -- the run ---------------------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """Tell whether a diagnosis is under way or waits for a worker."""
        return self.run is not None and self.run.state in OPEN_WORK

    @property
    def waits_for_worker(self) -> bool:
        """Tell whether no worker has begun yet."""
        return self.run is not None and self.run.state == WorkState.QUEUED and self.run.attempt == 0

    @property
    def gave_up(self) -> bool:
        """Tell whether the run ended without an answer."""
        return self.run is not None and self.run.state in (WorkState.FAILED, WorkState.GAVE_UP)

    @property
    def delay_ms(self) -> int:
        """Choose when the page asks again: often at first, when most facts arrive."""
        began = (self.run.started_at or self.run.created_at) if self.run else timezone.now()
        return QUICK_MS if (timezone.now() - began).total_seconds() < QUICK_S else SLOW_MS

    @property
    def next_poll(self) -> int:
        """Count polls: each fragment brings a poller of its own, since htmx fires "load" once an element."""
        return self.polled + 1

    @cached_property
    def document(self) -> dict[str, Any] | None:
        """Give the document of the last run, or of what a running one knows so far."""
        if self.run is None:
            return None
        document: dict[str, Any] | None = self.run.progress if self.running else self.run.document
        return document

    @property
    def evidence_gone(self) -> bool:
        """Tell whether the cause was confirmed long ago and what it rested on is no longer kept."""
        known = bool(self.ticket.confirmed_category)
        return known and not self.ticket.is_open and not self.running and self.document is None

    @cached_property
    def journey(self) -> tuple[diagnosis.Stop, ...]:
        """Give the journey picture."""
        document = self.document
        if document is None and (self.running or self.evidence_gone):
            document = {"journey": self.ticket.journey}
        return diagnosis.journey(document)

    @cached_property
    def verdict(self) -> Verdict:
        """Give the conclusion."""
        if self.evidence_gone:
            return remembered(self.ticket.confirmed_category, self.ticket.confirmed_cause)
        return verdict(self.document, running=self.running, gave_up=self.gave_up)

    @cached_property
    def steps(self) -> tuple[diagnosis.StepLine, ...]:
        """Give the six steps."""
        return diagnosis.steps(self.document, running=self.running)

    @cached_property
    def ladder(self) -> Ladder | None:
        """Give the two-log ladder of the ticket's first note."""
        if self.first_note is None:
            return None
        case = build_case(integration=self.ticket.integration, note=self.first_note.row.note, offline=True)
        return ladder(read_parts(case).get(NoteTrace))

    # -- what was tried since ---------------------------------------------------------------------------------------

    @cached_property
    def acted(self) -> tuple[TicketAction, ...]:
        """Give what the console tried last, newest first."""
        return tuple(self.ticket.actions.select_related("by", "run").order_by("-at", "-id")[:SHOWN_ACTIONS])

    @property
    def acting(self) -> bool:
        """Tell whether something that was tried is under way."""
        return any(one.outcome == TicketAction.Outcome.RUNNING for one in self.acted)

    @property
    def polls(self) -> bool:
        """Tell whether the page has something to wait for."""
        return self.running or self.acting

    @cached_property
    def proof(self) -> Proof | None:
        """Give what confirms that the failure is over; nothing is asked while nobody says that it is."""
        return proof_of(self.ticket) if self.acted or self.ticket.state in CONFIRMABLE else None

    @property
    def to_be_confirmed(self) -> bool:
        """Tell whether somebody says that it is fixed and nothing has shown it yet."""
        return self.ticket.state == TicketState.FIXED and self.proof is None

    @cached_property
    def writes_canary(self) -> bool:
        """Tell whether the integration names a test patient."""
        return has_canary(self.ticket)

    @cached_property
    def places(self) -> list[Segment]:
        """Give the segments in which a worker stands now."""
        return segments_with_workers(self.ticket.integration) if self.may_run else []

    # -- the ticket ------------------------------------------------------------------------------------------------

    @cached_property
    def note_lines(self) -> NoteLines:
        """Give one page of the ticket's notes, with exact counts of all."""
        return note_lines(self.ticket, self.notes_page)

    @property
    def notes(self) -> tuple[NoteLine, ...]:
        """Give the notes of that page in the order they were added."""
        return self.note_lines.lines

    @cached_property
    def first_note(self) -> NoteLine | None:
        """Give the ticket's first note, whichever page is shown."""
        shown = self.note_lines if self.note_lines.number == 1 else note_lines(self.ticket)
        return next(iter(shown.lines), None)

    @property
    def waiting_notes(self) -> int:
        """Count the notes that have no end yet."""
        return self.note_lines.waiting

    @cached_property
    def alike(self) -> Proposal:
        """Give the notes that failed like this ticket's and wait on none, to whoever may join them."""
        return proposal(self.user, self.ticket) if self.may_work else Proposal()

    @cached_property
    def related(self) -> Related:
        """Give the incident it is part of, what is part of it, what went into it, and how it was reported."""
        return related(self.user, self.ticket)

    @cached_property
    def lists(self) -> tuple[ItemList, ...]:
        """Give the checklist."""
        return checklist(self.ticket, self.document, self.steps)

    @cached_property
    def further_lists(self) -> list[tuple[str, str]]:
        """Give the checklists that could still be added."""
        held = {template.slug for template in of_ticket(self.ticket.id)}
        return sorted(((t.slug, t.name) for t in in_force().values() if t.slug not in held), key=lambda pair: pair[1])

    @cached_property
    def vendor(self) -> VendorPage:
        """Give the packets sent to the vendor and the answers."""
        return vendor_page(self.ticket)

    @property
    def done(self) -> tuple[int, int]:
        """Count settled and all items of the checklist."""
        return progress(self.lists)

    @property
    def done_percent(self) -> int:
        """Give the checklist's progress for its bar."""
        settled, total = self.done
        return round(100 * settled / total) if total else 0

    @cached_property
    def activity(self) -> tuple[Entry, ...]:
        """Give what happened, newest first."""
        return activity(self.ticket)

    @property
    def integration_words(self) -> str:
        """Name the integration with vendor and protocol."""
        one = self.ticket.integration
        vendor = words.VENDORS.get(one.vendor, one.vendor)
        return f"{one.name} · {vendor} · {words.PROTOCOLS.get(one.protocol, one.protocol)}"

    @property
    def state(self) -> str:
        """Name the ticket's state."""
        return state_words(self.ticket)

    @property
    def tone(self) -> str:
        """Give the colour class of the failure mode."""
        return words.tone(self.ticket.failure_mode)

    @property
    def open_for(self) -> timedelta:
        """Give how long it has been open, or was."""
        return (self.ticket.resolved_at or timezone.now()) - self.ticket.opened_at

    @property
    def target(self) -> timedelta:
        """Give the time it may take."""
        return self.ticket.target_at - self.ticket.opened_at

    @cached_property
    def colleagues(self) -> list[User]:
        """Give the people the ticket can be given to."""
        return list(colleagues(self.ticket))

    @cached_property
    def people(self) -> PeoplePage:
        """Give who watches and looks, the waits, the clock and the person's drafts."""
        return PeoplePage(self.ticket, self.user)

    @property
    def grave(self) -> bool:
        """Tell whether a patient may come to harm by it."""
        return self.ticket.severity in GRAVE

    @property
    def severities(self) -> list[tuple[str, str]]:
        """Give the severities, worst first."""
        return list(Severity.choices)

    @property
    def next_states(self) -> list[TicketState]:
        """Give the states a person may choose now."""
        return choices(self.ticket.state)

    @property
    def waiting_choices(self) -> list[tuple[str, str]]:
        """Give for whom a ticket may wait."""
        return list(WaitingFor.choices)

    @property
    def categories(self) -> list[tuple[str, str]]:
        """Give the categories somebody who disagrees may name."""
        return list(words.CATEGORIES.items())

    @property
    def ends(self) -> list[tuple[str, str]]:
        """Give the ends a note may have."""
        return [choice for choice in TicketNote.End.choices if choice[0] != TicketNote.End.WAITING]

    @property
    def disputed(self) -> bool:
        """Tell whether somebody disagreed with the verdict shown."""
        return any(entry.kind == "disagreed" for entry in self.activity)

    @property
    def concluded_at(self) -> datetime | None:
        """Give when the last run ended."""
        return self.run.finished_at if self.run else None
