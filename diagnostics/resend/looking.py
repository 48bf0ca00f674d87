"""Look for a note's document at the EHR, by its identifier and among the documents of its visit; never writes.

A server may ignore a search parameter that it does not know and answer with anything: every document is judged by what
it carries, and an answer that holds strangers proves no absence. EHRs may drop identifiers: contents are compared too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from diagnostics.identity import differs
from diagnostics.net import Exchange
from diagnostics.parsing.fhir import read_resource
from diagnostics.resend.connection import Connection
from diagnostics.resend.model import Lookup
from diagnostics.resend.recognising import (
    WITHDRAWN,
    Match,
    attachments,
    dicts,
    encounter_of,
    fingerprints,
    in_address,
    inline_fingerprints,
    judge,
    may_be_it,
    search_token,
    subject_of,
)

_PAGES, _PAGE, _CONTENTS = 5, 50, 10


@dataclass(frozen=True)
class Reading:
    """Be what looking showed. `ours` are the note's own documents that stand; `withdrawn` counts those that do not.

    `decided`: where nothing was found, nothing is there as far as the EHR tells. `why` says what kept it undecided.
    `suspect`: a document of the visit may be the note, and could not be compared.
    `others` are the visit's further documents; None where they could not be listed whole.
    """

    ours: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    withdrawn: int = 0
    decided: bool = False
    why: str = ""
    elsewhere: bool = False
    suspect: bool = False
    others: tuple[Mapping[str, Any], ...] | None = field(default=None, repr=False)

    @property
    def document_id(self) -> str:
        """Return the id of the first document found."""
        return str(self.ours[0].get("id", ""))[:64] if self.ours else ""


@dataclass
class _Answer:
    """Be one search: its documents, whether all pages were read, and why not."""

    documents: list[dict[str, Any]] = field(default_factory=list)
    whole: bool = False
    why: str = ""
    status: int | None = None


async def read_chart(connection: Connection, lookup: Lookup) -> Reading:
    """Return what the EHR shows of a note; never raises for what a peer does."""
    if not lookup.possible:
        return Reading(why="the EHR offers no way to search for the note")
    problem = await connection.sign_in()
    if problem:
        return Reading(why=problem)
    seen: dict[str, Mapping[str, Any]] = {}
    decided, why, suspect = False, "", False
    if lookup.by_identifier:
        decided, why = await _by_identifier(connection, lookup, seen)
    others: tuple[Mapping[str, Any], ...] | None = None
    if lookup.by_visit:
        listed = await _pages(connection, _visit_query(lookup))
        here = [each for each in listed.documents if not _of_another(connection, each, lookup)]
        if len(here) < len(listed.documents):
            listed.whole, listed.why = False, "the EHR's search does not heed the visit"
        open_ones, rest = await _sort(connection, lookup, here, seen)
        clear = not open_ones
        suspect = any(may_be_it(each, lookup) for each in open_ones)
        if listed.whole:
            others = tuple(rest)
        # without a visit or a day to bound it a list proves less: what counts there is the identifier
        bounded = bool(lookup.encounter or lookup.date)
        decided = not suspect and (decided or (listed.whole and clear and bounded))
        told = listed.why or ("" if clear else "documents of the visit could not be compared with the note")
        why = "; ".join(dict.fromkeys(each for each in (why, told) if each))
    # a message names its patient by a record number, a document by the server's own id: those do not compare
    by_reference = connection.case.integration.protocol == "fhir"
    ours = tuple(each for each in seen.values() if each.get("status") != WITHDRAWN)
    return Reading(
        ours=ours,
        withdrawn=len(seen) - len(ours),
        decided=decided,
        why="" if decided else why,
        suspect=suspect and not ours,
        elsewhere=by_reference and any(differs(subject_of(each), lookup.patient) for each in ours),
        others=others,
    )


async def _by_identifier(
    connection: Connection, lookup: Lookup, seen: dict[str, Mapping[str, Any]]
) -> tuple[bool, str]:
    """Search for each identifier; return whether that decides, and why not."""
    decided, why = True, ""
    for identifier in lookup.identifiers[:3]:
        query = f"{lookup.kind}?identifier={in_address(search_token(identifier))}"
        answer = await _pages(connection, query)
        if answer.status in (400, 422, 501) and lookup.patient:  # many EHRs search within one patient only
            answer = await _pages(connection, f"{query}&patient={in_address(lookup.patient.split('/')[-1])}")
        strangers = 0
        for document in answer.documents:
            if judge(document, lookup) is Match.OURS:
                seen[_key(document)] = document
            else:
                strangers += 1
        if strangers:
            decided, why = False, "the EHR's search does not heed the identifier"
        elif not answer.whole:
            decided, why = False, answer.why
    return decided, why


async def _sort(
    connection: Connection, lookup: Lookup, documents: list[dict[str, Any]], seen: dict[str, Mapping[str, Any]]
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Put the note's own documents into `seen`; return those that could not be compared, and all the rest."""
    budget = _CONTENTS
    open_ones: list[Mapping[str, Any]] = []
    rest: list[Mapping[str, Any]] = []
    for document in documents:
        match = judge(document, lookup)
        if match is Match.OPEN and lookup.content and budget and document.get("status") != WITHDRAWN:
            budget -= 1
            match = judge(document, lookup, await _contents(connection, document))
        if match is Match.OURS:
            seen[_key(document)] = document
            continue
        if match is Match.OPEN:
            open_ones.append(document)
        rest.append(document)
    return open_ones, rest


def _of_another(connection: Connection, document: Mapping[str, Any], lookup: Lookup) -> bool:
    """Tell whether a document is not the note's and names another patient or another visit."""
    if judge(document, lookup) is Match.OURS:
        return False
    patient = lookup.patient if connection.case.integration.protocol == "fhir" else None
    return differs(subject_of(document), patient) or differs(encounter_of(document), lookup.encounter)


async def _contents(connection: Connection, document: Mapping[str, Any]) -> frozenset[str]:
    """Return fingerprints of the contents that a document names by their address within the server."""
    found: set[str] = set()
    for attachment in list(attachments(document))[:3]:
        path = connection.within_base(str(attachment.get("url") or ""))
        if not attachment.get("url") or not path:
            continue
        kind = attachment.get("contentType")
        exchange = await connection.get(path, purpose="compare a document", accept=kind if _plain(kind) else None)
        if not exchange.ok:
            continue
        found |= fingerprints(exchange.body)
        binary = read_resource(exchange.body).resource if "fhir" in exchange.content_type else None
        if binary is not None and binary.get("resourceType") == "Binary":
            inner = {"content": [{"attachment": {"data": binary.get("data")}}]}
            found |= inline_fingerprints(inner)
        elif not found:
            found.add("short")  # it was read, and is shorter than any text that is compared
    return frozenset(found)


def _plain(kind: Any) -> bool:
    return isinstance(kind, str) and kind.isascii() and kind.isprintable() and len(kind) < 100


def _visit_query(lookup: Lookup) -> str:
    query = f"{lookup.kind}?patient={in_address((lookup.patient or '').split('/')[-1])}"
    if lookup.encounter:
        query += f"&encounter={in_address(lookup.encounter.split('/')[-1])}"
    elif lookup.date:
        query += f"&date=ge{lookup.date}"
    return f"{query}&_count={_PAGE}"


async def _pages(connection: Connection, query: str) -> _Answer:
    """Read a search page by page, within the FHIR base and within limits."""
    answer = _Answer()
    path: str | None = query
    asked: set[str] = set()
    for _ in range(_PAGES):
        if path is None or path in asked:
            answer.why = "the EHR's pages lead nowhere"
            return answer
        asked.add(path)
        exchange = await connection.get(path)
        answer.status = exchange.status
        bundle = read_resource(exchange.body).resource if exchange.ok else None
        if bundle is None or bundle.get("resourceType") != "Bundle":
            answer.why = _unread(exchange)
            return answer
        entries = [each.get("resource") for each in dicts(bundle.get("entry"))]
        kind = query.split("?")[0]
        answer.documents += [e for e in entries if isinstance(e, dict) and e.get("resourceType") == kind]
        following = next((e.get("url") for e in dicts(bundle.get("link")) if e.get("relation") == "next"), None)
        if following is None:
            answer.whole = True
            return answer
        path = connection.within_base(str(following))
    answer.why = f"the EHR has more than {_PAGES} pages of documents"
    return answer


def _unread(exchange: Exchange) -> str:
    if exchange.status is not None:
        return f"the EHR answered the search with {exchange.status}"
    return f"the EHR did not answer the search ({exchange.fault.detail if exchange.fault else 'no answer'})"


def _key(document: Mapping[str, Any]) -> str:
    return str(document.get("id") or id(document))
