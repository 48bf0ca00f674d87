"""Plan a FHIR resend: the original bytes, and only those additions that keep a repetition recognisable; pure.

Additions are written in front of the resource's first element, so that every byte of the original stays as it was.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from diagnostics.case import Case
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.chart_seen import ChartSeen, DocumentSeen
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote, NotePayload
from diagnostics.resend.addresses import bare, write_address
from diagnostics.resend.model import Difference, Lookup, ResendPlan, Way
from diagnostics.resend.recognising import (
    added_identifier,
    capability_of,
    codes_of,
    dicts,
    if_none_exist,
    own_identifiers,
)

_JSON, _XML = "application/fhir+json", "application/fhir+xml"
_FINISHED = ("", "final", "amended")
_NO_GUARD = (
    "The server offers no conditional create: two resends at the same moment could both be stored. Only NoteTrace's "
    "own rule of one at a time stands against that."
)
_NO_READING = "The server cannot be asked for the note, so nothing can be read before it is sent."


def plan_fhir(case: Case, bag: Bag, note: FhirNote, lookup: Lookup, *, addendum: bool) -> ResendPlan:
    """Return the plan for a FHIR note; `addendum` where its visit takes no new note any more."""
    payload = bag.get(NotePayload)
    data = payload.data if payload is not None else b""
    added: dict[str, Any] = {}
    differences: list[Difference] = []
    way = Way.CREATE
    if addendum:
        parent = _parent(bag, note)
        if isinstance(parent, str):
            return ResendPlan(None, parent, lookup=lookup)
        way = Way.APPEND
        if parent is not None:
            added["relatesTo"] = [{"code": "appends", "target": {"reference": f"DocumentReference/{parent.id}"}}]
            differences.append(
                Difference(
                    "DocumentReference.relatesTo",
                    None,
                    f"appends DocumentReference/{parent.id}",
                    "The visit is signed or closed: the note goes in as an addendum to the document filed there.",
                )
            )
    differences += _identifier(case, note, added)
    if added and (note.form == "xml" or note.problems):
        return ResendPlan(
            None,
            "The payload would have to be changed before it is sent, and it is written so that this cannot be done "
            "safely (XML, or a key that stands twice). Ask the scribe vendor to send the note again.",
            lookup=lookup,
        )
    url = bare(write_address(case, note.type))
    headers = [("Accept", _accept(case)), ("Prefer", "return=minimal")]
    guarded = _guarded(case, bag, note) and bool(lookup.identifiers)
    if guarded:
        headers.append(("If-None-Exist", if_none_exist(lookup.identifiers[0])))
        way = Way.CONDITIONAL_CREATE if way is Way.CREATE else way
    content_type = _content_type(case, note)
    differences += _transport(bag, url, content_type)
    if guarded:
        why = "The server creates the document only where none carries this identifier yet (R4, conditional create)."
        differences.append(Difference("If-None-Exist header", None, "set, with the note's identifier", why))
    return ResendPlan(
        way=way,
        method="POST",
        url=url,
        headers=tuple(headers),
        body=_with(data, added),
        content_type=content_type,
        differences=tuple(differences),
        warning="" if guarded else _NO_GUARD if lookup.possible else f"{_NO_READING} {_NO_GUARD}",
        lookup=lookup,
    )


def _parent(bag: Bag, note: FhirNote) -> DocumentSeen | str | None:
    """Return the filed document to append to, None where the payload names one itself, else why there is none."""
    if note.type != "DocumentReference":
        return (
            f"The visit is signed or closed, and a {note.type} cannot be appended to a filed document. Have the "
            "provider write an addendum in the EHR."
        )
    relations = dicts(note.resource.get("relatesTo"))
    if any(each.get("code") == "appends" for each in relations):
        return None
    if relations or "relatesTo" in note.resource:
        return (
            "The visit is signed or closed, and the payload is already related to another document. Have the "
            "provider write an addendum in the EHR."
        )
    return filed_parent(bag, codes_of(note.resource))


def filed_parent(bag: Bag, codes: frozenset[str]) -> DocumentSeen | str:
    """Return the one filed document of the visit that a note of these type codes is an addendum to, or why not."""
    seen = bag.get(ChartSeen)
    if seen is None or seen.others is None:
        return (
            "The visit is signed or closed, and its documents could not be read, so there is nothing to append to. "
            "Have the provider write an addendum in the EHR."
        )
    filed = [each for each in seen.others if each.status in ("", "current") and each.stage in _FINISHED]
    alike = [each for each in filed if codes & set(each.types)] if codes else filed
    if len(alike) == 1:
        return alike[0]
    if not alike:
        return (
            "The visit is signed or closed, and no note of this kind is filed in it to append to. Have the provider "
            "open an addendum in the EHR and enter the note there."
        )
    return (
        f"The visit is signed or closed, and {len(alike)} notes of this kind are filed in it; which of them to append "
        "to is the provider's choice. Have the provider write the addendum in the EHR."
    )


def _identifier(case: Case, note: FhirNote, added: dict[str, Any]) -> list[Difference]:
    """Give an identifier to a payload that has none: without it no repetition could be recognised."""
    transaction = case.note.transaction_id if case.note is not None else None
    if own_identifiers(note.resource, transaction) or "identifier" in note.resource:
        return []
    system, value = added_identifier(case)
    one = {"system": system, "value": value}
    added["identifier"] = one if note.type == "Composition" else [one]  # R4: a Composition has at most one
    why = "The payload has no identifier of its own, and without one a repetition could not be recognised."
    return [Difference(f"{note.type}.identifier", None, f"{system}|{value}", why)]


def _guarded(case: Case, bag: Bag, note: FhirNote) -> bool:
    """Tell whether If-None-Exist is honoured where the note goes: the statement speaks only of the FHIR base."""
    offered = capability_of(bag, note.type)
    return offered is not None and offered.conditional_create is True and not case.integration.write_url


def _accept(case: Case) -> str:
    return case.integration.fhir_format or _JSON


def _content_type(case: Case, note: FhirNote) -> str:
    if note.form == "xml":
        return _XML
    configured = case.integration.fhir_format or ""
    return configured if "json" in configured else _JSON


def _transport(bag: Bag, url: str, content_type: str) -> list[Difference]:
    """Say what today's settings change against the last attempt of which the log tells."""
    trace = bag.get(NoteTrace)
    last = trace.last if trace is not None else None
    found = []
    if last is not None and last.url and bare(last.url) != url:
        why = "The integration's address is another today than when the note failed."
        found.append(Difference("Address", bare(last.url), url, why))
    if last is not None and last.sent.content_type and last.sent.content_type != content_type:
        why = "The integration's format is another today than what was sent."
        found.append(Difference("Content-Type header", last.sent.content_type[:100], content_type, why))
    return found


def _with(data: bytes, added: Mapping[str, Any]) -> bytes:
    """Return the payload with further elements written before its first one."""
    if not added:
        return data
    head, brace, rest = data.partition(b"{")
    written = json.dumps(added, ensure_ascii=False)[1:-1].encode("utf-8")
    comma = b"" if rest.lstrip().startswith(b"}") else b", "
    return head + brace + written + comma + rest
