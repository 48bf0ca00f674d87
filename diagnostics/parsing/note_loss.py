"""Measure how much of a text is still there after filing, strict about content and tolerant of layout. Pure.

Sentences that stand unchanged are set aside; what is left is aligned word by word. Words that hold other characters
than ASCII are left out on both sides (garbled characters are another fault), and so are sentences with the marks of a
macro, which the EHR replaces.
"""

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher

from diagnostics.parsing.similarity import sentences

ALIGNED_WORDS = 1500  # beyond, words are only counted: the alignment's time grows with the square
_MACRO = re.compile(r"@\w{2,40}@|\{\{|\{[A-Za-z]|\*\*\*|(?:^|\s)\.[a-z]{3,}\b")
_CLOSE = 0.8  # how alike two words must be for one to be a misspelling of the other


@dataclass(frozen=True)
class Kept:
    """Say how much of the sent text was kept: `share` by characters; `lost` and `new` count words.

    `lost` are words of which nothing is left; `new` are words that stand where they were.
    """

    share: float
    lost: int = 0
    new: int = 0


def kept(sent: str, stored: str, *, beside: str = "") -> Kept | None:
    """Return how much of a sent text the stored one holds, or None where there is nothing to compare.

    Sentences of `beside`, which may share the stored text, are no words that came in its place.
    """
    plain = "\n".join(line for line in sent.splitlines() if not _MACRO.search(line))
    mine = Counter(_plain(sentence) for sentence in sentences(plain))
    theirs = Counter(_plain(sentence) for sentence in sentences(stored))
    del mine[()], theirs[()]
    total = sum(_size(sentence) * count for sentence, count in mine.items())
    if not total:
        return None
    same = mine & theirs
    left = [word for sentence, count in (mine - same).items() for word in sentence * count]
    theirs -= same
    theirs -= Counter(_plain(sentence) for sentence in sentences(beside))
    other = [word for sentence, count in theirs.items() for word in sentence * count]
    if not left:
        return Kept(1.0)
    if max(len(left), len(other)) > ALIGNED_WORDS:
        gone = Counter(left) - Counter(other)
        return Kept(1 - _weigh(gone) / total, gone.total(), (Counter(other) - Counter(left)).total())
    return _aligned(left, other, total)


def _aligned(left: list[str], other: list[str], total: int) -> Kept:
    lost_size, lost, new = 0.0, 0, 0
    # the same words in another order, or behind a line break elsewhere, are no loss
    spare = Counter(other) - Counter(left)
    missing = Counter(left) - Counter(other)
    for tag, start, end, from_, to in SequenceMatcher(None, left, other, autojunk=False).get_opcodes():
        if tag in ("equal", "insert"):
            continue
        gone, came = _taken(left[start:end], missing), _taken(other[from_:to], spare)
        new += len(came)
        for word in gone:
            near = max((SequenceMatcher(None, word, one).ratio() for one in came[:12]), default=0.0)
            lost_size += len(word) * (1 - near if near >= _CLOSE else 1)
            lost += near < _CLOSE
    return Kept(max(0.0, 1 - lost_size / total), lost, new)


def _taken(words: list[str], budget: Counter[str]) -> list[str]:
    """Return the words that a count still covers, and take them out of it."""
    found = []
    for word in words:
        if budget[word] > 0:
            budget[word] -= 1
            found.append(word)
    return found


def _plain(sentence: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in sentence if word.isascii())


def _size(sentence: tuple[str, ...]) -> int:
    return sum(len(word) for word in sentence)


def _weigh(words: Counter[str]) -> int:
    return sum(len(word) * count for word, count in words.items())
