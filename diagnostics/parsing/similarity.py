"""Compare text as sent with text as stored: normalised, tolerant of layout, strict about content.

What an EHR's log keeps of a field is a prefix of 64 characters or a SHA-256 of the text; both are compared here, so
that no check has to know how little of the text it sees.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence

from diagnostics.remembering import remembered

PREFIX = 64
SHINGLE = 4
_HASH = re.compile(r"sha256:([0-9a-f]{64})\Z", re.I)
_WORD = re.compile(r"[^\W_]+(?:['\u2019./-][^\W_]+)*")


def normalise(text: str) -> str:
    """Return the text in NFC with every run of white space as one space, trimmed."""
    return " ".join(unicodedata.normalize("NFC", text).split())


@remembered(512)
def words(text: str) -> tuple[str, ...]:
    """Return the words in lower case, without punctuation."""
    return tuple(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


@remembered(512)
def sentences(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the sentences, each as its words; a line break ends a sentence as well."""
    parts = (words(part) for line in text.splitlines() for part in _split_line(line))
    return tuple(part for part in parts if part)


def _split_line(line: str) -> Iterable[str]:
    return re.split(r"(?<=[.!?;])\s+", line)


@remembered(512)
def _runs_of(text: str) -> frozenset[tuple[str, ...]]:
    return shingles(words(text))


def shingles(sequence: Sequence[str], size: int = SHINGLE) -> frozenset[tuple[str, ...]]:
    """Return every run of `size` words."""
    return frozenset(tuple(sequence[i : i + size]) for i in range(len(sequence) - size + 1))


def coverage(text: str, within: str, *, without: str = "") -> float | None:
    """Return which share (0 to 1, by words) of the sentences of `text` stands in `within`.

    Sentences that also stand in `without` say nothing and are left out; None where no sentence is left.
    A sentence counts when three quarters of its runs of four words are found; one of fewer words must be a whole
    sentence there. Lists whose lines were joined are found by the runs across their lines.
    """
    other = frozenset(sentences(without)) if without else frozenset()
    mine = [sentence for sentence in sentences(text) if sentence not in other]
    total = sum(len(sentence) for sentence in mine)
    if not total:
        return None
    runs, whole = _runs_of(within), frozenset(sentences(within))
    covered = sum(len(sentence) for sentence in mine if _stands(sentence, runs, whole))
    across = shingles([word for sentence in mine for word in sentence])
    joined = sum(run in runs for run in across) / len(across) if len(across) >= SHINGLE else 0.0
    return max(covered / total, joined)


_PIECE = re.compile(r"[^.!?;\n]*(?:[.!?;]+(?=\s|\Z)[ \t]*|[.!?;]|\n|\Z)")


def marked(text: str, within: str) -> tuple[tuple[str, bool], ...]:
    """Return the text in pieces, each with whether its words stand in the other text too; neighbours alike are joined.

    A piece is a sentence or a line; one without words goes with the piece before it.
    """
    runs, whole = _runs_of(within), frozenset(sentences(within))
    pieces: list[tuple[str, bool]] = []
    held = ""
    for match in _PIECE.finditer(text):
        held += match.group()
        if match.group() and not match.group().endswith("\n") and match.end() < len(text) and not _ends(match.group()):
            continue  # a stop within a word or a number ends no sentence
        own = words(held)
        there = _stands(own, runs, whole) if own else (pieces[-1][1] if pieces else True)
        if pieces and pieces[-1][1] == there:
            pieces[-1] = (pieces[-1][0] + held, there)
        elif held:
            pieces.append((held, there))
        held = ""
    return tuple(pieces)


def _ends(piece: str) -> bool:
    return piece[-1] in " \t" or piece.rstrip()[-1:] not in ".!?;"


def _stands(sentence: tuple[str, ...], runs: frozenset[tuple[str, ...]], whole: frozenset[tuple[str, ...]]) -> bool:
    own = shingles(sentence)
    if not own:
        return sentence in whole
    return sum(run in runs for run in own) >= 0.75 * len(own)


def is_truncated(stored: str, sent: str) -> bool:
    """Tell whether the stored text is the beginning of the sent one, breaking off well before its end."""
    short, long = normalise(stored), normalise(sent)
    return 0 < len(short) < 0.98 * len(long) and long.startswith(short.rstrip(". \u2026"))


def is_hash(value: str) -> bool:
    """Tell whether a log's field value is a hash of the text."""
    return _HASH.match(value.strip()) is not None


def same_hash(value: str, text: str) -> bool:
    """Tell whether a `sha256:` value is that of the text with outer white space removed, whatever its line ends."""
    match = _HASH.match(value.strip())
    if match is None:
        return False
    plain = text.strip().replace("\r\n", "\n")
    spelled = (plain, plain.replace("\n", "\r\n"), unicodedata.normalize("NFC", plain), normalise(plain))
    return any(hashlib.sha256(one.encode()).hexdigest() == match[1].lower() for one in spelled)


def seen_in_prefix(
    value: str, texts: dict[str, str], expected: frozenset[str] = frozenset()
) -> tuple[tuple[str, ...], bool]:
    """Name the texts that a 64-character prefix shows, in order, and whether all that is visible was recognised.

    Where two texts begin alike, an `expected` one is meant.
    """
    rest = normalise(value)
    left = {name: normalise(text) for name, text in texts.items() if text.strip()}
    found: list[str] = []
    while rest:
        name = _shown_first(rest, left, expected)
        if name is None:
            return tuple(found), False
        found.append(name)
        text = left.pop(name)
        rest = rest[len(text) :].strip() if len(rest) > len(text) else ""
    return tuple(found), True


def _shown_first(rest: str, texts: dict[str, str], expected: frozenset[str]) -> str | None:
    """Return the text that `rest` begins with or is the beginning of; the longest agreement wins."""
    best: str | None = None
    rank = (0, False)
    for name, text in texts.items():
        agree = (rest.startswith(text) and _ends_word(rest, len(text))) or text.startswith(rest)
        mine = (min(len(text), len(rest)), name in expected)
        if agree and mine > rank:
            best, rank = name, mine
    return best


def _ends_word(text: str, at: int) -> bool:
    return at >= len(text) or not (text[at - 1].isalnum() and text[at].isalnum())
