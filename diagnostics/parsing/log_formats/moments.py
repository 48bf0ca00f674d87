"""Read the ways in which logs write a time, and give ISO 8601; a time without an offset stays without one.

The zone of such a time is the source's to say. A day without a time of day is refused: it would become midnight.
"""

import re
from datetime import UTC, datetime, timedelta, timezone

_DIGITS = re.compile(r"\d{10}(?:\.\d{1,9})?|\d{13}|\d{16}")
_HL7 = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(?:(\d{2})(?:(\d{2})(?:\.(\d{1,6})\d*)?)?)?([+-]\d{4})?")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d{1,9})?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?")
_BASIC = re.compile(r"\d{8}T\d{4}(?:\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{4})?")
_DATES = (
    re.compile(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})"),
    re.compile(r"(?P<y>\d{4})[/-](?P<m>\d{1,2})[/-](?P<d>\d{1,2})"),
    re.compile(r"(?P<d>\d{1,2})[-/ ](?P<mon>[A-Za-z]{3})[a-z]{0,6}[-/ ](?P<y>\d{4})"),
    re.compile(r"(?P<mon>[A-Za-z]{3})[a-z]{0,6}\.? {1,2}(?P<d>\d{1,2}),? (?P<y>\d{4})"),
)
_TIME = re.compile(
    r"(?:[T:, ]|, | at ) ?(?P<h>\d{1,2}):(?P<min>\d{2})(?::(?P<s>\d{2})(?:[.,](?P<f>\d{1,9}))?)?"
    r"(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?(?: ?(?P<zone>[A-Z]{1,3}|[+-]\d{2}(?::?\d{2})?))?"
)
_CTIME = re.compile(r"([A-Z][a-z]{2} {1,2}\d{1,2}) (\d{1,2}:\d{2}:\d{2}) (\d{4})")
_WEEKDAY = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]{0,6},? ")
_MONTHS = {name: n for n, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)}  # fmt: skip
# RFC 5322 section 4.3: the only zones whose letters mean one thing
_ZONES = {"Z": 0, "UT": 0, "UTC": 0, "GMT": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
          "PST": -8, "PDT": -7}  # fmt: skip
_AHEAD = timedelta(days=1)


def iso(text: str) -> str:
    """Return a time as ISO 8601 text; raise ValueError where it is none, or only a day."""
    text = text.strip()
    if _ISO.fullmatch(text):
        datetime.fromisoformat(text)
        return text
    if _BASIC.fullmatch(text):
        return datetime.fromisoformat(text).isoformat()
    if _DIGITS.fullmatch(text):
        return epoch(text)
    if text[:12].isdigit():
        return hl7(text)
    return _written(text)


def epoch(text: str) -> str:
    """Return seconds since 1970 (10 digits, with or without a fraction), milli- or microseconds as ISO 8601 in UTC."""
    whole, _, fraction = text.partition(".")
    if not whole.isascii() or not whole.isdigit() or len(whole) > 16 or len(fraction) > 9:
        raise ValueError("no epoch time")
    micros = int(whole) * {13: 1_000, 16: 1}.get(len(whole), 1_000_000)
    if fraction:
        micros += int(fraction[:6].ljust(6, "0"))
    try:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).isoformat()
    except OverflowError:
        raise ValueError("no epoch time") from None


def hl7(text: str) -> str:
    """Return an HL7 v2 time (DTM: YYYYMMDDHH[MM[SS[.S…]]][+ZZZZ]) as ISO 8601; naive without its offset."""
    found = _HL7.fullmatch(text.strip())
    if found is None:
        raise ValueError("no HL7 time")
    year, month, day, hour, minute, second, fraction, offset = found.groups()
    return _made(year, month, day, hour, minute, second, fraction, offset)


def _written(text: str) -> str:
    text = _WEEKDAY.sub("", text, count=1) if text[:1].isalpha() else text
    if turned := _CTIME.fullmatch(text):
        text = f"{turned[1]} {turned[3]} {turned[2]}"
    for pattern in _DATES:
        date = pattern.match(text)
        time = _TIME.fullmatch(text, date.end()) if date else None
        if date is None or time is None:
            continue
        parts = date.groupdict()
        month = parts.get("m") or str(_MONTHS.get(parts["mon"].lower(), 0))
        hour = int(time["h"])
        if time["half"]:
            if not 1 <= hour <= 12:
                raise ValueError("no hour of a twelve-hour clock")
            hour = hour % 12 + (12 if time["half"] in "Pp" else 0)
        return _made(parts["y"], month, parts["d"], str(hour), time["min"], time["s"], time["f"], time["zone"])
    raise ValueError("no time")


def _made(
    year: str, month: str, day: str, hour: str, minute: str | None, second: str | None, fraction: str | None,
    zone: str | None,
) -> str:  # fmt: skip
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    made = datetime(int(year), int(month), int(day), int(hour), int(minute or 0), int(second or 0), micros)
    return (made.replace(tzinfo=_zone(zone)) if zone else made).isoformat()


def _zone(text: str) -> timezone:
    if text in _ZONES:
        return timezone(timedelta(hours=_ZONES[text]))
    if text[0] not in "+-":
        raise ValueError("no known zone")
    hours, minutes = int(text[1:3]), int(text[3:].lstrip(":") or 0)
    if minutes > 59:
        raise ValueError("no offset")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text[0] == "-" else offset)


def without_year(month: str, day: str, now: datetime) -> str:
    """Return the date (YYYY-MM-DD) of a line that names no year: the last such day that is not ahead of `now`."""
    number = _MONTHS.get(month.lower(), 0)
    latest = now.replace(tzinfo=None) + _AHEAD
    for year in range(latest.year, latest.year - 9, -1):  # 29 February may lie up to eight years back
        try:
            made = datetime(year, number, int(day))
        except ValueError:
            continue
        if made <= latest:
            return made.date().isoformat()
    raise ValueError("no day of a year")
