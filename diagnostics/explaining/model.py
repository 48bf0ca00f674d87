"""Define what an explanation is, and the question it answers."""

import re
from dataclasses import dataclass, field
from typing import Any

from diagnostics.causes import model as catalogue
from diagnostics.parsing.answers import RecordedAnswer
from diagnostics.vocabulary import Category, Certainty

PROVEN, LIKELY, POSSIBLE = Certainty.PROVEN, Certainty.LIKELY, Certainty.POSSIBLE
__all__ = ["LIKELY", "POSSIBLE", "PROVEN", "Explanation", "Question", "category_only", "of_cause"]


@dataclass(frozen=True)
class Explanation:
    """Say what an error text means: a category, perhaps a cause, and how sure the words alone allow to be.

    `firm` tells that nothing else in the text could say it better; it is no part of the public document.
    """

    category: Category | None
    cause: str | None
    certainty: Certainty | None
    says: str
    firm: bool = field(default=False, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the public object, as `explain --json` prints it."""
        return {
            "category": self.category.value if self.category else None,
            "cause": self.cause,
            "certainty": self.certainty.value if self.certainty else None,
            "says": self.says,
        }


@dataclass(frozen=True)
class Question:
    """Be one error text with what is known beside it, read; `context`, `words` and `aside` are in lower case.

    `context` is what is known beside the text and the text itself; `aside` is the former alone.
    """

    answer: RecordedAnswer
    status: int | None
    protocol: str | None
    context: str
    words: str
    aside: str = ""

    def about(self, *any_of: str) -> bool:
        """Tell whether the answer's own words hold one of these."""
        return any(word in self.words for word in any_of)

    def circumstance(self, *any_of: str) -> bool:
        """Tell whether the context, or the whole text around the answer, holds one of these."""
        return any(word in self.context for word in any_of)

    def told(self, *any_of: str) -> bool:
        """Tell whether what is known beside the text says one of these, and does not say the opposite ("no proxy")."""
        return any(_affirmed(word, self.aside) for word in any_of)


_DENIED = re.compile(r"\b(?:no|not|never|without|isn't|wasn't|neither|nor)\b[^.,;:]{0,16}$")


def _affirmed(word: str, text: str) -> bool:
    start = text.find(word)
    while start >= 0:
        if not _DENIED.search(text[max(0, start - 32) : start]):
            return True
        start = text.find(word, start + len(word))
    return False


def of_cause(
    cause: str, certainty: Certainty, says: str = "", *, category: Category | None = None, firm: bool = True
) -> Explanation:
    """Name a cause; its category is the catalogue's unless the evidence decides otherwise."""
    known = catalogue.declared()[cause]
    return Explanation(category or known.category, cause, certainty, says or f"{known.title}.", firm)


def category_only(category: Category | None, certainty: Certainty | None, says: str) -> Explanation:
    """Name a category where the words do not allow a cause."""
    return Explanation(category, None, certainty, says)
