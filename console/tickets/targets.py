"""By when a ticket should be resolved: its severity's hours, on its facility's calendar, with pauses that are said."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from console.tickets.calendar import WorkingHours, between, hours_of, later
from console.tickets.models import BusinessCalendar, Severity

HOUSE_HOURS: Mapping[str, float] = {
    Severity.WRONG_PATIENT: 1,
    Severity.UNDOCUMENTED: 4,
    Severity.MISPLACED: 8,
    Severity.DELAYED: 24,
    Severity.NONE: 72,
}


@dataclass(frozen=True)
class Rules:
    """Be what a facility has decided; without a calendar of its own every hour of the day counts and nothing pauses."""

    hours: WorkingHours | None = None
    targets: Mapping[str, float] = field(default_factory=dict)
    round_the_clock: frozenset[str] = frozenset()
    pausing: frozenset[str] = frozenset()

    def allowed(self, severity: str) -> float:
        """Give how many hours a severity may take."""
        return float(self.targets.get(severity, HOUSE_HOURS[Severity(severity)]))

    def clock(self, severity: str) -> WorkingHours | None:
        """Give the hours by which a severity's clock runs; None: day and night."""
        return None if severity in self.round_the_clock else self.hours

    def due(self, severity: str, opened_at: datetime) -> datetime:
        """Give the time by which a ticket should be resolved if nothing pauses its clock."""
        return later(self.clock(severity), opened_at, self.allowed(severity) * 3600)

    def left(self, severity: str, now: datetime, target_at: datetime) -> int:
        """Give the working seconds that are left before a target; 0 where it has passed."""
        return round(between(self.clock(severity), now, target_at))

    def resumed(self, severity: str, now: datetime, left_s: int) -> datetime:
        """Give the target of a clock that runs again with so many working seconds left."""
        return later(self.clock(severity), now, left_s)

    def pauses(self, waiting_for: str) -> bool:
        """Tell whether the target's clock stands still while a ticket waits for somebody."""
        return waiting_for in self.pausing


def rules_of(facility_id: uuid.UUID) -> Rules:
    """Read a facility's calendar; the house's own rules where it has none."""
    row = BusinessCalendar.objects.select_related("facility").filter(facility_id=facility_id).first()
    return Rules() if row is None else read(row, row.facility.time_zone)


def read(row: BusinessCalendar, time_zone: str) -> Rules:
    """Read a calendar's row."""
    return Rules(
        hours=hours_of(time_zone, row.hours, row.holidays),
        targets=dict(row.targets),
        round_the_clock=frozenset(row.round_the_clock),
        pausing=frozenset(row.pausing),
    )
