"""Settling checklist items: by people, whose word stands above a check's, by findings, by a packet that was sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone

from console.accounts.access import require
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses.models import ChecklistItemState, FindingRow, Run
from console.tickets.models import PacketSending, Ticket, TicketEvent
from console.tickets.moves import Collision, TicketError, write_event
from diagnostics.checklist_answers import NO, YES, answers_of
from diagnostics.checklists import ITEMS

State = ChecklistItemState.State
PACKET = "packet:"  # what stands for a check's id where a packet that was sent ticked the item
_PACKET_ITEMS = ("EHR.3", "SCRIBE.4")
# A check that looked has done most items, whatever it found; that a note is in the chart is true or not.
_ONLY_WHEN_PASSED = frozenset({"DONE.1"})


def word(row: ChecklistItemState | None) -> str:
    """Give how an item stands as forms carry it: open, done, done:yes, done:no, not_applicable."""
    if row is None:
        return State.OPEN.value
    return f"{row.state}:{row.answer}" if row.answer else str(row.state)


@transaction.atomic
def tick(
    *, ticket: Ticket, item: str, state: str, by: User, note: str = "", answer: str = "", seen: str | None = None
) -> ChecklistItemState:
    """Settle a checklist item by hand, or open it again; what it was before is kept with it.

    `answer` is "yes" or "no" where the item asks. `seen` is `word()` of what was on the person's page: when another
    person settled the item otherwise meanwhile, nothing is overwritten.
    """
    require(by, Right.WORK_TICKETS, ticket.facility_id)
    asks = item in ITEMS and bool(ITEMS[item].asks)
    if state == State.NOT_APPLICABLE and not note.strip():
        raise TicketError("Say why this item does not apply.")
    if state == State.DONE and asks and answer not in (YES, NO):
        raise TicketError(f"This item asks: {ITEMS[item].asks} Answer yes or no.")
    answer = answer if state == State.DONE and asks else ""
    row = _locked(ticket, item)
    wanted = f"{state}:{answer}" if answer else state
    if seen is not None and row.by_id is not None and word(row) not in (seen, wanted):
        raise Collision("item", word(row), _said(row))
    before = row.state
    if row.by_id is not None or row.state != State.OPEN:
        row.history = [*(row.history or ()), _past(row)]
    row.state, row.answer, row.by, row.by_check = state, answer, by, ""
    row.at, row.note = timezone.now(), note.strip() or None
    row.save()
    write_event(ticket, TicketEvent.Kind.CHECKLIST, by, before=f"{item} {before}", after=wanted, reference=row.id)
    return row


def _locked(ticket: Ticket, item: str) -> ChecklistItemState:
    """Give the item's row for this transaction alone; two people may begin one item at the same moment."""
    new = ChecklistItemState(facility_id=ticket.facility_id, ticket_id=ticket.id, item=item)
    ChecklistItemState.objects.bulk_create([new], ignore_conflicts=True)
    rows = ChecklistItemState.objects.select_for_update(of=("self",)).select_related("by")
    return rows.get(ticket_id=ticket.id, item=item)


def _past(row: ChecklistItemState) -> dict[str, Any]:
    return {
        "state": row.state,
        "answer": row.answer,
        "by": str(row.by) if row.by else "",
        "check": row.by_check,
        "at": row.at.isoformat(),
        "note": row.note or "",
    }


def _said(row: ChecklistItemState) -> str:
    how = {State.OPEN: "opened it again", State.NOT_APPLICABLE: "said that it does not apply"}.get(
        State(row.state), f"answered it with {row.answer}" if row.answer else "ticked it"
    )
    return f"Meanwhile {row.by} {how}. Nothing of theirs was overwritten; look, then decide."


@dataclass(frozen=True)
class _Settled:
    state: str
    answer: str
    by: str


def tick_by_checks(ticket: Ticket, run: Run) -> None:
    """Settle what the findings of a run settle; what a person decided stays as it is.

    An item that asks is settled only by an outcome that decides its answer; any other finding stays beside the open
    question as evidence.
    """
    findings = run.findings.filter(status__in=("passed", "failed", "warning"))
    _settle(ticket, _settled_by(sorted(findings, key=lambda f: (f.status != "failed", f.step, f.position))))


def tick_by_packet(ticket: Ticket, sending: PacketSending) -> None:
    """Tick the items that ask for a packet to be sent."""
    by = f"{PACKET}{sending.id}"
    _settle(ticket, {item: _Settled(State.DONE, "", by) for item in _PACKET_ITEMS})


def _settled_by(findings: Iterable[FindingRow]) -> dict[str, _Settled]:
    """Give what findings settle; they come with the failures first, since these say most."""
    settled: dict[str, _Settled] = {}
    for finding in findings:
        answers = answers_of(finding.check_id, finding.status)
        for item in dict.fromkeys((*finding.checklist, *answers)):
            if item not in ITEMS or (item in _ONLY_WHEN_PASSED and finding.status != "passed"):
                continue
            decides = item in answers or not ITEMS[item].asks
            new = _Settled(State.DONE if decides else State.OPEN, answers.get(item, ""), finding.check_id)
            if item not in settled or (decides and settled[item].state == State.OPEN):
                settled[item] = new
    return settled


def _settle(ticket: Ticket, settled: Mapping[str, _Settled]) -> None:
    rows = ChecklistItemState.objects.filter(ticket_id=ticket.id, item__in=settled)
    known = set(rows.values_list("item", flat=True))
    now = timezone.now()
    if known:
        _write(rows.filter(by=None), {item: settled[item] for item in known}, at=now)
    ChecklistItemState.objects.bulk_create(
        [
            ChecklistItemState(
                ticket_id=ticket.id, facility_id=ticket.facility_id, item=item,
                state=new.state, answer=new.answer, by_check=new.by, at=now,
            )
            for item, new in settled.items()
            if item not in known
        ],
        ignore_conflicts=True,  # a person who ticks at this very moment is right
    )  # fmt: skip


def _write(rows: "QuerySet[ChecklistItemState]", settled: Mapping[str, _Settled], **fields: Any) -> None:
    columns = {"state": "state", "answer": "answer", "by_check": "by"}
    cases = {
        column: Case(*(When(item=item, then=Value(getattr(new, name))) for item, new in settled.items()),
                     default=F(column))
        for column, name in columns.items()
    }  # fmt: skip
    rows.update(**cases, **fields)
