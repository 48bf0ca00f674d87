"""docs/requirements.md is whole: every requirement of the guide is there once, and whatever it names exists."""

import re
from pathlib import Path

import pytest
from django.urls import get_resolver

from diagnostics import catalog
from diagnostics.checklists import ITEMS

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (R-\d{3}) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$")
ROWS = [
    match.groups()
    for line in (ROOT / "docs" / "requirements.md").read_text(encoding="utf-8").splitlines()
    if (match := ROW.match(line))
]
ALL = [f"R-{number:03}" for number in range(1, 169)]


def names(cell: str) -> list[str]:
    """Return what a cell names, each in back quotes."""
    return re.findall(r"`([^`]+)`", cell)


@pytest.fixture(scope="module")
def known() -> set[str]:
    """Return every name a requirement may be answered by, beside paths."""
    addresses: set[str] = set()

    def walk(patterns: list, space: str) -> None:
        for pattern in patterns:
            if hasattr(pattern, "url_patterns"):
                walk(pattern.url_patterns, f"{space}{pattern.namespace}:" if pattern.namespace else space)
            elif pattern.name:
                addresses.add(space + pattern.name)

    walk(get_resolver().url_patterns, "")
    return addresses | set(catalog.causes()) | set(catalog.checks()) | set(ITEMS)


def test_every_requirement_stands_there_once_and_in_order() -> None:
    assert [row[0] for row in ROWS] == ALL


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_answers_a_requirement_exists(row: tuple[str, str, str, str], known: set[str]) -> None:
    answers = names(row[2])
    assert answers
    assert [name for name in answers if name not in known and not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_what_shows_a_requirement_is_a_test(row: tuple[str, str, str, str]) -> None:
    shown = names(row[3])
    assert shown
    assert [
        name for name in shown if not re.fullmatch(r"tests/.+/test_\w+\.py", name) or not (ROOT / name).is_file()
    ] == []
