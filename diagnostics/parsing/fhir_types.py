"""Judge a single value by its FHIR R4 data type (FHIR R4, data types, primitive types).

Each type has a quick test for values that are right, and a sentence for those that are not. The sentences follow the
element's path and never quote the value.
"""

import binascii
import re
from calendar import monthrange
from collections.abc import Callable
from typing import Any

_MAX_TEXT = 1024 * 1024  # FHIR R4, string: at most 1 MB
_DATE = r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(0[1-9]|[12]\d|3[01]))?)?"
_ZONE = r"(?:Z|[+-](?:(?:0\d|1[0-3]):[0-5]\d|14:00))"
_CLOCK = r"(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,30})?"
_IS_DATE = re.compile(_DATE).fullmatch
_IS_DATE_TIME = re.compile(rf"{_DATE}(T{_CLOCK}{_ZONE})?").fullmatch
_IS_INSTANT = re.compile(rf"{_DATE}T{_CLOCK}{_ZONE}").fullmatch
_IS_TIME = re.compile(_CLOCK).fullmatch
_IS_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}").fullmatch
_IS_CODE = re.compile(r"\S+(?:\s\S+)*").fullmatch
_IS_URI = re.compile(r"\S+").fullmatch
_IS_OID = re.compile(r"urn:oid:[0-2](?:\.(?:0|[1-9]\d{0,60})){1,200}").fullmatch
_IS_UUID = re.compile(r"urn:uuid:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}").fullmatch
_NO_ZONE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,30})?)?").fullmatch
_NO_SECONDS = re.compile(rf"\d{{4}}-\d\d-\d\dT\d\d:\d\d{_ZONE}").fullmatch


def lone_surrogate(text: str) -> bool:
    """Tell whether a text holds half a character, which no UTF-8 can carry."""
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _text(value: Any) -> bool:
    return type(value) is str and bool(value) and len(value) <= _MAX_TEXT and not lone_surrogate(value)


def _calendar(match: re.Match[str] | None) -> bool:
    """Tell whether a matched date exists in the calendar."""
    if match is None:
        return False
    year, month, day = match.group(1, 2, 3)
    if year == "0000":
        return False
    return day is None or int(day) <= 28 or int(day) <= monthrange(int(year), int(month))[1]


def _date(value: Any) -> bool:
    return type(value) is str and _calendar(_IS_DATE(value))


def _date_time(value: Any) -> bool:
    match = _IS_DATE_TIME(value) if type(value) is str else None
    return _calendar(match) and match is not None and (match.group(4) is None or match.group(3) is not None)


def _instant(value: Any) -> bool:
    match = _IS_INSTANT(value) if type(value) is str else None
    return _calendar(match) and match is not None and match.group(3) is not None


def base64_bytes(value: str) -> bytes | None:
    """Decode base64, white space inside tolerated as receivers do; None where it is none."""
    try:
        return binascii.a2b_base64(value, strict_mode=True)
    except ValueError:
        pass
    try:
        return binascii.a2b_base64("".join(value.split()), strict_mode=True)
    except ValueError:
        return None


def _base64(value: Any) -> bool:
    return type(value) is str and bool(value) and base64_bytes(value) is not None


def _whole(least: int) -> Callable[[Any], bool]:
    def holds(value: Any) -> bool:
        return type(value) is int and least <= value <= 2**31 - 1

    return holds


def _matching(matches: Callable[[str], Any]) -> Callable[[Any], bool]:
    def holds(value: Any) -> bool:
        return type(value) is str and matches(value) is not None

    return holds


def _boolean(value: Any) -> bool:
    return value is True or value is False


def _decimal(value: Any) -> bool:
    return type(value) is float or type(value) is int


HOLDS: dict[str, Callable[[Any], bool]] = {
    "base64Binary": _base64,
    "boolean": _boolean,
    "canonical": _matching(_IS_URI),
    "code": _matching(_IS_CODE),
    "date": _date,
    "dateTime": _date_time,
    "decimal": _decimal,
    "id": _matching(_IS_ID),
    "instant": _instant,
    "integer": _whole(-(2**31)),
    "markdown": _text,
    "oid": _matching(_IS_OID),
    "positiveInt": _whole(1),
    "string": _text,
    "time": _matching(_IS_TIME),
    "unsignedInt": _whole(0),
    "uri": _matching(_IS_URI),
    "url": _matching(_IS_URI),
    "uuid": _matching(_IS_UUID),
    "xhtml": _text,
}
_NUMBERS = frozenset({"decimal", "integer", "positiveInt", "unsignedInt"})
_ADDRESSES = frozenset({"uri", "url", "canonical"})
_TIMES = frozenset({"date", "dateTime", "instant"})


def reject(kind: str, value: Any) -> tuple[str, str]:
    """Return what is wrong with a value that its type does not hold: the issue's kind, and how the sentence goes on."""
    if value is None:
        return "shape", "is null, which FHIR's JSON does not know"
    if isinstance(value, dict | list):
        return "shape", f"must be a single {kind}, not {'a list' if isinstance(value, list) else 'an object'}"
    if kind == "boolean":
        return "shape", "must be true or false, without quotation marks"
    if kind in _NUMBERS:
        return _number(kind, value)
    if not isinstance(value, str):
        return "shape", f"must be text, of data type {kind}"
    if not value:
        return "value", "is empty; an element without a value must be left out"
    if kind in ("string", "markdown", "xhtml"):
        return "value", "is longer than 1 MB" if len(value) > _MAX_TEXT else "holds half a character (a lone surrogate)"
    if kind in _TIMES:
        return "value", _time(kind, value)
    if kind == "id":
        return "value", "may hold at most 64 letters, digits, hyphens and full stops"
    if kind == "code":
        return "value", "is a code with white space at an end or doubled inside"
    if kind in _ADDRESSES:
        return "value", "is an address with white space in it"
    return "value", {
        "base64Binary": "is not valid base64",
        "time": "is no time of day such as 16:58:00",
        "oid": "is no OID such as urn:oid:1.2.3",
        "uuid": "is no UUID in lower case such as urn:uuid:0c3151bd-…",
    }.get(kind, "holds a value that its data type does not allow")


def _number(kind: str, value: Any) -> tuple[str, str]:
    if type(value) not in (int, float):
        return "shape", f"must be a number of data type {kind}, without quotation marks"
    if type(value) is float:
        return "value", "must be a whole number"
    return "value", f"lies outside what a {kind} may hold"


def _time(kind: str, value: str) -> str:
    if kind != "date" and _NO_ZONE(value):
        return "gives a time and no time zone"
    if kind != "date" and _NO_SECONDS(value):
        return "gives a time without seconds"
    if kind == "instant" and _date(value):
        return "must be an instant: date, time and time zone"
    if kind == "date" and _date_time(value):
        return "must be a date without a time"
    if re.match(r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}", value) or re.fullmatch(
        r"\d{8,14}(?:\.\d{1,9})?(?:[+-]\d{4})?", value
    ):
        return f"is not written as FHIR writes a {kind} (such as {_SAMPLES[kind]})"
    if _IS_DATE(value) or _IS_DATE_TIME(value):
        return "names a day that is not in the calendar"
    return f"is no {kind}, such as {_SAMPLES[kind]}"


_SAMPLES = {"date": "2026-03-02", "dateTime": "2026-03-02T16:58:00Z", "instant": "2026-03-02T16:58:00Z"}
