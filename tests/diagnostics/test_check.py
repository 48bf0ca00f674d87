"""What `@check` refuses at import, and what it reads from a signature."""

from typing import Any

import pytest

from diagnostics import catalog, causes
from diagnostics.check import build, check, declared
from diagnostics.errors import DeclarationError
from diagnostics.evidence.case_parts import Clock, Template
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.network import DnsAnswer
from diagnostics.findings import Result
from diagnostics.vocabulary import Instant, Step, Strength


def good(clock: Clock) -> Result:
    """Say why it matters."""
    raise AssertionError("never judged here")


def silent(clock: Clock) -> Result:
    raise AssertionError("never judged here")


def not_evidence(number: int) -> Result:
    """Say why it matters."""
    raise AssertionError("never judged here")


def bare() -> Result:
    """Say why it matters."""
    raise AssertionError("never judged here")


REFUSALS: list[tuple[Any, dict[str, Any], str]] = [
    (silent, {}, "docstring"),
    (not_evidence, {}, "parameter number is not Evidence"),
    (bare, {}, "without evidence"),
    (good, {"id": "net.nowhere"}, "starts with auth"),
    (good, {"title": "Is it so?"}, "statement"),
    (good, {"checklist": ("NOPE.1",)}, "unknown checklist item NOPE.1"),
    (good, {"proves": (causes.HTTP401_CLASSIFY,)}, "classifier"),
]


@pytest.mark.parametrize(("function", "change", "words"), REFUSALS, ids=[words for _, _, words in REFUSALS])
def test_a_declaration_that_breaks_the_rules_is_refused(function: Any, change: dict[str, Any], words: str) -> None:
    given = {"id": "auth.example", "step": Step.AUTHENTICATION, "title": "The clock runs"} | change
    with pytest.raises(DeclarationError, match=words):
        build(function, **given)


def test_an_id_is_declared_once() -> None:
    catalog.load()
    taken = next(iter(declared().values()))
    with pytest.raises(DeclarationError, match="declared twice"):
        check(id=taken.id, step=taken.step, title=taken.title)(good)


def test_the_signature_says_what_is_needed() -> None:
    def asks(trace: NoteTrace, template: Template | None, answers: tuple[DnsAnswer, ...]) -> Result:
        """Say why it matters."""
        raise AssertionError("never judged here")

    made = build(asks, id="auth.example", step=Step.AUTHENTICATION, title="It is so", proves=(causes.TOKEN_EXPIRED,))
    assert [(n.name, n.optional, n.every) for n in made.needs] == [
        ("trace", False, False),
        ("template", True, False),
        ("answers", False, True),
    ]
    assert made.instant is Instant.NOW
    assert made.strength is Strength.DECISIVE
