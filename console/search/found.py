"""What a search found: hits in groups. An exact one is what was typed and nothing else: it can be gone to at once."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hit:
    """Be one thing found: where it is, its name and a line about it."""

    url: str
    name: str
    says: str = ""
    pill: str = ""
    tone: str = ""
    exact: bool = False


@dataclass(frozen=True)
class Group:
    """Be the hits of one kind; `more` leads to the page that holds all of them."""

    name: str
    icon: str
    hits: tuple[Hit, ...]
    more: str = ""
    more_says: str = ""

    @property
    def rank(self) -> int:
        """Put a group with an exact hit before the others."""
        return 0 if any(hit.exact for hit in self.hits) else 1
