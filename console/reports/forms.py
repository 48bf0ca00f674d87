"""What a reader may ask of a report: period, facility, clock."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from console.accounts.models import Facility
from console.reports.figures import Clock
from console.reports.periods import DATES, NAMES, USUAL, Period, of, today_in, zone_of
from console.reports.report import Asked

LONGEST_DAYS = 5 * 366


class AskForm(forms.Form):
    """Read the filters of the address; what is missing takes its usual value."""

    period = forms.ChoiceField(choices=[*NAMES.items(), (DATES, "Other dates")], required=False)
    clock = forms.ChoiceField(choices=[(clock, clock) for clock in Clock], required=False)

    def __init__(self, data: Any, *, facilities: list[Facility], now: Any) -> None:
        super().__init__(data)
        self.all_facilities = facilities
        self.now = now
        self.today = today_in((zone_of(one.time_zone) for one in facilities), now)
        for name in ("from", "to"):  # a word of Python, so no class attribute can have this name
            self.fields[name] = forms.DateField(
                required=False, error_messages={"invalid": "Give both dates as year-month-day, like 2026-03-31."}
            )

    def clean(self) -> dict[str, Any]:
        """Refuse dates that make no period."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("period") == DATES and not self.errors:
            first, last = cleaned.get("from"), cleaned.get("to")
            if first is None or last is None:
                raise ValidationError("Give both dates, the first and the last day of the period.")
            if first > last:
                raise ValidationError("The first day lies after the last one. Swap them.")
            if last - first > timedelta(days=LONGEST_DAYS):
                raise ValidationError("A report covers five years at most. Choose a shorter period.")
            if first > self.today:
                raise ValidationError("The period has not begun yet. Choose days that have passed.")
        return cleaned

    @property
    def wrong(self) -> list[str]:
        """Give what is wrong, each thing once."""
        return list(dict.fromkeys(str(error) for errors in self.errors.values() for error in errors))

    @property
    def dates(self) -> tuple[str, str] | None:
        """Give the dates as they were typed, where they are wrong: to be put right, not typed anew."""
        return (self.data.get("from", ""), self.data.get("to", "")) if self.errors else None

    def asked(self, facilities: list[Facility]) -> Asked:
        """Give what is asked for; the usual period where the dates make none."""
        given = self.cleaned_data if self.is_valid() else {}
        slug = given.get("period") or USUAL
        if slug == DATES:
            period = Period(DATES, given["from"], min(given["to"], self.today))
        else:
            period = of(slug, self.today)
        return Asked(period, Clock(given.get("clock") or Clock.WALL), tuple(facilities), self.now)
