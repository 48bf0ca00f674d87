"""Count what a correlation did."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class Done:
    """Count what a run did; `again` are notes to be told once more, by their begin, `hours` whole hours."""

    notes: int = 0
    changed: int = 0
    orphans: int = 0
    rows: int = 0
    again: dict[bytes, datetime] = field(default_factory=dict)
    hours: set[datetime] = field(default_factory=set)

    def add(self, other: "Done") -> None:
        """Take another part's counts in."""
        self.notes += other.notes
        self.changed += other.changed
        self.orphans += other.orphans
        self.rows += other.rows
        for key, begun in other.again.items():
            self.again[key] = min(begun, self.again.get(key, begun))
        self.hours |= other.hours
