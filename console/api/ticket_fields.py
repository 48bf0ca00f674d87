"""Read the JSON of a reported failure: what it may hold, and what is wrong with it, by the field's name."""

import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from console.tickets.models import Severity
from console.tickets.reporting import Reported

ID_CHARS, TEXT_CHARS, CONTACT_CHARS, KEY_CHARS = 200, 20_000, 200, 200
OLDEST, AHEAD = timedelta(days=366), timedelta(minutes=5)
SEVERITIES = {severity.value[2:]: severity.value for severity in Severity}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/#:-]{0,79}")
_ONE_OF = ("note_id", "encounter_id", "transaction_id", "error", "text")


class BadField(Exception):
    """What was sent cannot be read; the message names the field and never quotes its value."""


def read_report(body: bytes) -> tuple[Reported, str]:
    """Read a body; give what it reports and the idempotency key that stands in it, if any."""
    found = _object(body)
    unknown = sorted(set(found) - _FIELDS.keys())
    if unknown:
        named = ", ".join(unknown) if all(re.fullmatch(r"[\w.-]{1,40}", name) for name in unknown) else "one"
        raise BadField(f"Unknown field: {named}. Known are {', '.join(_FIELDS)}.")
    told = {name: _FIELDS[name](name, value) for name, value in found.items() if value is not None}
    key = told.pop("idempotency_key", "")
    if not any(told.get(name) for name in _ONE_OF):
        raise BadField(f"Nothing is reported: send at least one of {', '.join(_ONE_OF)}.")
    return Reported(**told), key


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_once)
    except UnicodeDecodeError:
        raise BadField("The body is not UTF-8.") from None
    except json.JSONDecodeError as problem:
        raise BadField(f"The body is no JSON: line {problem.lineno}, column {problem.colno}.") from None
    except (ValueError, RecursionError):  # numbers of thousands of digits, brackets within brackets
        raise BadField("The body is no JSON that can be read.") from None
    if not isinstance(found, dict):
        raise BadField("The body must be one JSON object.")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadField("A field stands twice in the body.")
    return found


def _text(most: int, *, one_line: bool) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if not isinstance(value, str):
            raise BadField(f"{name} must be a text.")
        if len(value) > most:
            raise BadField(f"{name} may have up to {most} characters.")
        if "\0" in value or not _is_plain(value) or (one_line and _CONTROL.search(value)):
            raise BadField(f"{name} holds a character that is no text.")
        return value.strip()

    return read


def _is_plain(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a pair of surrogates
        return False
    return True


def _severity(name: str, value: Any) -> str:
    if not isinstance(value, str) or value not in SEVERITIES:
        raise BadField(f"{name} must be one of {', '.join(SEVERITIES)}.")
    return SEVERITIES[value]


def _reference(name: str, value: Any) -> str:
    if not isinstance(value, str) or not _REFERENCE.fullmatch(value):
        raise BadField(f"{name} is a number such as INC-4711: up to 80 letters, digits and . _ / # : - without blanks.")
    return value


def _moment(name: str, value: Any) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise BadField(f"{name} must be an ISO 8601 time with its offset, such as 2026-11-22T17:12:00+00:00.")
    now = timezone.now()
    try:
        fits = now - OLDEST <= at <= now + AHEAD
    except OverflowError:
        fits = False
    if not fits:
        raise BadField(f"{name} must lie in the last {OLDEST.days} days and not in the future.")
    return at


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadField(f"{name} must be true or false.")
    return value


_ID, _LONG = _text(ID_CHARS, one_line=True), _text(TEXT_CHARS, one_line=False)
_FIELDS: dict[str, Callable[[str, Any], Any]] = {
    "note_id": _ID,
    "encounter_id": _ID,
    "transaction_id": _ID,
    "error": _LONG,
    "text": _LONG,
    "severity": _severity,
    "reference": _reference,
    "reported_at": _moment,
    "contact": _text(CONTACT_CHARS, one_line=True),
    "join": _switch,
    "idempotency_key": _text(KEY_CHARS, one_line=True),
}
