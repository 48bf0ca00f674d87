"""The checklist of a ticket: items the engine declares, ticked by checks or by people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.diagnoses.models import ChecklistItemState
from console.diagnoses.pages import StepLine
from console.tickets.models import Ticket
from diagnostics import catalog
from diagnostics.checklists import ITEMS, ChecklistName

State = ChecklistItemState.State

_LIST_OF_STEP = {
    1: ChecklistName.TOKEN,
    2: ChecklistName.WRITE_BACK,
    3: ChecklistName.MAPPING,
    4: ChecklistName.NETWORK,
    5: ChecklistName.PERMISSIONS,
}
_LIST_OF_FAMILY = {
    "auth": ChecklistName.TOKEN,
    "fhir": ChecklistName.WRITE_BACK,
    "hl7": ChecklistName.WRITE_BACK,
    "map": ChecklistName.MAPPING,
    "tmpl": ChecklistName.MAPPING,
    "net": ChecklistName.NETWORK,
    "perm": ChecklistName.PERMISSIONS,
}


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


def checklist(ticket: Ticket, document: Mapping[str, Any] | None, steps: Sequence[StepLine]) -> tuple[ItemList, ...]:
    """Give the lists that fit the cause, or while there is none, the steps that failed; the follow-up always."""
    states = {
        row.item: row
        for row in ChecklistItemState.objects.filter(ticket_id=ticket.id).select_related("by").order_by("id")
    }
    numbers = {check.id: check.number for step in steps for check in step.checks}
    wanted = _lists(ticket.cause, steps)
    chosen = {item.id for item in ITEMS.values() if item.list in wanted}
    cause = catalog.causes().get(ticket.cause)
    chosen |= set(cause.checklist) if cause else set()
    chosen |= {row.item for row in states.values() if row.by_id}
    lists: dict[ChecklistName, list[Item]] = {name: [] for name in ChecklistName}
    for item in ITEMS.values():
        if item.id in chosen:
            lists[item.list].append(_item(item.id, item.text, states.get(item.id), numbers))
    return tuple(ItemList(str(name), tuple(items)) for name, items in lists.items() if items)


def progress(lists: Sequence[ItemList]) -> tuple[int, int]:
    """Count settled items and all items."""
    items = [item for one in lists for item in one.items]
    return sum(item.settled for item in items), len(items)


def _lists(cause: str, steps: Sequence[StepLine]) -> set[ChecklistName]:
    wanted = {ChecklistName.FOLLOW_UP}
    if cause:
        own = _LIST_OF_FAMILY.get(cause.partition(".")[0])
        return wanted | ({own} if own else set())
    return wanted | {_LIST_OF_STEP[s.number] for s in steps if s.status == "failed" and s.number in _LIST_OF_STEP}


def _item(id: str, text: str, row: ChecklistItemState | None, numbers: Mapping[str, str]) -> Item:
    if row is None:
        return Item(id, text, State.OPEN, "", None, "")
    if row.by is not None:
        return Item(id, text, row.state, str(row.by), row.at, row.note or "")
    number = numbers.get(row.by_check)
    return Item(id, text, row.state, f"check {number}" if number else "a check", None, "")
