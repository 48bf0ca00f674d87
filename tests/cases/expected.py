"""Read what a case folder demands of its diagnosis: the keys of `expected.json`, told in README.md beside it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDERS = Path(__file__).parent / "folders"
KINDS = ("cause", "healthy", "cascade", "double", "undecidable")

# Where domain.md names a category that is not simply that of the prefix, the case says so itself.
CATEGORIES = {
    "auth": "authentication",
    "fhir": "endpoint_configuration",
    "hl7": "endpoint_configuration",
    "map": "field_mapping",
    "tmpl": "template_conflict",
    "net": "network",
    "perm": "permissions",
    "ehr": "ehr_defect",
    "ops": "ehr_defect",
    "scribe": "scribe_defect",
}
_KEYS = {
    "why", "kind", "root_cause", "failure_mode", "exit", "category", "contributing", "never", "missing", "certainty",
    "arguable", "shows", "quiet", "unsaid",
}  # fmt: skip


def category_of(cause: str | None) -> str | None:
    """Return the category cases.md gives to a cause id."""
    if cause is None:
        return None
    return "field_mapping" if cause == "fhir.payload.references" else CATEGORIES[cause.split(".")[0]]


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One case's judge: `cause` None means that none may be named; tuples mean any of these."""

    name: str
    cause: str | tuple[str | None, ...] | None
    mode: str | tuple[str, ...] | None
    why: str
    exit: int | tuple[int, ...]
    kind: str = "cause"
    category: str | None = None
    contributing: tuple[str, ...] = ()
    never: tuple[str, ...] = ()  # causes that may be neither root nor contributing
    missing: bool = False  # `missing` must name something
    certainty: tuple[str, ...] = ()
    shows: tuple[str, ...] = ()  # rows of domain.md section 2 of which a check must speak, warnings included
    quiet: tuple[str, ...] = ()  # rows of which no check may speak, not even as a warning
    unsaid: tuple[str, ...] = ()  # words that nothing said for the root may contain, such as a change without bearing
    arguable: bool = False

    @property
    def causes(self) -> tuple[str | None, ...]:
        """Return every answer that is right."""
        return self.cause if isinstance(self.cause, tuple) else (self.cause,)


@dataclass(frozen=True, kw_only=True)
class Case(Expected):
    """One case folder with its judge."""

    folder: Path

    @property
    def area(self) -> str:
        """Return the name of the folder it stands in."""
        return self.folder.parent.name

    @classmethod
    def read(cls, folder: Path) -> "Case":
        """Read `expected.json`; raise ValueError naming the folder where a key is unknown or lacking."""
        demand: dict[str, Any] = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        unknown = set(demand) - _KEYS
        lacking = {"why", "kind", "root_cause", "failure_mode", "exit"} - set(demand)
        if unknown or lacking or demand.get("kind") not in KINDS:
            raise ValueError(f"{folder}: unknown keys {unknown}, lacking {lacking}, kind {demand.get('kind')}")
        known = {key: tuple(value) if isinstance(value, list) else value for key, value in demand.items()}
        cause, mode = known.pop("root_cause"), known.pop("failure_mode")
        return cls(name=folder.name, folder=folder, cause=cause, mode=mode, **known)


def cases() -> Iterator[Case]:
    """Yield every case folder, by area and name."""
    for area in sorted(path for path in FOLDERS.iterdir() if path.is_dir()):
        for folder in sorted(path for path in area.iterdir() if path.is_dir()):
            yield Case.read(folder)
