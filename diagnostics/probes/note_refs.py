"""Find out what a note refers to and what its document is called, from its payload and its ids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from diagnostics.case import Case
from diagnostics.parsing.fhir import read_resource

_RELATIVE = re.compile(r"^[A-Z][A-Za-z]{1,60}/[A-Za-z0-9\-.]{1,64}$")


@dataclass(frozen=True)
class NoteReferences:
    """Be relative references (`Patient/1`) with their role, and the document's identifier as a search token."""

    resource_type: str
    references: tuple[tuple[str, str], ...]
    identifier: str | None


def note_references(case: Case) -> NoteReferences:
    """Return what the note refers to; what is absolute and elsewhere is left out."""
    note = case.note
    resource: dict[str, Any] = {}
    if note is not None and note.payload is not None and case.integration.protocol == "fhir":
        resource = read_resource(note.payload).resource or {}
    found: dict[str, str] = {}
    for role, reference in _of_payload(resource):
        relative = _relative(reference, case.integration.fhir_base_url)
        if relative:
            found.setdefault(role, relative)
    if note is not None:
        for role, type, id in (("subject", "Patient", note.patient_id), ("encounter", "Encounter", note.encounter_id)):
            relative = (
                _relative(id if id and "/" in id else f"{type}/{id}", case.integration.fhir_base_url) if id else None
            )
            if relative:
                found.setdefault(role, relative)
    kind = str(resource.get("resourceType") or "DocumentReference")
    return NoteReferences(kind, tuple(found.items()), _identifier(resource) or (note.transaction_id if note else None))


def _of_payload(resource: dict[str, Any]) -> list[tuple[str, str]]:
    context = resource.get("context")
    places = [("subject", resource.get("subject")), ("author", resource.get("author")),
              ("encounter", resource.get("encounter"))]  # fmt: skip
    if isinstance(context, dict):
        places.append(("encounter", context.get("encounter")))
    found = []
    for role, value in places:
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and isinstance(each.get("reference"), str):
                found.append((role, each["reference"]))
    return found


def _relative(reference: str, base: str | None) -> str | None:
    if base and reference.startswith(base.rstrip("/") + "/"):
        reference = reference[len(base.rstrip("/")) + 1 :]
    reference = reference.split("/_history/")[0]
    return reference if _RELATIVE.match(reference) else None


def _identifier(resource: dict[str, Any]) -> str | None:
    master = resource.get("masterIdentifier")
    listed = resource.get("identifier")
    for each in [master, *(listed if isinstance(listed, list) else [listed])]:
        if isinstance(each, dict) and isinstance(each.get("value"), str):
            system = each.get("system")
            return f"{system}|{each['value']}" if isinstance(system, str) else str(each["value"])
    return None
