"""The words that may leave the house in a packet: those the engine itself writes, and those of which errors are made.

Whatever a text quotes, a word that is none of these is left out. So a name, a drug or a sentence of a note stays here
even where nobody knew that it was one.
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from types import CodeType

from console.diagnoses import words
from diagnostics import catalog
from diagnostics.parsing.fhir_definitions import known_names
from diagnostics.signatures.model import vocabulary

LETTERS = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


@cache
def own_words() -> frozenset[str]:
    """Give the words in lower case."""
    catalog.load()
    found = set(vocabulary())
    for package in ("diagnostics.checks", "diagnostics.causes"):
        for text in _texts_of(package):
            found.update(word.lower() for word in LETTERS.findall(text))
    for name in known_names():
        found.add(name.lower())
        found.update(part.lower() for part in _CAMEL.findall(name))
    for choices in (words.CATEGORIES, words.STATUSES, words.PROTOCOLS, words.VENDORS, words.STAGES):
        found.update(word.lower() for text in choices.values() for word in LETTERS.findall(text))
    return frozenset(found)


def is_own(word: str) -> bool:
    """Tell whether a word, or each part of one written likeThis, is one of ours."""
    return word.lower() in own_words() or (
        word.isalpha() and word != word.lower() and all(part.lower() in own_words() for part in _CAMEL.findall(word))
    )


def _texts_of(package_name: str) -> Iterator[str]:
    package = importlib.import_module(package_name)
    for module in pkgutil.iter_modules(package.__path__, f"{package_name}."):
        if module.ispkg:
            yield from _texts_of(module.name)
            continue
        loader = importlib.import_module(module.name).__spec__.loader  # type: ignore[union-attr]
        code = loader.get_code(module.name)  # type: ignore[union-attr]
        if code is not None:
            yield from _constants(code)


def _constants(code: CodeType) -> Iterator[str]:
    """Give every text that a module's code holds, its functions' as well."""
    for value in code.co_consts:
        if isinstance(value, str):
            yield value
        elif isinstance(value, CodeType):
            yield from _constants(value)
        elif isinstance(value, tuple | frozenset):
            yield from (part for part in value if isinstance(part, str))
