"""How grave a failure is for patients: proposed from what the diagnosis found, unless a person has said so."""

from console.diagnoses.models import Run
from console.notes.models import FailureMode
from console.tickets.edits import put_severity
from console.tickets.models import Severity, Ticket, TicketEvent

WRONG_PATIENT_CAUSE = "map.patient.mismatch"

_BY_MODE: dict[str, Severity] = {
    FailureMode.NOT_GENERATED: Severity.UNDOCUMENTED,
    FailureMode.NEVER_SENT: Severity.UNDOCUMENTED,
    FailureMode.REJECTED: Severity.UNDOCUMENTED,
    FailureMode.MISPLACED: Severity.MISPLACED,
    FailureMode.PARTIAL: Severity.MISPLACED,
    FailureMode.DUPLICATE: Severity.MISPLACED,
    FailureMode.DELAYED: Severity.DELAYED,
    FailureMode.DELIVERED: Severity.NONE,
}
# Only what is in a chart can be in a wrong one.
_IN_A_CHART = frozenset({FailureMode.MISPLACED, FailureMode.PARTIAL, FailureMode.DUPLICATE, FailureMode.DELIVERED})


def proposal(mode: str, cause: str) -> Severity | None:
    """Give the severity that a failure mode and a cause speak for; None where nothing is known."""
    if cause == WRONG_PATIENT_CAUSE and mode in _IN_A_CHART:
        return Severity.WRONG_PATIENT
    return _BY_MODE.get(mode)


def propose_severity(ticket: Ticket, run: Run) -> None:
    """Give a ticket, which the caller holds, the severity that its run speaks for.

    A person's word stays, and so does what was said on opening. A run looks at one note: of a ticket with several it
    may make the severity worse, never milder.
    """
    wished = proposal(run.failure_mode, run.cause)
    if wished is None or wished == ticket.severity or _is_said(ticket):
        return
    milder = wished > ticket.severity  # the letter before the name keeps the order, the worst first
    if milder and ticket.ticket_notes.count() != 1:
        return
    put_severity(ticket, wished, None)


def _is_said(ticket: Ticket) -> bool:
    last = ticket.events.filter(kind=TicketEvent.Kind.SEVERITY).order_by("-at", "-id").first()
    if last is not None:
        return last.by_id is not None
    return ticket.severity != Severity.UNDOCUMENTED  # what a ticket is called before anybody knows more
