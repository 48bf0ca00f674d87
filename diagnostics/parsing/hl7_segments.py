"""Hold what the standard says of single fields, by version (v2.3 to v2.8): required, repeating, how long.

Only the segments an AI scribe sends or gets back are listed. Lengths are the standard's LEN column, in characters of
one occurrence of a field, its component delimiters counted and repetition delimiters not (chapter 2, data fields);
receivers treat it as nominal, and an interface's own limit always wins. From v2.7 on only normative lengths are left:
codes, set ids and the control id have one, texts and identifiers none.

Source of the figures: the segment definitions from which the models of the HAPI library are generated (v2.3, v2.4,
v2.6, v2.7), chapters 2 and 9 of v2.5.1 for the rest. OBX-5 is 65536 in v2.3 to v2.4 and in v2.6, 99999 in v2.5 and
v2.5.1. MSH-9 before v2.5 and MSH-18 in v2.3 are left out: their lengths do not hold the standard's own values.
"""

from collections.abc import Mapping
from functools import cache

from diagnostics.parsing.hl7_tables import VERSIONS, since, version_of

_REQUIRED: Mapping[str, tuple[int, ...]] = {
    "MSH": (9, 10, 11, 12),
    "EVN": (2,),
    "PID": (3, 5),
    "PV1": (2,),
    "TXA": (1, 2, 12, 17),
    "OBX": (3, 11),
    "OBR": (4,),
    "ORC": (1,),
    "MSA": (1, 2),
}
# segment, first version, first version without (or None), fields
_REQUIRED_BETWEEN: tuple[tuple[str, str, str | None, tuple[int, ...]], ...] = (
    ("MSH", "2.4", None, (7,)),
    ("ERR", "2.1", "2.5", (1,)),
    ("ERR", "2.5", None, (3, 4)),
)

_LENGTHS: tuple[tuple[str, Mapping[str, int | None]], ...] = (
    (
        "2.1",
        {
            "MSH-3": 180, "MSH-4": 180, "MSH-5": 180, "MSH-6": 180, "MSH-7": 26, "MSH-10": 20, "MSH-15": 2, "MSH-16": 2,
            "EVN-2": 26, "TXA-1": 4, "TXA-2": 30, "TXA-12": 30, "TXA-13": 30, "TXA-16": 30, "TXA-17": 2, "TXA-18": 2,
            "TXA-19": 2, "TXA-20": 2, "TXA-21": 30, "OBX-1": 4, "OBX-2": 2, "OBX-3": 590, "OBX-4": 20, "OBX-5": 65536,
            "OBX-11": 1, "NTE-3": 65536,
        },
    ),
    ("2.3.1", {"MSH-18": 16}),
    ("2.4", {"OBX-3": 250}),
    (
        "2.5",
        {
            "MSH-3": 227, "MSH-4": 227, "MSH-5": 227, "MSH-6": 227, "MSH-9": 15, "OBX-2": 2, "OBX-5": 99999,
            "PID-3": 250, "PID-5": 250, "PV1-19": 250, "MSA-3": 80, "ERR-6": 80, "ERR-7": 2048, "ERR-8": 250,
        },
    ),
    (
        "2.6",
        {
            "MSH-7": 24, "EVN-2": 24, "OBX-2": 3, "OBX-3": 705, "OBX-5": 65536, "TXA-12": 427, "TXA-13": 427,
        },
    ),
    (
        "2.7",
        {
            "MSH-3": None, "MSH-4": None, "MSH-5": None, "MSH-6": None, "MSH-7": None, "MSH-9": None, "MSH-10": 199,
            "MSH-18": 15, "EVN-2": None, "TXA-2": None, "TXA-12": None, "TXA-13": None, "TXA-16": None, "TXA-18": 1,
            "TXA-21": None, "OBX-3": None, "OBX-4": None, "OBX-5": None, "NTE-3": None, "PID-3": None, "PID-5": None,
            "PV1-19": None, "MSA-3": None, "ERR-6": None, "ERR-7": None, "ERR-8": None,
        },
    ),
)  # fmt: skip

# fields that may stand only once, with the first version and the first without that rule
_ONCE: tuple[tuple[str, str, str | None, tuple[int, ...]], ...] = (
    ("MSH", "2.1", None, (9, 10, 11, 12)),
    ("EVN", "2.1", None, (2,)),
    ("PID", "2.1", "2.3.1", (5,)),
    ("PV1", "2.1", None, (2, 19)),
    ("TXA", "2.1", None, (1, 2, 12, 16, 18, 19, 20)),
    ("TXA", "2.3.1", None, (17,)),
    ("OBX", "2.1", None, (1, 2, 3, 11)),
    ("OBR", "2.1", None, (4,)),
)


def _holds(version: str, first: str, until: str | None) -> bool:
    return since(version, first) and not (until is not None and since(version, until))


@cache
def required_fields(segment: str, version: str) -> tuple[int, ...]:
    """Return the numbers of the fields a segment must carry in this version."""
    more = (fields for name, first, until, fields in _REQUIRED_BETWEEN if name == segment
            and _holds(version, first, until))  # fmt: skip
    return tuple(sorted({*_REQUIRED.get(segment, ()), *(number for fields in more for number in fields)}))


@cache
def single_fields(segment: str, version: str) -> tuple[int, ...]:
    """Return the numbers of the listed fields that must not repeat in this version."""
    held = (fields for name, first, until, fields in _ONCE if name == segment and _holds(version, first, until))
    return tuple(sorted({number for fields in held for number in fields}))


@cache
def length_limits(version: str) -> Mapping[str, int]:
    """Return the standard's lengths in characters of one occurrence, keyed `OBX-5`."""
    found: dict[str, int] = {}
    at = VERSIONS.index(version_of(version))
    for first, changes in _LENGTHS:
        if at < VERSIONS.index(first):
            break
        for path, limit in changes.items():
            if limit is None:
                found.pop(path, None)
            else:
                found[path] = limit
    return found
