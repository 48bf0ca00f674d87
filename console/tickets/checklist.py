"""The checklist of a ticket: items the engine declares, ticked by checks or by people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.diagnoses.checklists import fitting, in_force, of_ticket
from console.diagnoses.models import ChecklistItemState, ChecklistTemplate
from console.diagnoses.pages import StepLine
from console.tickets.models import Ticket
from diagnostics import catalog
from diagnostics.checklists import ITEMS

State = ChecklistItemState.State


@dataclass(frozen=True)
class Item:
    """Be one line of the checklist."""

    id: str
    text: str
    state: str
    by: str
    at: datetime | None
    note: str

    @property
    def settled(self) -> bool:
        """Tell whether nothing is left to do for it."""
        return self.state != State.OPEN


@dataclass(frozen=True)
class ItemList:
    """Be one named list."""

    name: str
    items: tuple[Item, ...]
    version: int = 0  # of the template; 0 where the list is none


def checklist(ticket: Ticket, document: Mapping[str, Any] | None, steps: Sequence[StepLine]) -> tuple[ItemList, ...]:
    """Give the lists that the ticket was given; before any conclusion those that will fit as far as is known.

    An item that stands in two lists is shown in the first. What the cause asks for beyond its list, and what somebody
    ticked in a list that is gone, follow in lists of their own.
    """
    states = {
        row.item: row
        for row in ChecklistItemState.objects.filter(ticket_id=ticket.id).select_related("by").order_by("id")
    }
    numbers = {check.id: check.number for step in steps for check in step.checks}
    shown: set[str] = set()
    lists = []

    def show(name: str, ids: Sequence[str], version: int = 0) -> None:
        new = [id for id in ids if id in ITEMS and id not in shown]
        shown.update(new)
        if new:
            lines = tuple(_item(id, ITEMS[id].text, states.get(id), numbers) for id in new)
            lists.append(ItemList(name, lines, version))

    templates = _templates(ticket, steps)
    for template in templates:
        show(template.name, template.items, template.version)
    cause = catalog.causes().get(ticket.cause)
    show("Also for this cause", cause.checklist if cause else ())
    show("Also ticked", [row.item for row in states.values() if row.by_id])
    return tuple(lists)


def _templates(ticket: Ticket, steps: Sequence[StepLine]) -> list[ChecklistTemplate]:
    given = of_ticket(ticket.id)
    if given:
        return given
    newest = in_force()
    return [newest[slug] for slug in fitting(ticket.category, [s.number for s in steps if s.status == "failed"])]


def progress(lists: Sequence[ItemList]) -> tuple[int, int]:
    """Count settled items and all items."""
    items = [item for one in lists for item in one.items]
    return sum(item.settled for item in items), len(items)


def _item(id: str, text: str, row: ChecklistItemState | None, numbers: Mapping[str, str]) -> Item:
    if row is None:
        return Item(id, text, State.OPEN, "", None, "")
    if row.by is not None:
        return Item(id, text, row.state, str(row.by), row.at, row.note or "")
    number = numbers.get(row.by_check)
    return Item(id, text, row.state, f"check {number}" if number else "a check", None, "")
