"""What the console does for a remedy's step: one thing at a time on a ticket, recorded, its outcome kept in place.

The work is a run of its own, so it survives a killed worker as every run does; the ticket's diagnosis stays as it is.
"""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.accounts.services import record
from console.diagnoses.models import Purpose, Run
from console.diagnoses.segments import must_stand_there
from console.diagnoses.services import request_run
from console.integrations.services import IntegrationError
from console.shared.work import OPEN_STATES as OPEN_WORK
from console.shared.work import WorkState
from console.tickets.models import Confirmation, Ticket, TicketAction, TicketEvent, TicketNote, TicketState
from console.tickets.moves import TicketError, move, write_event
from console.tickets.states import NEXT

Kind = TicketAction.Kind
Outcome = TicketAction.Outcome
WRITING = frozenset({Kind.CANARY, Kind.CONFIRM})


@dataclass(frozen=True)
class _Plan:
    steps: tuple[int, ...]
    purpose: Purpose


_PLANS: dict[str, _Plan] = {
    Kind.TOKEN: _Plan((1,), Purpose.ACTION),
    Kind.SEGMENT: _Plan((1, 4), Purpose.ACTION),
    Kind.CANARY: _Plan((2,), Purpose.ACTION),
    Kind.CONFIRM: _Plan((), Purpose.CONFIRM),
}


@transaction.atomic
def start(*, ticket: Ticket, kind: str, by: User, segment: str = "") -> TicketAction:
    """Start one thing; refuse a second one while the first, or a diagnosis, is under way.

    Whatever writes to the EHR writes one test document for the integration's test patient, once.
    """
    require(by, Right.RUN_DIAGNOSIS, ticket.facility_id)
    locked = Ticket.objects.select_for_update(of=("self",)).select_related("run", "integration").get(pk=ticket.pk)
    under_way = locked.actions.filter(outcome=Outcome.RUNNING).first()
    if under_way is not None:
        raise TicketError(f"“{under_way.get_kind_display()}” is still under way. Wait for its outcome.")
    if locked.run is not None and locked.run.state in OPEN_WORK:
        raise TicketError("A diagnosis is running. Wait until it has concluded.")
    if kind not in _PLANS:
        raise TicketError("The console cannot do that.")
    if kind == Kind.CANARY and not has_canary(locked):
        raise TicketError("The integration names no test patient, so nothing can be written.")
    if kind == Kind.SEGMENT:
        try:
            must_stand_there(locked.integration, segment)
        except IntegrationError as refusal:
            raise TicketError(str(refusal)) from None
    plan = _PLANS[kind]
    run = request_run(
        integration=locked.integration,
        ticket_id=locked.id,
        by=by,
        steps=list(plan.steps),
        segment=segment if kind == Kind.SEGMENT else "",
        writes=kind in WRITING,
        purpose=plan.purpose,
    )
    waiting = locked.ticket_notes.filter(end=TicketNote.End.WAITING).order_by("added_at", "id")
    made = TicketAction.objects.create(
        ticket=locked, kind=kind, run=run, by=by, notes=[str(pk) for pk in waiting.values_list("note_id", flat=True)]
    )
    write_event(locked, TicketEvent.Kind.ACTION, by, after=kind, reference=made.id)
    if kind in WRITING and has_canary(locked):
        detail = {"ticket": locked.number, "kind": str(kind)}
        record(by=by, action="canary.asked", subject=locked.integration, facility=locked.facility_id, detail=detail)
    ticket.refresh_from_db()
    return made


def conclude(run: Run) -> None:
    """Take over how something that was tried went; called in the run's own transaction."""
    made = TicketAction.objects.select_for_update(of=("self",)).filter(run=run, outcome=Outcome.RUNNING).first()
    if made is None:
        return
    ticket = Ticket.objects.select_for_update(of=("self",)).select_related("run").get(pk=made.ticket_id)
    if run.state == WorkState.DONE and run.document:
        outcome, says = _judged(made, run, ticket)
    else:
        outcome, says = Outcome.OPEN, "It did not come to an end; nothing was sent twice. Try it again."
    made.outcome, made.says, made.ended_at = Outcome(outcome), says[:300], timezone.now()
    made.save(update_fields=["outcome", "says", "ended_at"])
    write_event(ticket, TicketEvent.Kind.ACTION_ENDED, None, before=made.kind, after=made.outcome, reference=made.id)
    if made.kind == Kind.CONFIRM and run.state == WorkState.DONE:
        _move_on(ticket, made)
        if made.outcome == Outcome.GOOD:
            confirm(ticket, Confirmation.RUN, run=run)


def _move_on(ticket: Ticket, made: TicketAction) -> None:
    """Let the state say what was seen: fixed where nothing fails any more, in progress again where it was not."""
    if made.outcome == Outcome.BAD:
        if ticket.state == TicketState.FIXED:
            move(ticket, TicketState.IN_PROGRESS, None)
    elif TicketState.FIXED in NEXT[ticket.state]:
        move(ticket, TicketState.FIXED, made.by)


def _judged(made: TicketAction, run: Run, ticket: Ticket) -> tuple[str, str]:
    from console.tickets import outcomes  # the engine's evidence: only workers, who have it loaded, come here
    from diagnostics.evidence.codec import decode

    evidence = []
    for row in run.evidence.order_by("created_at", "id"):
        evidence.append(decode(row.content))
    document = run.document or {}
    match made.kind:
        case Kind.TOKEN:
            said = outcomes.of_token(evidence)
        case Kind.CANARY:
            said = outcomes.of_canary(evidence)
        case Kind.SEGMENT:
            said = outcomes.of_place(document, run.segment)
        case _:
            said = outcomes.of_confirmation(ticket.run.document if ticket.run else None, document, evidence)
    return said.outcome, said.says


def confirm(ticket: Ticket, how: Confirmation, *, run: Run | None = None, by: User | None = None) -> None:
    """Write down what says that the failure is over."""
    now = timezone.now()
    Ticket.objects.filter(pk=ticket.pk).update(confirmation=how, confirmed_at=now, confirming_run=run)
    write_event(ticket, TicketEvent.Kind.CONFIRMED, by, at=now, after=how, reference=run.id if run else None)


def has_canary(ticket: Ticket) -> bool:
    """Tell whether the integration names a test patient that may be written to."""
    settings = ticket.integration.settings
    return bool((settings.get("canary") or {}).get("patient") or (settings.get("hl7") or {}).get("canary_message"))
