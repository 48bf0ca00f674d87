"""The stretches of time that the pages show: whole hours or days in the reader's zone, the running one included."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.utils import timezone


@dataclass(frozen=True)
class Period:
    """A stretch of time cut into buckets."""

    slug: str
    name: str
    unit: str
    count: int

    def start(self, now: datetime) -> datetime:
        """Give the begin of the first bucket."""
        return next(self.buckets(now))

    def buckets(self, now: datetime) -> Iterator[datetime]:
        """Give the begin of each bucket; days begin at local midnight, also where a day has 23 or 25 hours."""
        if self.unit == "hour":
            this_hour = now.replace(minute=0, second=0, microsecond=0)
            yield from (this_hour - timedelta(hours=back) for back in range(self.count - 1, -1, -1))
            return
        zone = timezone.get_current_timezone()
        today = now.astimezone(zone).date()
        for back in range(self.count - 1, -1, -1):
            yield datetime.combine(today - timedelta(days=back), time(), zone)

    def label(self, bucket: datetime) -> str:
        """Name a bucket under an axis and in a table."""
        local = timezone.localtime(bucket)
        return f"{local:%H:%M}" if self.unit == "hour" else f"{local.day} {local:%b}"


PERIODS = (
    Period("24h", "24 hours", "hour", 24),
    Period("7d", "7 days", "day", 7),
    Period("30d", "30 days", "day", 30),
)


def chosen(slug: str | None) -> Period:
    """Give the period asked for; an unknown one counts as the first."""
    return next((period for period in PERIODS if period.slug == slug), PERIODS[0])
