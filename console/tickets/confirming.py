"""Whether a fix worked, and what says so: a diagnosis made after it, or the notes seen in the chart."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from console.accounts.models import User
from console.diagnoses.models import Run
from console.tickets.acting import confirm
from console.tickets.models import Confirmation, Ticket, TicketAction, TicketNote, TicketState
from console.tickets.moves import TicketError
from console.tickets.outcomes import Beside, beside

CONFIRMABLE = (TicketState.FIXED, TicketState.RESOLVED, TicketState.CLOSED)


@dataclass(frozen=True)
class Proof:
    """Be what says that a failure is over: how, in a sentence, and since when."""

    how: Confirmation
    says: str
    at: datetime | None


def proof_of(ticket: Ticket) -> Proof | None:
    """Give what confirms that the failure is over, or None: a passed run counts more than one note seen."""
    if ticket.confirmation == Confirmation.RUN:
        return Proof(Confirmation.RUN, "A diagnosis made after the fix passed.", ticket.confirmed_at)
    seen = ticket.ticket_notes.filter(end=TicketNote.End.IN_CHART).select_related("ended_by", "note")
    last = seen.order_by("-ended_at", "-id").first()
    if last is not None:
        who = f" by {last.ended_by}" if last.ended_by else ""
        count = seen.count()
        notes = f"Note {last.note.external_id} was" if count == 1 else f"{count} notes were"
        return Proof(Confirmation.CHART, f"{notes} seen in the chart{who}.", last.ended_at)
    return None


def settle(ticket: Ticket, *, by: User, seen: bool, because: str) -> bool:
    """Write down what confirms the fix as the ticket is resolved; tell whether nothing does and a reason stands in.

    `seen` says that a person saw the outcome in the chart on a ticket that holds no note.
    """
    proof = proof_of(ticket)
    if proof is not None and proof.how == Confirmation.RUN:
        return False
    if proof is not None or seen:
        confirm(ticket, Confirmation.CHART, by=by)
        return False
    if not because.strip():
        raise TicketError(
            "Nothing confirms the fix yet: no diagnosis passed since, and no note was seen in the chart. "
            "Press “Confirm the fix” on the ticket, or say why it is resolved all the same."
        )
    confirm(ticket, Confirmation.NONE, by=by)
    return True


class BeforeAndAfter:
    """Read once for a request: the diagnosis that found the cause, and the newest one that was to confirm the fix."""

    def __init__(self, ticket: Ticket) -> None:
        self.ticket = ticket
        self.before: Run | None = ticket.run
        self.confirming: TicketAction | None = (
            ticket.actions.filter(kind=TicketAction.Kind.CONFIRM)
            .select_related("run", "by")
            .order_by("-at", "-id")
            .first()
        )

    @property
    def after(self) -> Run | None:
        """Give the run that was to confirm the fix."""
        return self.confirming.run if self.confirming else None

    @cached_property
    def pairs(self) -> tuple[Beside, ...]:
        """Give what had failed, before and after."""
        return beside(self.before.document if self.before else None, self.after.document if self.after else None)
