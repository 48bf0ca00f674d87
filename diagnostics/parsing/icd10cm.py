"""Look a diagnosis code up in the ICD-10-CM code set: does it exist, may it be billed, what does its title fix.

`diagnostics/data/icd10cm.xz` holds one release, made by `tests/tools/make_icd10cm.py`. Decompressed: one line of JSON
(release, source, counts, `traits`), then a record of nine bytes for each code in the order of the codes: seven
characters without the dot, filled with spaces, and two bytes that hold the number of its traits and, as the lowest
bit, whether no longer code exists. It is read once, on the first look-up (0.9 MB), and searched by halves.
"""

import bisect
import json
import lzma
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_FILE = Path(__file__).resolve().parents[1] / "data" / "icd10cm.xz"
_SIZE, _WIDTH = 9, 7


@dataclass(frozen=True)
class Code:
    """Be one code of the set; `billable` is False for a category that has longer codes.

    `traits` are what its title fixes: left right bilateral, a trimester, initial or subsequent encounter, sequela,
    acute chronic, type 1 or 2 diabetes, "with …" and "without …".
    """

    code: str
    billable: bool
    traits: frozenset[str]


@dataclass(frozen=True)
class _CodeSet:
    release: str
    count: int
    billable: int
    traits: tuple[frozenset[str], ...]
    records: bytes

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: int) -> bytes:
        return self.records[place * _SIZE : place * _SIZE + _WIDTH]


@lru_cache(maxsize=1)
def _load() -> _CodeSet:
    head, _, records = lzma.decompress(_FILE.read_bytes()).partition(b"\n")
    told = json.loads(head)
    kinds = tuple(frozenset(kind) for kind in told["traits"])
    return _CodeSet(told["release"], told["codes"], told["billable"], kinds, records)


def release() -> str:
    """Return the name of the release at hand, such as "April 2026"."""
    return _load().release


def counts() -> tuple[int, int]:
    """Return how many codes the release has, and how many of them may be billed."""
    held = _load()
    return held.count, held.billable


def look_up(code: str) -> Code | None:
    """Return a code, written with or without its dot, or None where the release has none such."""
    plain = code.replace(".", "").strip().upper()
    if not (3 <= len(plain) <= _WIDTH and plain.isascii()):
        return None
    held = _load()
    key = plain.ljust(_WIDTH).encode()
    place = bisect.bisect_left(held, key)
    if place >= held.count or held[place] != key:
        return None
    kind = int.from_bytes(held.records[place * _SIZE + _WIDTH : (place + 1) * _SIZE], "big")
    return Code(code.strip().upper(), bool(kind & 1), held.traits[kind >> 1])
