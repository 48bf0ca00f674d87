"""Take the header off a syslog line: RFC 5424, RFC 3164 (no year), and what devices and collectors make of them."""

import re
from datetime import datetime

from diagnostics.parsing.log_formats.moments import iso, without_year
from diagnostics.parsing.log_formats.pieces import Odd

_HEADER = re.compile(
    r"(?:\d{1,7} (?=<))?(?:<\d{1,3}>)?(?:1 (?=\d{4}-))?[*.:]?\s?"
    r"(?:(?P<iso>\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:Z|[+-]\d{2}:?\d{2})?)"
    r"|(?P<month>[A-Z][a-z]{2}) {1,2}(?P<day>\d{1,2}) (?:(?P<year>\d{4}) )?(?P<time>\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)"
    r"(?: (?P<late>\d{4})(?=[ :]))?(?: (?P<zone>UTC|GMT|Z)(?=[: ]))?)"
)


def without_header(text: str, now: datetime) -> tuple[str, str]:
    """Return the line's time (ISO 8601; naive where it names no offset; "" without any) and what follows it.

    A line without a year is of the last such day before `now`.
    """
    found = _HEADER.match(text)
    if found is None:
        return "", text
    try:
        if found["iso"]:
            return iso(found["iso"]), text[found.end() :]
        year = found["year"] or found["late"]
        if year:
            written = iso(f"{found['month']} {found['day']} {year} {found['time']}")
        else:
            written = iso(f"{without_year(found['month'], found['day'], now)}T{found['time']}")
    except ValueError:
        raise Odd("begins with no time that exists") from None
    return written + ("+00:00" if found["zone"] else ""), text[found.end() :]


def with_time(text: str, now: datetime) -> tuple[str, str]:
    """Do the same; raise Odd where the line begins with no time."""
    at, message = without_header(text, now)
    if not at:
        raise Odd("begins with no time")
    return at, message
