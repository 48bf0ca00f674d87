"""Read the dates of HTTP headers (RFC 9110 section 5.6.7) and Retry-After (section 10.2.3)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def parse_http_date(text: str) -> datetime | None:
    """Return an aware instant for any of the three HTTP date forms, or None."""
    try:
        found = parsedate_to_datetime(text.strip())
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def retry_after_seconds(text: str, now: datetime) -> float | None:
    """Return how many seconds to wait: Retry-After gives either seconds or a date; never negative."""
    stripped = text.strip()
    if stripped.isascii() and stripped.isdigit() and len(stripped) <= 9:
        return float(stripped)
    until = parse_http_date(stripped)
    return max(0.0, (until - now).total_seconds()) if until else None
