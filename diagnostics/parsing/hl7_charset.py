"""Translate the character sets of HL7 (MSH-18, table 0211) to Python's names, and decode whatever the bytes are.

Table 0211 as of v2.8, with what senders write instead. `UNICODE` alone (deprecated since v2.5) is written by senders
of UTF-8 and cannot be UTF-16 where the header reads as plain bytes, so it counts as UTF-8.
"""

_CHARSETS = {
    "": "ascii",
    "ASCII": "ascii",
    "ISO IR6": "ascii",
    "UNICODE UTF-8": "utf-8",
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "UNICODE": "utf-8",
    "UNICODE UTF-16": "utf-16",
    "UNICODE UTF-32": "utf-32",
    "GB 18030-2000": "gb18030",
    "BIG-5": "big5",
    "KS X 1001": "euc_kr",
    "ISO IR87": "iso2022_jp",
    "ISO IR14": "shift_jis",
    "ISO IR159": "iso2022_jp_1",
}
for _part in (*range(1, 10), 15):
    _CHARSETS[f"8859/{_part}"] = f"iso8859-{_part}"


def python_charset(declared: str) -> str | None:
    """Return Python's name for a value of MSH-18 (its first repetition), or None for an unknown one."""
    return _CHARSETS.get(declared.strip().upper())


def decode(raw: bytes, charset: str) -> str:
    """Decode as declared, else as UTF-8, else byte for byte: text must come out whatever was declared."""
    if raw.isascii() and not charset.startswith(("utf-16", "utf-32", "iso2022")):
        return raw.decode("ascii")
    return raw.decode(effective(raw, charset))


def effective(raw: bytes, charset: str) -> str:
    """Return the first of the declared set, UTF-8 and Latin-1 in which these bytes can be read."""
    return next(name for name in (charset, "utf-8", "latin-1") if decodes(raw, name))


def decodes(raw: bytes, charset: str) -> bool:
    """Tell whether the bytes can be read in a character set of Python's."""
    try:
        raw.decode(charset)
    except (UnicodeError, LookupError):
        return False
    return True


def represents(text: str, charset: str) -> bool:
    """Tell whether a character set of Python's has every character of the text."""
    try:
        text.encode(charset)
    except (UnicodeError, LookupError):
        return False
    return True
