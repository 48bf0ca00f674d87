"""The list of integrations."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses import words
from console.health import queries
from console.health.access import visible
from console.health.health import Health, health_of
from console.integrations.models import Integration, MaintenanceWindow


@dataclass(frozen=True)
class Line:
    """Be one integration of the list."""

    integration: Integration
    vendor: str
    protocol: str
    health: Health
    looked_at: datetime | None
    tickets: int
    last_good: datetime | None
    maintenance: MaintenanceWindow | None


class ListPage:
    """Be the list; a fixed number of queries, however many integrations."""

    def __init__(self, user: User, places: Collection[uuid.UUID]) -> None:
        self.user, self.places = user, places
        held = grants(user)
        self.may_add = bool(held.where(Right.MANAGE_INTEGRATIONS))
        self.sees_tickets = bool(held.where(Right.SEE_TICKETS))

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """Give the integrations, those in use first and by name."""
        rows = visible(self.user).filter(facility__in=self.places).select_related("facility").defer("secrets")
        rows = list(rows.order_by("-active", "facility__name", "name", "id"))
        ids = [row.id for row in rows]
        runs = queries.newest_runs(self.user, ids)
        counts, good = queries.statuses(list(runs.values())), queries.last_good(ids)
        tickets, windows = queries.open_tickets(self.user, ids), queries.in_maintenance(ids)
        lines = []
        for row in rows:
            run = runs.get(row.id)
            health = health_of(run, counts[run.pk]) if run else health_of(None, counts[row.pk])
            lines.append(
                Line(
                    row,
                    words.VENDORS.get(row.vendor, row.vendor),
                    words.PROTOCOLS.get(row.protocol, row.protocol),
                    health,
                    run.finished_at or run.created_at if run else None,
                    tickets.get(row.id, 0),
                    good.get(row.id),
                    windows.get(row.id),
                )
            )
        return tuple(lines)

    @property
    def summary(self) -> str:
        """Say how many need somebody."""
        bad = sum(line.health.tone == "bad" for line in self.lines)
        count = len(self.lines)
        return f"{count} integration{'' if count == 1 else 's'}" + (f" · {bad} with a cause found" if bad else "")
