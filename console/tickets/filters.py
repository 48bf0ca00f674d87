"""What the queue is narrowed to, as it stands in an address: known words and random ids, nothing of a patient."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from django.db.models import TextChoices

from console.notes.models import FailureMode
from console.tickets.models import OPEN_STATES, Severity, TicketState, WaitingFor

VIEWS = {
    "open": "Open",
    "mine": "Mine",
    "untaken": "Not taken",
    "waiting": "Waiting",
    "late": "Overdue",
    "resolved": "Resolved",
}
ORDERS = {"worst": "Gravest first", "due": "Due first", "newest": "Newest first"}
NOBODY, ME = "nobody", "me"

_KNOWN: dict[str, tuple[str, ...]] = {
    "view": tuple(VIEWS),
    "order": tuple(ORDERS),
    "mode": tuple(FailureMode.values),
    "state": tuple(TicketState.values),
    "severity": tuple(Severity.values),
    "waiting": tuple(WaitingFor.values),
}
LABELS = {
    "cause": "Root cause",
    "integration": "Integration",
    "mode": "Failure mode",
    "severity": "Severity",
    "state": "State",
    "owner": "Taken by",
    "waiting": "Waiting for",
}
NAMES: dict[str, type[TextChoices]] = {
    "mode": FailureMode,
    "state": TicketState,
    "severity": Severity,
    "waiting": WaitingFor,
}


@dataclass(frozen=True)
class Asked:
    """Be what is asked of the queue; an empty filter narrows nothing. `owner` is an id, "me" or "nobody"."""

    view: str = "open"
    order: str = "worst"
    cause: str = ""
    integration: str = ""
    mode: str = ""
    severity: str = ""
    state: str = ""
    owner: str = ""
    waiting: str = ""

    @property
    def kept(self) -> dict[str, str]:
        """Give the filters that are set."""
        return {name: getattr(self, name) for name in LABELS if getattr(self, name)}

    @property
    def is_done(self) -> bool:
        """Tell whether finished tickets are asked for."""
        return self.view == "resolved"

    def query(self, **other: str) -> str:
        """Write it as an address's query, with some of it changed; what is usual is left out."""
        asked = replace(self, **other)
        said = {one.name: getattr(asked, one.name) for one in fields(asked)}
        return urlencode({name: value for name, value in said.items() if value and value != getattr(Asked, name)})


def read(said: Mapping[str, str], *, known_causes: frozenset[str]) -> Asked:
    """Read an address's query; what has no meaning is left out, so that an old address still opens."""
    values = {name: said.get(name, "") for name in (*LABELS, "view", "order")}
    for name, known in _KNOWN.items():
        if values[name] not in known:
            values[name] = str(getattr(Asked, name))
    if values["cause"] not in known_causes:
        values["cause"] = ""
    values["integration"] = _id(values["integration"])
    if values["owner"] not in (NOBODY, ME):
        values["owner"] = _id(values["owner"])
    # Open tickets have open states and finished ones the others: a state that cannot be there would show nothing.
    if values["state"] and (values["state"] in OPEN_STATES) is (values["view"] == "resolved"):
        values["state"] = ""
    return Asked(**values)


def _id(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        return ""
