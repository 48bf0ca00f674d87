"""Hold the HL7 v2 tables the checks need: required fields, lengths by version, coded values (v2.3 to v2.8).

Only the segments an AI scribe sends or gets back are listed. Lengths are those of the standard's LEN column, which
receivers treat as nominal: an interface's own limit always wins.
"""

from collections.abc import Mapping

VERSIONS = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2")

_REQUIRED = {
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
_REQUIRED_SINCE_25 = {"MSH": (7,), "ERR": (3, 4)}

_LENGTHS_23 = {"MSH-10": 20, "OBX-5": 65536, "TXA-12": 30, "NTE-3": 65536}
_LENGTHS_25 = {
    "MSH-3": 227, "MSH-4": 227, "MSH-5": 227, "MSH-6": 227, "MSH-7": 26, "MSH-9": 15, "MSH-10": 20, "MSH-18": 16,
    "TXA-2": 30, "TXA-12": 30, "TXA-13": 30, "TXA-16": 30, "TXA-17": 2, "TXA-18": 2, "TXA-19": 2, "TXA-20": 2,
    "TXA-21": 30, "OBX-2": 2, "OBX-3": 250, "OBX-4": 20, "OBX-5": 99999, "NTE-3": 65536, "PID-3": 250, "PID-5": 250,
    "PV1-19": 250,
}  # fmt: skip
_LENGTHS_27 = {"MSH-10": 199}

TABLES: Mapping[str, frozenset[str]] = {
    "MSH-11": frozenset("PTD"),  # 0103
    "OBX-11": frozenset("CDFINOPRSUWXAVB"),  # 0085, with the letters later versions added
    "TXA-17": frozenset({"AU", "DI", "DO", "IN", "IP", "LA", "PA"}),  # 0271
    "TXA-18": frozenset("VRU"),  # 0272
    "TXA-19": frozenset({"AV", "CA", "OB", "UN"}),  # 0273
    "MSH-15": frozenset({"AL", "NE", "ER", "SU"}),  # 0155
    "MSH-16": frozenset({"AL", "NE", "ER", "SU"}),  # 0155
}

ERRORS: Mapping[str, str] = {  # 0357
    "0": "message accepted",
    "100": "segment sequence error",
    "101": "required field missing",
    "102": "data type error",
    "103": "table value not found",
    "104": "value too long",
    "200": "unsupported message type",
    "201": "unsupported event code",
    "202": "unsupported processing id",
    "203": "unsupported version id",
    "204": "unknown key identifier",
    "205": "duplicate key identifier",
    "206": "application record locked",
    "207": "application internal error",
}


def version_of(declared: str) -> str:
    """Return the version as written in MSH-12.1, or 2.5.1 where it is none the standard knows."""
    bare = declared.strip().removeprefix("v").removeprefix("V")
    return bare if bare in VERSIONS else "2.5.1"


def since(version: str, first: str) -> bool:
    """Tell whether a version is the named one or a later one."""
    return VERSIONS.index(version_of(version)) >= VERSIONS.index(first)


def required_fields(segment: str, version: str) -> tuple[int, ...]:
    """Return the numbers of the fields a segment must carry in this version."""
    later = _REQUIRED_SINCE_25.get(segment, ()) if since(version, "2.5") else ()
    return tuple(sorted((*_REQUIRED.get(segment, ()), *later)))


def length_limits(version: str) -> Mapping[str, int]:
    """Return the standard's lengths in characters, keyed `OBX-5`."""
    if since(version, "2.7"):
        return _LENGTHS_27
    return _LENGTHS_25 if since(version, "2.5") else _LENGTHS_23
