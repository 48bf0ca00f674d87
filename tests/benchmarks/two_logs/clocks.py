"""Clocks that are wrong as real ones are: steady, drifting, reset every night, put right in the middle of a day."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

DAY = 86_400.0
FIRST_DAY = datetime(2026, 10, 30, tzinfo=UTC).timestamp()  # the third day holds the hour that North America has twice
Error = Callable[[float], float]

SITE_ERRORS: dict[str, Error] = {
    "north": lambda t: 0.0,
    "harbor": lambda t: -35.0 + 20.0 * t / DAY,
    "west": lambda t: -190.0 if t < 2 * DAY + 19.1 * 3600 else 0.5,
    "lakeside": lambda t: 3.0,
    "hill": lambda t: 6.0 * ((t - 4 * 3600) % DAY) / 3600,
    "mill": lambda t: 240.0,
}
CLIENT_ERRORS: dict[str, Error] = {
    "scribe-north": lambda t: 0.8,
    "scribe-west": lambda t: 45.0 + 30.0 * t / DAY,
    "scribe-west-b": lambda t: -75.0,
    "scribe-lake": lambda t: -160.0 if t < DAY + 18.5 * 3600 else 20.0,
    "scribe-hill": lambda t: 2.0,
    "scribe-mill": lambda t: -60.0 + 20.0 * math.sin(t / 5000),
    "desktop": lambda t: 0.8,
}
LOCAL = {"west": ZoneInfo("America/Chicago"), "scribe-hill": ZoneInfo("America/New_York")}
BUFFERED = frozenset({"scribe-lake"})  # writes its rows up to seconds after the act


def offset(site: str, client: str, at: float) -> float:
    """Give EHR minus scribe in seconds at a true instant."""
    return CLIENT_ERRORS[client](at - FIRST_DAY) - SITE_ERRORS[site](at - FIRST_DAY)


def shown(who: str, at: float, rng: random.Random) -> str:
    """Give a true instant as the clock of a site or a client writes it, in the spelling of its log."""
    error = SITE_ERRORS.get(who) or CLIENT_ERRORS[who]
    moment = at + error(at - FIRST_DAY) + rng.gauss(0, 0.05)
    if who in BUFFERED:
        moment += 2 * rng.random()
    when = datetime.fromtimestamp(moment, LOCAL.get(who, UTC))
    if who == "lakeside":
        return when.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if who == "scribe-mill":
        return when.isoformat(timespec="seconds")
    return when.isoformat(timespec="milliseconds")
