"""Say what kind of values a column of a CSV file holds, without showing one."""

import re
from collections.abc import Sequence
from datetime import datetime

NAIVE = "times without an offset"
_NUMBER = re.compile(r"[+-]?\d{1,15}(\.\d{1,9})?\Z")
_EPOCH = re.compile(r"\d{10}(\d{3})?\Z")
_HL7 = re.compile(r"(19|20)\d{12}(\.\d{1,6})?([+-]\d{4})?\Z")
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2})?([.,]\d{1,9})?( ?[AaPp][Mm])?\Z")
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}\Z")
_DATE_AND_CLOCK = re.compile(r"(\S{6,10})[ T](\S.{3,20})\Z")


def kind_of(values: Sequence[str]) -> str:
    """Name the kind that all values are of; what is empty says nothing."""
    told = [value.strip() for value in values if value.strip()]
    if not told:
        return "empty"
    kinds = {_kind(value) for value in told}
    return kinds.pop() if len(kinds) == 1 else "different things"


def _kind(value: str) -> str:
    if value[:1] in "{[":
        return "JSON"
    if _EPOCH.match(value):
        return "times in seconds or milliseconds"
    if hl7 := _HL7.match(value):
        return "times with an offset" if hl7[3] else NAIVE
    if _NUMBER.match(value):
        return "numbers"
    if _DATE.match(value):
        return "dates"
    if _CLOCK.match(value):
        return "times of day"
    try:
        return NAIVE if datetime.fromisoformat(value).tzinfo is None else "times with an offset"
    except ValueError:
        pass
    both = _DATE_AND_CLOCK.match(value)
    if both and _DATE.match(both[1]) and _CLOCK.match(both[2]):
        return NAIVE
    if " " in value:
        return "text"
    return "codes or ids" if any(letter.isdigit() for letter in value) else "words"
