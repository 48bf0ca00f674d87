"""Read what somebody types to find a note: ids, a provider, a time, or several of them. Pure; it looks nothing up."""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MOST_WORDS = 4
AROUND = timedelta(minutes=5)  # a time of day is a memory, not a measurement

_LABELS = re.compile(
    r"\b(?:note|encounter|visit|transaction|message|control|request|document|provider)(?:\s+(?:id|number|no\.?))?"
    r"(?=\s*[:#]?\s+\S)\s*[:#]?",
    re.IGNORECASE,
)
_DASH = r"\s*(?:-|–|—|\bto\b|\buntil\b)\s*"
_CLOCK = r"(?P<{0}h>[01]?\d|2[0-3]):(?P<{0}m>[0-5]\d)(?::[0-5]\d)?"
_DAY = r"(?P<day>\d{4}-\d{2}-\d{2}|today|yesterday)"
_ISO = re.compile(
    r"(?<!\S)\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})(?!\S)", re.IGNORECASE
)
_FORMS = (
    (re.compile(rf"(?<!\S){_DAY}[T\s]+{_CLOCK.format('a')}{_DASH}{_CLOCK.format('b')}(?!\S)", re.IGNORECASE), "span"),
    (re.compile(rf"(?<!\S){_CLOCK.format('a')}{_DASH}{_CLOCK.format('b')}(?!\S)", re.IGNORECASE), "span"),
    (
        re.compile(rf"(?<!\S){_DAY}{_DASH}(?P<until>\d{{4}}-\d{{2}}-\d{{2}}|today|yesterday)(?!\S)", re.IGNORECASE),
        "days",
    ),
    (re.compile(rf"(?<!\S){_DAY}(?:[T\s]+|\s+at\s+){_CLOCK.format('a')}(?!\S)", re.IGNORECASE), "moment"),
    (re.compile(rf"(?<!\S){_CLOCK.format('a')}(?!\S)"), "moment"),
    (
        re.compile(r"(?<!\S)(?:the\s+)?last\s+(?P<count>\d{1,3}\s+)?(?P<unit>hour|day|week)s?(?!\S)", re.IGNORECASE),
        "last",
    ),
    (re.compile(rf"(?<!\S){_DAY}(?!\S)", re.IGNORECASE), "day"),
)
_UNITS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
_FILLERS = {"from", "at", "on", "of", "the", "by", "in", "between", "and", "around", "since", ","}


@dataclass(frozen=True)
class Asked:
    """Be what was asked: words that are ids or providers, and a stretch of time (from inclusive, to exclusive)."""

    words: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    wrong: str = ""

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was asked."""
        return not self.words and self.start is None


def read(text: str, *, now: datetime, zone: ZoneInfo) -> Asked:
    """Read a line. Times are those of `zone`; a time of day without a day is the latest one that has begun."""
    text = " ".join(text.replace("\x00", " ").split())[:400]
    text, span, wrong = _time(text, now.astimezone(zone), zone)
    if wrong:
        return Asked(wrong=wrong)
    rest = _LABELS.sub(" ", text)
    words = [word.strip(",;\"'") for word in rest.split()]
    kept = tuple(dict.fromkeys(word for word in words if word and word.lower() not in _FILLERS))
    if len(kept) > MOST_WORDS:
        return Asked(wrong="That is more than can be looked up at once. Give one id, or a provider and a time.")
    return Asked(kept, *(span or (None, None)))


Span = tuple[datetime, datetime]


def _time(text: str, now: datetime, zone: ZoneInfo) -> tuple[str, Span | None, str]:
    try:
        exact = _ISO.search(text)
        if exact:
            at = datetime.fromisoformat(exact[0].upper())
            return _without(text, exact), (at - AROUND, at + AROUND), ""
        for form, kind in _FORMS:
            found = form.search(text)
            if found:
                return _without(text, found), _span(kind, found, now, zone), ""
    except (ValueError, OverflowError):
        return text, None, "This is no date. Write it as 2026-11-22, a time as 14:05."
    return text, None, ""


def _without(text: str, found: re.Match[str]) -> str:
    return f"{text[: found.start()]} {text[found.end() :]}"


def _span(kind: str, found: re.Match[str], now: datetime, zone: ZoneInfo) -> Span:
    given = found.groupdict()
    if kind == "last":
        return now - int((given["count"] or "1").strip()) * _UNITS[given["unit"].lower()], now + timedelta(minutes=1)
    day = _day(given.get("day"), now)
    if kind == "day":
        return _midnight(day or now.date(), zone), _midnight((day or now.date()) + timedelta(days=1), zone)
    if kind == "days":
        first, last = sorted((day or now.date(), _day(given["until"], now) or now.date()))
        return _midnight(first, zone), _midnight(last + timedelta(days=1), zone)
    begin = time(int(given["ah"]), int(given["am"]))
    on = day or _latest(begin, now)
    start = datetime.combine(on, begin, zone)
    if kind == "moment":
        return start - AROUND, start + AROUND
    end = datetime.combine(on, time(int(given["bh"]), int(given["bm"])), zone) + timedelta(minutes=1)
    return start, end if end > start else end + timedelta(days=1)


def _day(word: str | None, now: datetime) -> date | None:
    if not word:
        return None
    named = {"today": now.date(), "yesterday": now.date() - timedelta(days=1)}
    return named.get(word.lower()) or date.fromisoformat(word)


def _latest(begin: time, now: datetime) -> date:
    today = now.date()
    return today if datetime.combine(today, begin, now.tzinfo) <= now + AROUND else today - timedelta(days=1)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)
