"""Hold the EHR's rows that no id joins to a note, those of one document together. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from diagnostics.tracing.compact import CODE
from diagnostics.tracing.story import Key, Row


@dataclass(slots=True)
class Group:
    """Be loose rows of the EHR that are of one document: by its own transaction, request or document id."""

    rows: list[Row] = field(default_factory=list)
    own: set[Key] = field(default_factory=set)
    encounter: Key | None = None
    patient: Key | None = None
    author: Key | None = None

    def add(self, row: Row) -> None:
        """Take a row in."""
        self.rows.append(row)
        self.own |= {key for key in (row.transaction, row.request) if key is not None}
        self.encounter = self.encounter if self.encounter is not None else row.encounter
        self.patient = self.patient if self.patient is not None else row.patient
        self.author = self.author if self.author is not None else row.author

    @property
    def at(self) -> datetime:
        """Give when the EHR first told of it, by its own clock."""
        return self.rows[0].at

    def has(self, code: int) -> bool:
        """Tell whether the EHR said this of it."""
        return any(row.what & CODE == code for row in self.rows)


def grouped(rows: Sequence[Row]) -> list[Group]:
    """Put loose rows together that are of one document; rows without an id of their own stand alone."""
    groups: list[Group] = []
    by_key: dict[tuple[str, Key], Group] = {}
    for row in rows:
        keys = [
            (name, key)
            for name, key in (("t", row.transaction), ("r", row.request), ("d", row.document))
            if key is not None
        ]
        group = next((by_key[key] for key in keys if key in by_key), None)
        if group is None:
            group = Group()
            groups.append(group)
        group.add(row)
        for key in keys:
            by_key.setdefault(key, group)
    return groups
