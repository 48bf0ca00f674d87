"""Compare identifiers as both systems write them: `Encounter/E-1` and `E-1` are the same id.

Never joins on names; only on identifiers (domain.md section 5).
"""

from collections.abc import Iterable


def plain(value: str | None) -> str | None:
    """Return an identifier without reference prefix, version, system and URN wrapping; None stays None."""
    if not value:
        return None
    text = value.strip()
    text = text.rsplit("|", 1)[-1]
    text = text.split("/_history/", 1)[0]
    if text.lower().startswith(("urn:uuid:", "urn:oid:")):
        text = text.split(":", 2)[2]
    kind, slash, rest = text.rstrip("/").rpartition("/")
    if slash and kind.rpartition("/")[2].isalpha():  # a FHIR type before it; "2026/7" is an id of its own
        return rest
    return text.rstrip("/") or None


def same(one: str | None, other: str | None) -> bool:
    """Tell whether two identifiers name the same thing; an absent one equals nothing."""
    left, right = plain(one), plain(other)
    return left is not None and left == right


def differs(one: str | None, other: str | None) -> bool:
    """Tell whether both are there and name different things."""
    left, right = plain(one), plain(other)
    return left is not None and right is not None and left != right


def plains(values: Iterable[str | None]) -> set[str]:
    """Return the set of plain identifiers that are there."""
    return {found for found in map(plain, values) if found is not None}
