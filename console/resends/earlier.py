"""What an earlier attempt of a note means for another: most forbid it, one allows it with a second person."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from console.resends.models import LIVE_ITEMS, ItemState, ResendAct, ResendItem


@dataclass(frozen=True)
class Earlier:
    """Be the attempt whose write may have arrived. `refused` says why another may not follow; empty: it repeats it."""

    item: ResendItem
    refused: str


def earlier_of(note_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Earlier]:
    """Give, for each note that has one, the open write of an earlier resend; two queries, however many notes."""
    acts = ResendAct.objects.filter(note__in=note_ids, open=True).select_related("item", "item__batch__ticket")
    found = {act.note_id: Earlier(act.item, _why_not(act.item)) for act in acts}
    live = ResendItem.objects.filter(note__in=note_ids, state__in=LIVE_ITEMS).select_related("batch__ticket")
    for item in live:
        where = f"ticket #{item.batch.ticket.number}"
        found[item.note_id] = Earlier(item, f"It is in another resend that has not ended yet ({where}).")
    return found


def _why_not(item: ResendItem) -> str:
    where = f"ticket #{item.batch.ticket.number}"
    if item.state == ItemState.ABSENT:
        if item.looked_at is None:
            return f"An earlier attempt ({where}) was sent and not seen. Look for it again there first; then decide."
        return ""
    if item.state == ItemState.UNKNOWN:
        return (
            f"An earlier attempt ({where}) may have arrived. Look for it again there; what cannot be seen from here, "
            "the EHR team finds in its own log."
        )
    if item.in_chart:
        return f"An earlier resend ({where}) was seen in the chart. Sending it again would file it twice."
    return (
        f"The EHR took an earlier resend ({where}) and it has not been seen in the chart yet. Ask the EHR team where "
        "it was filed; sending it again could file it twice."
    )
