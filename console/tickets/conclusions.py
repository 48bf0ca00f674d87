"""What a finished run changes about its ticket: verdict, title, checklist, state."""

from typing import Any

from console.diagnoses.checklists import fitting, give
from console.diagnoses.models import Purpose, Run
from console.notes.models import FailureMode
from console.shared.work import WorkState
from console.tickets import acting
from console.tickets.models import Ticket, TicketEvent, TicketState
from console.tickets.moves import change, move, write_event
from console.tickets.severities import propose_severity
from console.tickets.ticking import tick_by_checks

Kind = TicketEvent.Kind


def take_conclusion(run: Run) -> None:
    """Take over what a finished run says; called in the run's own transaction."""
    if run.ticket_id is None:
        return
    if run.purpose != Purpose.DIAGNOSIS:
        acting.conclude(run)
        return
    ticket = Ticket.objects.select_for_update(of=("self",)).filter(pk=run.ticket_id).first()
    if ticket is None or ticket.run_id != run.id:
        return  # a newer run was asked for meanwhile; this one's answer stays with the run
    if run.state == WorkState.DONE and run.document:
        root = run.document.get("root_cause") or {}
        fields: dict[str, Any] = {
            "failure_mode": run.failure_mode,
            "category": run.category,
            "cause": run.cause,
            "certainty": run.certainty,
            "verdict": str(root.get("title", ""))[:300],
            "journey": [{"stage": s["stage"], "state": s["state"]} for s in run.document.get("journey", [])],
        }
        if run.cause:  # it fails again, or still: what was confirmed before no longer holds
            fields |= {"confirmation": "", "confirmed_at": None, "confirming_run": None}
        fields["title"] = _title(ticket.title, run.failure_mode)
        change(ticket, **fields)
        propose_severity(ticket, run)
        failed = [step["step"] for step in run.document.get("steps", ()) if step.get("status") == "failed"]
        give(ticket.id, fitting(run.category, failed))
        tick_by_checks(ticket, run)
    write_event(ticket, Kind.RUN_CONCLUDED, None, before=run.state, after=run.cause, reference=run.id)
    if ticket.state == TicketState.DIAGNOSING:
        move(ticket, TicketState.DIAGNOSED, None)


_TITLES: dict[str, str] = {
    FailureMode.NOT_GENERATED: "Note was never generated",
    FailureMode.NEVER_SENT: "Note never left the scribe",
    FailureMode.REJECTED: "Note rejected by the EHR",
    FailureMode.MISPLACED: "Note filed in the wrong place",
    FailureMode.PARTIAL: "Part of the note is missing",
    FailureMode.DUPLICATE: "Note filed twice",
    FailureMode.DELAYED: "Note arrived late",
    FailureMode.DELIVERED: "Note is in the chart",
}
_TITLES_OF_MANY: dict[str, str] = {
    FailureMode.NOT_GENERATED: "notes were never generated",
    FailureMode.NEVER_SENT: "notes never left the scribe",
    FailureMode.REJECTED: "notes rejected by the EHR",
    FailureMode.MISPLACED: "notes filed in the wrong place",
    FailureMode.PARTIAL: "notes only partly in the chart",
    FailureMode.DUPLICATE: "notes filed twice",
    FailureMode.DELAYED: "notes arrived late",
    FailureMode.DELIVERED: "notes are in the chart",
}
_MADE_TITLES = frozenset({"Note missing from chart", "Notes failing", *_TITLES.values()})


def _title(title: str, mode: str) -> str:
    """Give a title of our own making the words of the diagnosis; one that a person wrote stays."""
    if title in _MADE_TITLES:
        return _TITLES.get(mode, title)
    count, _, words = title.partition(" ")
    made = count.isdecimal() and (words == "notes missing" or words in _TITLES_OF_MANY.values())
    if made and mode in _TITLES_OF_MANY:
        return f"{count} {_TITLES_OF_MANY[mode]}"
    return title
