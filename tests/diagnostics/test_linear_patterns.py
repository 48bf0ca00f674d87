"""Every regular expression of the engine takes time in proportion to its text: measured as growth, not in seconds."""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from time import process_time
from typing import Any

import pytest

import diagnostics
from diagnostics.signatures import load

_SMALL, _LARGE = 4_000, 16_000
_WORTH_MEASURING_S = 0.02  # below it, the clock is coarser than the work
_ADVERSARIES = (
    *("a", " ", "A", "<a ", '"', '\\"', '{"error":"', "0123456789 ", "no ", "HTTP/1.1 200 "),
    "the message of the application and the section of the template field certificate token key ",
    "MSA|AE|TXA-2 segment encounter patient not expected ",
    *(
        "BP 120/80 ",
        "E11.9 ",
        "metformin 500 mg ",
        "follow up in ",
        "sha256:",
        "\\.br\\",
        "OBX|1|TX|",
        "eyJ",
        "=",
        "\n",
    ),
    "https://ehr.example/fhir/R4/DocumentReference/1 ",
)


def _held(value: object, depth: int = 3) -> Iterator[re.Pattern[str]]:
    """Yield the patterns a module's value is or holds; those over bytes are read with the text's bytes."""
    if isinstance(value, re.Pattern):
        yield value
    elif depth and isinstance(value, Mapping):
        for one in value.values():
            yield from _held(one, depth - 1)
    elif depth and isinstance(value, tuple | list | set | frozenset):
        for one in value:
            yield from _held(one, depth - 1)
    elif depth and is_dataclass(value) and not isinstance(value, type):
        for one in fields(value):
            yield from _held(getattr(value, one.name), depth - 1)


def _patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    seen: set[int] = set()
    for found in pkgutil.walk_packages(diagnostics.__path__, "diagnostics."):
        if found.name.startswith("diagnostics.practice"):
            continue
        module = importlib.import_module(found.name)
        for name, value in sorted(vars(module).items()):
            for number, pattern in enumerate(_held(value)):
                if id(pattern) not in seen:
                    seen.add(id(pattern))
                    yield f"{module.__name__}.{name}{f' {number}' if number else ''}", pattern
    for row in load():
        if row.pattern is not None and id(row.pattern) not in seen:
            yield row.id, row.pattern


def _seconds(pattern: re.Pattern[str], said: str) -> float:
    """Return the least of three runs over the whole text, each match being followed by a search for the next."""
    text: Any = said.encode() if isinstance(pattern.pattern, bytes) else said

    def once() -> float:
        start = process_time()
        for _ in pattern.finditer(text):
            pass
        return process_time() - start

    first = once()
    return first if first < _WORTH_MEASURING_S else min(first, once(), once())


@pytest.mark.parametrize(("name", "pattern"), [pytest.param(*entry, id=entry[0]) for entry in _patterns()])
def test_four_times_the_text_takes_no_more_than_ten_times_as_long(name: str, pattern: re.Pattern[str]) -> None:
    """Four times is linear, sixteen times quadratic; between them is room for a noisy machine."""
    for adversary in _ADVERSARIES:
        large = _seconds(pattern, adversary * (_LARGE // len(adversary) + 1))
        if large > _WORTH_MEASURING_S:
            small = _seconds(pattern, adversary * (_SMALL // len(adversary) + 1))
            assert large < 10 * small, (name, adversary, small, large)


def test_a_quadratic_pattern_would_be_found() -> None:
    with pytest.raises(AssertionError):
        test_four_times_the_text_takes_no_more_than_ten_times_as_long("quadratic", re.compile(r"(?:a[^b]{0,99999}c)"))
