"""Hold the HL7 v2 tables of coded values the checks need, by version (v2.3 to v2.8), and the error codes of 0357.

Values as of the standard's chapter 2C and its predecessors. What sites define themselves (0270 document type) or write
in many ways (0211 character sets, 0191 presentation) is `SUGGESTED`: nothing is wrong with another value until the
receiver says so.
"""

from collections.abc import Mapping

VERSIONS = ("2.1", "2.2", "2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2")

_ACK_CONDITIONS = frozenset({"AL", "NE", "ER", "SU"})  # 0155
_RESULT_STATUS = frozenset("CDFINOPRSUWX")  # 0085
_ACK_CODES = frozenset({"AA", "AE", "AR", "CA", "CE", "CR"})  # 0008

TABLES: Mapping[str, tuple[str, frozenset[str]]] = {
    "MSH-11": ("0103", frozenset("PTD")),
    "MSH-15": ("0155", _ACK_CONDITIONS),
    "MSH-16": ("0155", _ACK_CONDITIONS),
    "OBX-11": ("0085", _RESULT_STATUS),
    "TXA-17": ("0271", frozenset({"AU", "DI", "DO", "IN", "IP", "LA", "PA"})),
    "TXA-18": ("0272", frozenset("VRU")),
    "TXA-19": ("0273", frozenset({"AV", "CA", "OB", "UN"})),
    "TXA-20": ("0275", frozenset({"AA", "AC", "AR", "PU"})),
    "MSA-1": ("0008", _ACK_CODES),
    "ERR-4": ("0516", frozenset("EIW")),
}
_LATER: Mapping[str, tuple[str, frozenset[str]]] = {
    "OBX-11": ("2.8", frozenset("ABV")),
    "ERR-4": ("2.7", frozenset("F")),
}
_DOCUMENT_TYPES = "AR CD CN DI DS ED HP OP PC PH PN PR SP TS"
_PRESENTATIONS = "AP AU FT IM multipart NS SD SI TEXT TX"
_VALUE_TYPES = (
    "AD CE CF CK CN CNE CP CWE CX DR DT DTM ED EI FT ID IS MA MO NA NM PN RP SN ST TM TN TS TX XAD XCN XON XPN XTN"
)
_CHARACTER_SETS = (
    *(f"8859/{part}" for part in (*range(1, 10), 15)), "ASCII", "BIG-5", "CNS 11643-1992", "GB 18030-2000", "ISO IR6",
    "ISO IR14", "ISO IR87", "ISO IR159", "KS X 1001", "UNICODE", "UNICODE UTF-8", "UNICODE UTF-16", "UNICODE UTF-32",
)  # fmt: skip
# of all versions together: receivers keep to their own list, and nobody's note fails over the difference
SUGGESTED: Mapping[str, tuple[str, frozenset[str]]] = {
    "TXA-2": ("0270", frozenset(_DOCUMENT_TYPES.split())),
    "TXA-3": ("0191", frozenset(_PRESENTATIONS.split())),
    "OBX-2": ("0125", frozenset(_VALUE_TYPES.split())),
    "MSH-18": ("0211", frozenset(_CHARACTER_SETS)),
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
    return declared_version(declared) or "2.5.1"


def declared_version(declared: str) -> str | None:
    """Return the version of table 0104 that MSH-12.1 says, or None where it says none."""
    bare = declared.strip().removeprefix("v").removeprefix("V")
    return bare if bare in VERSIONS else None


def since(version: str, first: str) -> bool:
    """Tell whether a version is the named one or a later one."""
    return VERSIONS.index(version_of(version)) >= VERSIONS.index(first)


def table_of(path: str, version: str) -> tuple[str, frozenset[str]] | None:
    """Return number and values of the table a field such as `OBX-11` is bound to in this version."""
    bound = TABLES.get(path)
    later = _LATER.get(path)
    if bound is not None and later is not None and since(version, later[0]):
        return bound[0], bound[1] | later[1]
    return bound
