"""Who may see what: one table a part of the console, and what each table's addresses are about.

A module here holds ROWS (address name → Row) and may hold `furnish(place)`, which makes the objects that its addresses
name and gives their ids by the names of the address's converters.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from console.accounts.models import Department, Facility, User
from console.integrations.models import Integration
from console.tickets.models import Ticket


@dataclass(frozen=True)
class Row:
    """Who gets which status. `login` stands for a redirect to the login.

    `own` is the help desk of the facility, `other` that of another facility, `restricted` asks for what belongs to a
    department closed to him. An engineer and informatics get what the help desk gets unless the row says otherwise, a
    privacy officer what a manager gets.
    """

    own: int
    other: int
    restricted: int
    manager: int
    anonymous: int | str = "login"
    method: str = "get"
    data: tuple[tuple[str, str], ...] = ()
    engineer: int | None = None
    informatics: int | None = None
    privacy: int | None = None
    administrator: int = 404

    def wanted(self, who: str) -> int | str:
        """Give the status that somebody shall get."""
        if who in ("engineer", "informatics"):
            said = getattr(self, who)
            return self.own if said is None else said
        if who == "privacy":
            return self.manager if self.privacy is None else self.privacy
        return getattr(self, who)


def everyone(status: int = 200) -> Row:
    """Give the row of a page that everybody who is logged in may ask for."""
    return Row(status, status, status, status, administrator=status)


def only(**roles: int) -> Row:
    """Give the row of a page that only some roles may open; all others are refused with 403."""
    given = {"own": 403, "other": 403, "restricted": 403, "manager": 403, "engineer": 403, "informatics": 403}
    given |= {"privacy": 403, "administrator": 403, **roles}
    return Row(**given)


@dataclass(frozen=True)
class Place:
    """What every furnishing may build on: one department's world within the facility."""

    facility: Facility
    department: Department
    integration: Integration
    ticket: Ticket
    note_id: Any
    person: User


def tables() -> list[Any]:
    """Give the modules of this folder."""
    names = sorted(module.name for module in pkgutil.iter_modules(__path__))
    return [importlib.import_module(f"{__name__}.{name}") for name in names]


def rows() -> dict[str, Row]:
    """Give every row; a name in two tables is a mistake."""
    found: dict[str, Row] = {}
    for table in tables():
        twice = found.keys() & table.ROWS.keys()
        assert not twice, twice
        found |= table.ROWS
    return found


def furnishings() -> list[Callable[[Place], dict[str, Any]]]:
    """Give what makes the objects."""
    return [table.furnish for table in tables() if hasattr(table, "furnish")]
