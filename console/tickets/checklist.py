"""The checklist of a ticket: items the engine declares, ticked by checks or by people, shown as answers reach them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.diagnoses.branching import reached
from console.diagnoses.checklists import fitting, in_force, of_ticket
from console.diagnoses.models import ChecklistItemState, ChecklistTemplate
from console.diagnoses.pages import CheckLine, StepLine, moment
from console.tickets.models import Ticket
from console.tickets.ticking import PACKET, word
from diagnostics import catalog
from diagnostics.checklists import ITEMS

State = ChecklistItemState.State
_PAST = {
    "done": "ticked",
    "not_applicable": "does not apply",
    "open": "opened again",
    "done:yes": "answered with yes",
    "done:no": "answered with no",
}


@dataclass(frozen=True)
class Evidence:
    """Be what settled an item, or speaks to its question: a link to a check of the page or to a packet sent."""

    text: str
    anchor: str = ""  # empty where what it was is no longer on the page


@dataclass(frozen=True)
class Past:
    """Be what an item was before."""

    says: str
    by: str
    at: datetime | None
    note: str


@dataclass(frozen=True)
class Item:
    """Be one line of the checklist."""

    id: str
    text: str
    asks: str
    state: str
    answer: str
    by: str
    at: datetime | None
    note: str
    evidence: Evidence | None
    history: tuple[Past, ...]
    seen: str  # how it stands, for forms
    follows: bool = False  # shown because of an answer

    @property
    def settled(self) -> bool:
        """Tell whether nothing is left to do for it."""
        return self.state != State.OPEN

    @property
    def reopened(self) -> bool:
        """Tell whether a person opened it again."""
        return self.state == State.OPEN and bool(self.by)


@dataclass(frozen=True)
class ItemList:
    """Be one named list."""

    name: str
    items: tuple[Item, ...]
    version: int = 0  # of the template; 0 where the list is none
    waiting: int = 0  # items that wait for an answer


def checklist(ticket: Ticket, document: Mapping[str, Any] | None, steps: Sequence[StepLine]) -> tuple[ItemList, ...]:
    """Give the lists that the ticket was given; before any conclusion those that will fit as far as is known.

    An item that waits for an answer is shown once that was given, and also where a check of it failed or somebody has
    worked on it: evidence is never hidden. One that stands in two lists is shown in the first. What the cause asks for
    beyond its list, and what somebody ticked in a list that is gone, follow in lists of their own.
    """
    rows = ChecklistItemState.objects.filter(ticket_id=ticket.id).select_related("by").order_by("id")
    states = {row.item: row for row in rows}
    answers = {row.item: row.answer for row in states.values() if row.state == State.DONE and row.answer}
    checks = {check.id: check for step in steps for check in step.checks}
    speaking = {
        row.item
        for row in states.values()
        if row.by_id or (row.by_check in checks and checks[row.by_check].status == "failed")
    }
    shown: set[str] = set()
    lists = []

    def show(name: str, template: ChecklistTemplate | None, ids: Sequence[str]) -> None:
        branches = template.branches if template else {}
        known = [id for id in ids if id in ITEMS]
        open_to = set(reached(known, branches, answers)) | speaking
        new = [id for id in known if id in open_to and id not in shown]
        waiting = sum(id not in open_to and id not in shown for id in known)
        shown.update(new)
        if new or waiting:
            lines = tuple(_item(id, states.get(id), checks, follows=id in branches) for id in new)
            lists.append(ItemList(name, lines, template.version if template else 0, waiting))

    for template in _templates(ticket, steps):
        show(template.name, template, template.items)
    cause = catalog.causes().get(ticket.cause)
    show("Also for this cause", None, cause.checklist if cause else ())
    show("Also ticked", None, [row.item for row in states.values() if row.by_id])
    return tuple(lists)


def _templates(ticket: Ticket, steps: Sequence[StepLine]) -> list[ChecklistTemplate]:
    given = of_ticket(ticket.id)
    if given:
        return given
    held = in_force()
    return [held[slug] for slug in fitting(ticket.category, [s.number for s in steps if s.status == "failed"])]


def progress(lists: Sequence[ItemList]) -> tuple[int, int]:
    """Count settled items and all items that are shown."""
    items = [item for one in lists for item in one.items]
    return sum(item.settled for item in items), len(items)


def _item(id: str, row: ChecklistItemState | None, checks: Mapping[str, CheckLine], *, follows: bool) -> Item:
    declared = ITEMS[id]
    if row is None:
        return Item(id, declared.text, declared.asks, State.OPEN, "", "", None, "", None, (), word(None), follows)
    return Item(
        id=id,
        text=declared.text,
        asks=declared.asks,
        state=row.state,
        answer=row.answer,
        by=str(row.by) if row.by else "",
        at=row.at,
        note=row.note or "",
        evidence=_evidence(row.by_check, checks) if row.by_check else None,
        history=tuple(_past(one, checks) for one in reversed(row.history or ())),
        seen=word(row),
        follows=follows,
    )


def _evidence(by: str, checks: Mapping[str, CheckLine]) -> Evidence:
    if by.startswith(PACKET):
        return Evidence("packet sent", f"sending-{by.removeprefix(PACKET)}")
    check = checks.get(by)
    return Evidence(f"check {check.number} {check.word}", check.anchor) if check else Evidence("an earlier check")


def _past(one: Mapping[str, Any], checks: Mapping[str, CheckLine]) -> Past:
    state = f"{one['state']}:{one['answer']}" if one.get("answer") else str(one["state"])
    by = str(one.get("by") or "") or (_evidence(str(one["check"]), checks).text if one.get("check") else "NoteTrace")
    return Past(_PAST.get(state, state), by, moment(one.get("at")), str(one.get("note") or ""))
