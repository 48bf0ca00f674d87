"""Hold what correlation is given of each log row, and what it answers of each note. Pure.

Keys are opaque: keyed hashes where rows come from a store, plain ids where they come from a case. Two keys are the
same id when they are equal.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any, NamedTuple

from diagnostics.vocabulary import FailureMode, Stage

Key = Hashable


class Row(NamedTuple):
    """Be one log row reduced to what joins it and what it says (`compact.What` with its flags)."""

    at: datetime
    what: int
    note: Key | None = None
    transaction: Key | None = None
    request: Key | None = None
    encounter: Key | None = None
    patient: Key | None = None
    author: Key | None = None
    document: Key | None = None
    content: Key | None = None
    origin: str = ""
    attempt: int | None = None
    position: int = 0
    ref: Any = None


@dataclass(slots=True)
class Story:
    """Be what both logs say of one note, or of a document at the EHR that no scribe row tells of (`orphan`).

    Times are the scribe's clock. `weak` tells that the answer rests on time or on rows without an id, so that it may
    change with its neighbours. From `recheck_at` (log time) on the answer may differ.
    """

    note: Key | None
    orphan: Key | None
    mode: FailureMode
    broke_at: Stage | None
    keys: tuple[str, ...]
    confidence: float
    born_at: datetime
    last_at: datetime
    first: Row
    ambiguous: bool = False
    weak: bool = False
    generated_at: datetime | None = None
    packaged_at: datetime | None = None
    sent_at: datetime | None = None
    accepted_at: datetime | None = None
    filed_at: datetime | None = None
    attempts: int = 0
    last_answer: Row | None = None
    transaction: Key | None = None
    encounter: Key | None = None
    patient: Key | None = None
    author: Key | None = None
    site: str = ""
    client: str = ""
    offset_s: float | None = None
    sample_s: float | None = None
    recheck_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """Be the clocks' offset (EHR minus scribe, seconds) that one strongly joined note shows, by hour of sending."""

    note: Key
    site: str
    client: str
    hour: datetime
    seconds: float


@dataclass(frozen=True)
class Clocks:
    """Know the EHR's clock minus the scribe's in seconds, per pair of site and client and per hour.

    A clock may drift or step, so each hour has its own; where an hour has none, the nearest hour of the same pair
    within two days speaks, then any pair's.
    """

    hours: Mapping[tuple[str, str, datetime], float] = field(default_factory=dict)

    def at(self, site: str, client: str, moment: datetime) -> float | None:
        """Give the offset for a pair at a moment of the scribe's clock; an empty client stands for any."""
        return self.of_hour(site, client, hour_of(moment))

    def of_hour(self, site: str, client: str, hour: datetime) -> float | None:
        """Give the offset for a pair in an hour of the scribe's clock."""
        found = self.hours.get((site, client, hour))
        if found is not None:
            return found
        remembered = self._nearest.get((site, client, hour), _UNASKED)
        if remembered is _UNASKED:
            remembered = self._nearest[site, client, hour] = self._look(site, client, hour)
        return None if remembered is None else float(remembered)

    def _look(self, site: str, client: str, hour: datetime) -> float | None:
        by_pair = self._by_pair
        own = by_pair.get((site, client), {})
        same_site = [hours for (place, _), hours in by_pair.items() if place == site]
        for groups in ([own], same_site, list(by_pair.values())):
            for away in range(49):
                for step in {-away, away}:
                    values = [hours[there] for hours in groups if (there := hour + timedelta(hours=step)) in hours]
                    if values:
                        return median(values)
        return None

    @property
    def _nearest(self) -> dict[tuple[str, str, datetime], Any]:
        return self.__dict__.setdefault("_found", {})  # type: ignore[no-any-return]

    @property
    def _by_pair(self) -> dict[tuple[str, str], dict[datetime, float]]:
        pairs: dict[tuple[str, str], dict[datetime, float]] | None = self.__dict__.get("_pairs")
        if pairs is None:
            pairs = {}
            for (site, client, hour), seconds in self.hours.items():
                pairs.setdefault((site, client), {})[hour] = seconds
            self.__dict__["_pairs"] = pairs
        return pairs


_UNASKED: Any = object()


def hour_of(moment: datetime) -> datetime:
    """Give the full hour of UTC that a moment lies in."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.replace(minute=0, second=0, microsecond=0)


MARGIN = timedelta(minutes=20)
"""How far around a note's hour its neighbours matter: rules that count look at the hour and this on both sides."""


def around(hour: datetime) -> tuple[datetime, datetime]:
    """Give the stretch of time that rules about an hour's notes look at, its end excluded."""
    return hour - MARGIN, hour + timedelta(hours=1) + MARGIN


def medians(samples: "list[Sample]") -> dict[tuple[str, str, datetime], float]:
    """Give the offset of each pair and hour: the median of its samples, to the millisecond."""
    grouped: dict[tuple[str, str, datetime], list[float]] = {}
    for sample in samples:
        grouped.setdefault((sample.site, sample.client, sample.hour), []).append(sample.seconds)
    return {key: round(median(values), 3) for key, values in grouped.items()}
