"""Gather what a plan needs and nothing else; only reads are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from diagnostics.case import Case
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.chart_seen import ChartSeen, DocumentSeen
from diagnostics.evidence.fhir import Capability, EncounterNow
from diagnostics.gather import gather
from diagnostics.identity import same
from diagnostics.net import Door
from diagnostics.resend.connection import Connection
from diagnostics.resend.looking import Reading, read_chart
from diagnostics.resend.model import Lookup
from diagnostics.resend.recognising import codes_of, dicts, encounter_of, lookup_of

_KEPT = 200


async def survey(
    case: Case, *, door: Door, vantage: str = "here", have: Iterable[Evidence] = (), budget_s: float = 30.0
) -> Bag:
    """Return the evidence for `plan`: the case's own parts, what the server offers, the visit, and the note itself.

    `have` is evidence of an earlier run that need not be asked for again; what the chart shows is always read anew.
    Never raises for what a peer does; what could not be read is missing in the bag.
    """
    kept = [each for each in have if not isinstance(each, ChartSeen)]
    bag = await gather(
        case, door=door, vantage=vantage, have=kept, wanted={Capability, EncounterNow}, budget_s=budget_s
    )
    lookup = lookup_of(case, bag)
    if case.offline or not lookup.possible:
        return bag
    bag.put(chart_seen(await read_chart(Connection(case, door), lookup), lookup, vantage))
    return bag


def chart_seen(reading: Reading, lookup: Lookup, vantage: str) -> ChartSeen:
    """Return what a reading showed, as evidence without content; of the others only those that name the visit."""
    others = reading.others
    if others is not None and lookup.encounter:
        others = tuple(each for each in others if same(encounter_of(each), lookup.encounter))
    return ChartSeen(
        seen_from=vantage,
        found=len(reading.ours) if reading.ours or reading.decided else None,
        withdrawn=reading.withdrawn,
        elsewhere=reading.elsewhere,
        document_id=reading.document_id,
        others=None if others is None else tuple(_document(each) for each in others[:_KEPT]),
    )


def _document(held: Mapping[str, Any]) -> DocumentSeen:
    named = [held.get("masterIdentifier"), *dicts(held.get("identifier"))]
    values = [each.get("value") for each in named if isinstance(each, Mapping)]
    return DocumentSeen(
        id=str(held.get("id") or "")[:64],
        status=str(held.get("status") or "")[:40],
        stage=str(held.get("docStatus") or "")[:40],
        types=tuple(sorted(codes_of(held))),
        date=str(held.get("date") or "")[:40],
        identifiers=tuple(value[:200] for value in values if isinstance(value, str) and value),
    )
