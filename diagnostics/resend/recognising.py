"""Recognise a note's document among others, by its own identifier or by its content; pure.

FHIR R4: the search parameter `identifier` of DocumentReference reads masterIdentifier as well as identifier.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from diagnostics.case import Case
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.fhir import Capability, ResourceCapability
from diagnostics.evidence.payload import FhirNote, Hl7Message
from diagnostics.parsing.hl7 import unescape
from diagnostics.resend.model import Lookup

WITHDRAWN = "entered-in-error"
ADDED_SYSTEM = "urn:notetrace:resend"
_ID = re.compile(r"[A-Z][A-Za-z]{1,60}/[A-Za-z0-9\-.]{1,64}")
_LEAST_TEXT = 24  # bytes; a shorter text may well stand in two documents


class Match(StrEnum):
    """Say what a document at the EHR is to the note."""

    OURS = "ours"
    OTHER = "other"
    OPEN = "open"  # its content would have to be fetched, or cannot be compared at all


def lookup_of(case: Case, bag: Bag) -> Lookup:
    """Return how to find the case's note at the EHR; nothing is possible where there is no FHIR base."""
    resource, message = bag.get(FhirNote), bag.get(Hl7Message)
    if resource is not None:
        found = _of_resource(case, resource.resource)
    elif message is not None:
        found = _of_message(case, message)
    else:
        return Lookup()
    if not case.integration.fhir_base_url:
        return found
    offered = capability_of(bag, found.kind)
    searchable = offered is None or "search-type" in offered.interactions or not offered.interactions
    params = offered.search_params if offered is not None else ()
    able = [not params or name in params for name in ("identifier", "patient")]
    return Lookup(
        kind=found.kind,
        identifiers=found.identifiers,
        patient=found.patient,
        encounter=found.encounter if not params or "encounter" in params else None,
        date=found.date if not params or "date" in params else None,
        content=found.content,
        types=found.types,
        by_identifier=searchable and able[0] and bool(found.identifiers),
        by_visit=searchable and able[1] and bool(found.patient),
    )


def capability_of(bag: Bag, kind: str) -> ResourceCapability | None:
    """Return what the server says of a resource type, or None where its statement is not at hand or names it not."""
    capability = bag.get(Capability)
    return capability.statement.resource(kind) if capability is not None else None


def own_identifiers(resource: Mapping[str, Any], transaction_id: str | None) -> tuple[tuple[str, str], ...]:
    """Return the identifiers that are the note's own; others may name the visit or the order, and fit many documents.

    They are masterIdentifier and those that carry the note's transaction id, else the first one.
    """
    master = list(_identifiers({"identifier": resource.get("masterIdentifier")}))
    listed = list(_identifiers({"identifier": resource.get("identifier")}))
    chosen = master + [each for each in listed if transaction_id and each[1] == transaction_id]
    return tuple(dict.fromkeys(chosen or listed[:1]))


def in_address(text: str, safe: str = "") -> str:
    """Return text as an address may hold it; half a surrogate pair, which JSON lets through, becomes a mark."""
    return quote(text, safe=safe, errors="replace")


def search_token(identifier: tuple[str, str]) -> str:
    r"""Return `system|value` as a search reads it: `\`, `,`, `$` and `|` escaped (R4 section 3.1.1.5.7)."""
    system, value = (_escaped(part) for part in identifier)
    return f"{system}|{value}" if system else value


def if_none_exist(identifier: tuple[str, str]) -> str:
    """Return the If-None-Exist header for an identifier (R4 section 3.1.0.8.1)."""
    return "identifier=" + in_address(search_token(identifier), safe=":/|")


def fingerprints(data: bytes) -> frozenset[str]:
    """Return what a content is compared by: its bytes with white space evened out, and SHA-1 as FHIR writes it.

    Empty for a text so short that two documents may share it.
    """
    even = b" ".join(data.split())
    if len(even) < _LEAST_TEXT:
        return frozenset()
    sha1 = base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode("ascii")
    return frozenset((f"even:{hashlib.sha256(even).hexdigest()}", f"sha1:{sha1}"))


def judge(document: Mapping[str, Any], lookup: Lookup, fetched: frozenset[str] = frozenset()) -> Match:
    """Tell whether a document is the note's; `fetched` are fingerprints of content that was read by its address."""
    if any(_same(one, mine) for one in _identifiers(document) for mine in lookup.identifiers):
        return Match.OURS
    master = {"identifier": document.get("masterIdentifier")}
    if any(_same(one, mine) for one in _identifiers(master) for mine in lookup.identifiers):
        return Match.OURS
    seen = set(fetched)
    compared = bool(fetched)
    unread = False
    for attachment in attachments(document):
        if isinstance(attachment.get("hash"), str):
            seen.add(f"sha1:{attachment['hash']}")
        data = _decoded(attachment.get("data"))
        if data is not None:
            compared = True
            seen |= fingerprints(data)
        elif isinstance(attachment.get("url"), str):
            unread = True
    if seen & lookup.content:
        return Match.OURS
    return Match.OPEN if not lookup.content or (unread and not fetched) or not compared else Match.OTHER


def may_be_it(document: Mapping[str, Any], lookup: Lookup) -> bool:
    """Tell whether a document that could not be compared may be the note all the same.

    Some EHRs drop the identifiers they are sent: a document of its kind without any may be the very note.
    """
    if document.get("status") == WITHDRAWN or any(True for _ in _identifiers(document)):
        return False
    if document.get("masterIdentifier"):
        return False
    types = codes_of(document)
    return not types or not lookup.types or bool(types & lookup.types)


def codes_of(resource: Mapping[str, Any]) -> frozenset[str]:
    """Return the codes of a document's type."""
    kind = resource.get("type")
    codings = dicts(kind.get("coding")) if isinstance(kind, Mapping) else []
    return frozenset(each["code"] for each in codings if isinstance(each.get("code"), str))


def attachments(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the attachments of a document, or the presented forms of a report."""
    for content in dicts(document.get("content")):
        attachment = content.get("attachment")
        if isinstance(attachment, Mapping):
            yield attachment
    yield from dicts(document.get("presentedForm"))


def inline_fingerprints(document: Mapping[str, Any]) -> frozenset[str]:
    """Return the fingerprints of the contents that a document carries in itself."""
    found: set[str] = set()
    for attachment in attachments(document):
        found |= fingerprints(_decoded(attachment.get("data")) or b"")
    return frozenset(found)


def dicts(value: Any) -> list[dict[str, Any]]:
    """Return the objects of a list, or none where it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def reference_of(value: Any) -> str:
    """Return the literal reference of a Reference, or of the first of several."""
    first = value[0] if isinstance(value, list) and value else value
    reference = first.get("reference") if isinstance(first, Mapping) else None
    return reference if isinstance(reference, str) else ""


def subject_of(document: Mapping[str, Any]) -> str:
    """Return the reference to a document's patient."""
    return reference_of(document.get("subject"))


def encounter_of(document: Mapping[str, Any]) -> str:
    """Return the reference to a document's visit."""
    context = document.get("context")
    held = reference_of(context.get("encounter")) if isinstance(context, Mapping) else ""
    return held or reference_of(document.get("encounter"))


def _of_resource(case: Case, resource: Mapping[str, Any]) -> Lookup:
    note = case.note
    transaction = note.transaction_id if note is not None else None
    own = own_identifiers(resource, transaction)
    visit = encounter_of(resource)
    if not own and "identifier" not in resource:
        own = (added_identifier(case),)
    date = resource.get("date")
    return Lookup(
        kind=str(resource.get("resourceType") or "DocumentReference"),
        identifiers=own,
        patient=_relative(case, "Patient", subject_of(resource), note.patient_id if note else None),
        encounter=_relative(case, "Encounter", visit, note.encounter_id if note else None),
        date=date[:10] if isinstance(date, str) and len(date) >= 10 else None,
        content=inline_fingerprints(resource),
        types=codes_of(resource),
    )


def _of_message(case: Case, held: Hl7Message) -> Lookup:
    note, message = case.note, held.message
    own = [message.get("TXA-12.1"), message.get("MSH-10")]
    parts = [s for s in message.all("OBX") if s.value(2) in ("TX", "FT", "ST")]
    text = "\n".join(unescape(segment.text(5), message.delimiters) for segment in parts)
    return Lookup(
        identifiers=tuple(dict.fromkeys(("", value) for value in own if value)),
        patient=_relative(case, "Patient", note.patient_id if note else None, message.get("PID-3.1")),
        encounter=_relative(case, "Encounter", note.encounter_id if note else None, message.get("PV1-19.1")),
        content=fingerprints(text.encode("utf-8", "replace")),
        types=frozenset(code for code in (message.get("OBX-3.1"),) if code),
    )


def added_identifier(case: Case) -> tuple[str, str]:
    """Return the identifier given to a payload that has none: the same for the same note, and nobody's secret."""
    note = case.note
    if note is not None and note.transaction_id:
        return ADDED_SYSTEM, note.transaction_id
    return ADDED_SYSTEM, hashlib.sha256((note.payload if note is not None else None) or b"").hexdigest()[:32]


def _relative(case: Case, kind: str, *candidates: str | None) -> str | None:
    """Return the first candidate as `Type/id`; what is contained or lies at another server cannot be searched by."""
    base = (case.integration.fhir_base_url or "").rstrip("/") + "/"
    for candidate in candidates:
        bare = (candidate or "").strip().removeprefix(base).split("/_history/")[0].strip("/")
        bare = bare if "/" in bare else f"{kind}/{bare}"
        if _ID.fullmatch(bare) and bare.startswith(f"{kind}/"):
            return bare
    return None


def _identifiers(resource: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    value = resource.get("identifier")
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, Mapping) and isinstance(each.get("value"), str) and each["value"].strip():
            system = each.get("system")
            yield (system if isinstance(system, str) else "", each["value"])


def _same(one: tuple[str, str], mine: tuple[str, str]) -> bool:
    return one[1] == mine[1] and (not one[0] or not mine[0] or one[0] == mine[0])


def _escaped(part: str) -> str:
    for sign in ("\\", ",", "$", "|"):
        part = part.replace(sign, f"\\{sign}")
    return part


def _decoded(data: Any) -> bytes | None:
    if not isinstance(data, str):
        return None
    try:
        return base64.b64decode("".join(data.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
