"""Hold the evidence of one run: each piece once, or the reason why it is missing."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from diagnostics.evidence.base import Evidence, Key, Missing
from diagnostics.vocabulary import Step

E = TypeVar("E", bound=Evidence)


@dataclass
class Bag:
    """Map keys to evidence or to `Missing`, with the milliseconds each step's probes took."""

    items: dict[Key, Evidence | Missing] = field(default_factory=dict)
    ms: dict[Step, float] = field(default_factory=dict)
    spent: float = 0.0
    seen_from: str = "here"

    def put(self, item: Evidence | Missing) -> None:
        """Keep one piece; evidence already there stays, because each probe runs at most once."""
        held = self.items.get(item.key)
        if held is None or isinstance(held, Missing):
            self.items[item.key] = item

    def get(self, kind: type[E], subject: str = "") -> E | None:
        """Return one piece of evidence, or None where it is missing."""
        item = self.items.get(Key(kind, subject))
        return item if isinstance(item, kind) else None

    def every(self, kind: type[E]) -> tuple[E, ...]:
        """Return all evidence of a kind, in the order of its subjects."""
        found = [item for key, item in self.items.items() if key.kind is kind and isinstance(item, kind)]
        return tuple(sorted(found, key=lambda item: item.subject))

    def missing(self, kind: type[Evidence]) -> tuple[Missing, ...]:
        """Return what is missing of a kind."""
        return tuple(i for key, i in self.items.items() if key.kind is kind and isinstance(i, Missing))

    def __iter__(self) -> Iterator[Evidence]:
        return (item for item in self.items.values() if isinstance(item, Evidence))
