"""Hold one tenant's resources and its chart: what clients may read back and where notes were filed."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

Resource = dict[str, Any]

_REFERENCE_FIELDS = {
    "patient": ("subject", "patient"),
    "subject": ("subject", "patient"),
    "encounter": ("encounter",),
}


@dataclass
class Filing:
    """One document as the chart shows it."""

    resource: str
    resource_id: str
    transaction_id: str
    at: str
    document_type: str
    patient_id: str
    encounter_id: str
    author_id: str
    fields: dict[str, str] = field(default_factory=dict)
    status: str = "current"


def bare_id(reference: str | None) -> str:
    """Strip a reference to its id: `Encounter/E-1` and `E-1` are the same thing."""
    return (reference or "").rstrip("/").rsplit("/", 1)[-1]


def references_of(resource: Resource, names: tuple[str, ...]) -> list[str]:
    """List the ids a resource's reference elements point to, its `context` included."""
    found: list[str] = []
    for holder in (resource, resource.get("context") if isinstance(resource.get("context"), dict) else None):
        if not holder:
            continue
        for name in names:
            value = holder.get(name)
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and isinstance(one.get("reference"), str):
                    found.append(bare_id(one["reference"]))
    return found


def identifiers_of(resource: Resource) -> list[tuple[str, str]]:
    """List (system, value) of a resource's identifiers."""
    value = resource.get("identifier")
    many = value if isinstance(value, list) else [value]
    master = resource.get("masterIdentifier")
    return [
        (str(one.get("system", "")), str(one.get("value", "")))
        for one in [*many, master]
        if isinstance(one, dict) and one.get("value")
    ]


def encounter_closed(encounter: Resource) -> bool:
    """Tell whether an encounter takes no new note: it ended and was signed."""
    signed = any(each.get("valueBoolean") for each in encounter.get("extension", []))
    return encounter.get("status") in ("finished", "cancelled") and signed


class ResourceStore:
    """Create, read, update and search resources; one lock, because tests read from another thread."""

    def __init__(self) -> None:
        self._resources: dict[str, dict[str, Resource]] = {}
        self._hidden: set[tuple[str, str]] = set()
        self._next = 1000
        self._lock = threading.RLock()
        self.filings: list[Filing] = []

    def put(self, resource: Resource) -> Resource:
        """Place a resource that brings its own id (seed data)."""
        with self._lock:
            self._resources.setdefault(resource["resourceType"], {})[resource["id"]] = resource
        return resource

    def create(self, kind: str, resource: Resource, at: str, *, hidden: bool = False) -> Resource:
        """Store a new resource under an id of our own; a hidden one is never shown again."""
        with self._lock:
            self._next += 1
            made = {**resource, "id": str(self._next), "meta": {**resource.get("meta", {}), "versionId": "1"}}
            made["meta"]["lastUpdated"] = at
            self._resources.setdefault(kind, {})[made["id"]] = made
            if hidden:
                self._hidden.add((kind, made["id"]))
        return made

    def update(self, kind: str, resource_id: str, resource: Resource, at: str) -> Resource:
        """Store the next version of a resource."""
        with self._lock:
            version = int(self._resources[kind][resource_id]["meta"].get("versionId", "1")) + 1
            made = {**resource, "id": resource_id}
            made["meta"] = {**resource.get("meta", {}), "versionId": str(version), "lastUpdated": at}
            self._resources[kind][resource_id] = made
        return made

    def get(self, kind: str, resource_id: str) -> Resource | None:
        """Read one resource as stored, hidden or not."""
        with self._lock:
            return self._resources.get(kind, {}).get(resource_id)

    def visible(self, kind: str, resource_id: str) -> Resource | None:
        """Read one resource as a client may see it."""
        return None if (kind, resource_id) in self._hidden else self.get(kind, resource_id)

    def all(self, kind: str) -> list[Resource]:
        """List the visible resources of a type."""
        with self._lock:
            return [r for key, r in self._resources.get(kind, {}).items() if (kind, key) not in self._hidden]

    def search(self, kind: str, query: list[tuple[str, str]]) -> list[Resource]:
        """Find by identifier, patient, encounter, date and `_id`; others are ignored, as lenient servers do."""
        found = self.all(kind)
        for name, value in query:
            if name == "_id":
                found = [r for r in found if r["id"] in value.split(",")]
            elif name == "identifier":
                system, bar, text = value.rpartition("|")
                found = [r for r in found if any(v == text and (not bar or s == system) for s, v in identifiers_of(r))]
            elif name in _REFERENCE_FIELDS:
                wanted = bare_id(value)
                found = [r for r in found if wanted in references_of(r, _REFERENCE_FIELDS[name])]
            elif name == "date":
                found = [r for r in found if _matches_date(str(r.get("date", "")), value)]
        return found

    def find_identifier(self, kind: str, value: str) -> Resource | None:
        """Find a stored document by the value of an identifier."""
        return next((r for r in self.all(kind) if any(v == value for _, v in identifiers_of(r))), None)

    def clear(self) -> None:
        """Forget everything, the chart included."""
        with self._lock:
            self._resources.clear()
            self._hidden.clear()
            self.filings.clear()


def _matches_date(stored: str, wanted: str) -> bool:
    prefix, text = (wanted[:2], wanted[2:]) if wanted[:2] in ("ge", "le", "gt", "lt", "eq") else ("eq", wanted)
    head = stored[: len(text)]
    return {
        "eq": head == text,
        "ge": head >= text,
        "gt": head > text,
        "le": head <= text,
        "lt": head < text,
    }[prefix]
