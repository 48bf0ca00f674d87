"""The form of a facility's calendar: hours, holidays, targets, pauses; every wrong line is named."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from console.tickets.calendar import hours_of, minutes, zone_named
from console.tickets.models import BusinessCalendar, Severity, WaitingFor
from console.tickets.targets import HOUSE_HOURS, Rules

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MOST_HOLIDAYS = 400
MOST_HOURS = 2000


@dataclass(frozen=True)
class Preview:
    """Be one severity's example: opened then, may take so long, due then."""

    severity: str
    hours: float
    opened_at: datetime
    due_at: datetime
    round_the_clock: bool


class CalendarForm(forms.Form):
    """A facility's working hours and targets. A day without times is shut; no times at all mean day and night."""

    holidays = forms.CharField(max_length=8000, required=False)
    round_the_clock = forms.MultipleChoiceField(choices=Severity.choices, required=False)
    pausing = forms.MultipleChoiceField(choices=WaitingFor.choices, required=False)
    opened = forms.DateTimeField(
        required=False, input_formats=["%Y-%m-%dT%H:%M"], error_messages={"invalid": "Give a date and a time."}
    )
    seen_version = forms.IntegerField(min_value=0, max_value=2**31 - 1, required=False)

    def __init__(self, data: Any = None, *, row: BusinessCalendar | None, time_zone: str) -> None:
        self.time_zone = time_zone
        super().__init__(data, initial=_initial(row))
        for number, day in enumerate(DAYS, 1):
            for edge in ("from", "to"):
                self.fields[f"{edge}_{number}"] = forms.CharField(max_length=5, required=False, label=f"{day} {edge}")
        for severity in Severity:
            self.fields[f"hours_{severity}"] = forms.FloatField(
                min_value=0.25, max_value=MOST_HOURS, label=f"Hours for {severity.label.lower()}"
            )

    def clean_holidays(self) -> list[str]:
        """Read one date a line; what follows a date is its name and is not kept."""
        found = []
        for number, line in enumerate(self.cleaned_data["holidays"].splitlines(), 1):
            if not line.strip():
                continue
            try:
                found.append(date.fromisoformat(line.split()[0]).isoformat())
            except ValueError:
                raise forms.ValidationError(
                    f"Line {number}: “{line.strip()[:40]}” does not begin with a date like 2026-12-25."
                ) from None
        if len(found) > MOST_HOLIDAYS:
            raise forms.ValidationError(f"At most {MOST_HOLIDAYS} holidays can be kept.")
        return sorted(set(found))

    def clean(self) -> dict[str, Any]:
        """Put the days together and see that time passes by them."""
        cleaned: dict[str, Any] = super().clean() or {}
        hours: dict[str, list[str]] = {}
        for number, day in enumerate(DAYS, 1):
            begin = str(cleaned.get(f"from_{number}") or "").strip()
            end = str(cleaned.get(f"to_{number}") or "").strip()
            if not begin and not end:
                continue
            try:
                if not begin or not end:
                    raise ValueError("Give both times, or neither.")
                if minutes(begin) >= minutes(end):
                    raise ValueError("The end must come after the beginning.")
            except ValueError as wrong:
                self.add_error(f"from_{number}", f"{day}: {wrong}")
                continue
            hours[str(number)] = [begin, end]
        cleaned["hours"] = hours
        if not self.errors:
            try:
                self.previews(cleaned)
            except ValueError as wrong:
                self.add_error(None, str(wrong))
        return cleaned

    def values(self) -> dict[str, Any]:
        """Give what is to be stored."""
        data = self.cleaned_data
        targets = {severity.value: data[f"hours_{severity}"] for severity in Severity}
        return {
            "hours": data["hours"],
            "holidays": data["holidays"],
            "targets": {name: hours for name, hours in targets.items() if hours != HOUSE_HOURS[name]},
            "round_the_clock": sorted(data["round_the_clock"]),
            "pausing": sorted(data["pausing"]),
        }

    def previews(self, data: dict[str, Any]) -> tuple[Preview, ...]:
        """Reckon an example for each severity; raise ValueError where a target would never come."""
        rules = Rules(
            hours=hours_of(self.time_zone, data["hours"], data.get("holidays") or []),
            targets={severity.value: float(data[f"hours_{severity}"]) for severity in Severity},
            round_the_clock=frozenset(data.get("round_the_clock") or []),
        )
        zone = zone_named(self.time_zone)
        opened = data.get("opened")
        opened = opened.replace(tzinfo=zone) if opened else next_friday(timezone.now().astimezone(zone))
        return tuple(
            Preview(
                severity=severity.label,
                hours=rules.allowed(severity),
                opened_at=opened,
                due_at=rules.due(severity, opened).astimezone(zone),
                round_the_clock=rules.clock(severity) is None,
            )
            for severity in Severity
        )

    def shown(self) -> tuple[Preview, ...]:
        """Give the examples of what the form holds now; none while something is wrong."""
        if not self.is_bound:
            data = {name: self[name].value() for name in self.fields}
            data["hours"] = {
                str(n): [data[f"from_{n}"], data[f"to_{n}"]] for n in range(1, 8) if data[f"from_{n}"]
            }  # fmt: skip
            data["holidays"] = str(data["holidays"] or "").split()
            data["opened"] = None
            return self.previews(data)
        return () if self.errors else self.previews(self.cleaned_data)

    def days(self) -> Iterator[tuple[str, forms.BoundField, forms.BoundField]]:
        """Give the seven days with their two fields."""
        for number, day in enumerate(DAYS, 1):
            yield day, self[f"from_{number}"], self[f"to_{number}"]

    def severities(self) -> Iterator[tuple[str, str, forms.BoundField, bool]]:
        """Give each severity with its field of hours, and whether its clock runs day and night."""
        ticked = self["round_the_clock"].value() or []
        for severity in Severity:
            yield severity.value, severity.label, self[f"hours_{severity}"], severity.value in ticked

    def waits(self) -> Iterator[tuple[str, str, bool]]:
        """Give for whom a ticket may wait, and whether that pauses the target."""
        ticked = self["pausing"].value() or []
        for value, label in WaitingFor.choices:
            yield value, label, value in ticked


def next_friday(now: datetime) -> datetime:
    """Give the coming Friday at half past five: the example that shows what a weekend does."""
    ahead = (4 - now.weekday()) % 7
    return (now + timedelta(days=ahead)).replace(hour=17, minute=30, second=0, microsecond=0)


def _initial(row: BusinessCalendar | None) -> dict[str, Any]:
    targets = {**HOUSE_HOURS, **(row.targets if row else {})}
    initial: dict[str, Any] = {f"hours_{severity}": f"{targets[severity]:g}" for severity in Severity}
    initial["seen_version"] = row.version if row else 0
    if row is None:
        return initial
    for day, (begin, end) in row.hours.items():
        initial[f"from_{day}"], initial[f"to_{day}"] = begin, end
    return initial | {
        "holidays": "\n".join(row.holidays),
        "round_the_clock": row.round_the_clock,
        "pausing": row.pausing,
    }
