"""Every regular expression of `explain` takes time in proportion to its text: measured as growth, not in seconds."""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from time import process_time

import pytest

import diagnostics.explain
import diagnostics.explaining
from diagnostics.explaining import clinical
from diagnostics.signatures import load

_READERS = ("ack", "answers", "embedded", "html_answer", "json_answer", "www_authenticate", "xml_answer")
_SMALL, _LARGE = 4_000, 16_000
_WORTH_MEASURING_S = 0.02  # below it, the clock is coarser than the work
_ADVERSARIES = (
    *("a", " ", "A", "<a ", '"', '\\"', '{"error":"', "0123456789 ", "no ", "HTTP/1.1 200 "),
    "the message of the application and the section of the template field certificate token key ",
    "MSA|AE|TXA-2 segment encounter patient not expected ",
)


def _patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    names = [module.name for module in pkgutil.iter_modules(diagnostics.explaining.__path__, "diagnostics.explaining.")]
    names += [f"diagnostics.parsing.{name}" for name in _READERS]
    for module in (diagnostics.explain, *map(importlib.import_module, names)):
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                yield f"{module.__name__}.{name}", value
    for number, cue in enumerate(clinical._CUES):
        yield f"cue {number}", cue
    for row in load():
        if row.pattern is not None:
            yield row.id, row.pattern


def _seconds(pattern: re.Pattern[str], text: str) -> float:
    """Return the least of three runs over the whole text, each match being followed by a search for the next."""

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
