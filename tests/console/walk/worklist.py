"""Notes: one of a closed department does not exist for who may not enter it; ids and rows need their own right."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from console.notes.models import Trace
from console.worklist.failures import digest_of
from tests.console.walk import Place, Row

LISTED = Row(200, 200, 200, 200, administrator=403)


def acts(own: int, **data: str) -> Row:
    """Give the row of an act on a note: unseen notes do not exist, a role without the right is refused."""
    return Row(own, 404, 404, 403, method="post", data=tuple(data.items()))


ROWS = {
    "worklist:find": LISTED,
    "worklist:waiting": LISTED,
    "worklist:sheet": LISTED,
    "worklist:failures": LISTED,
    "worklist:note": Row(200, 404, 404, 200),
    "worklist:group": Row(200, 404, 404, 200),
    "worklist:rows": Row(200, 404, 404, 403, method="post", privacy=200),
    "worklist:compare": Row(200, 404, 404, 403, method="post", privacy=200),
    # A document that only the EHR knows belongs to no department.
    "worklist:orphan_rows": Row(200, 404, 200, 403, method="post", privacy=200),
    "worklist:open_ticket": acts(302),
    "worklist:group_ticket": Row(302, 404, 302, 403, method="post"),
    # Nothing is chosen: back to the list, for everybody who is logged in.
    "worklist:end": Row(302, 302, 302, 302, method="post", administrator=302),
    "worklist:reopen": Row(302, 302, 302, 302, method="post", administrator=302),
}


def furnish(place: Place) -> dict[str, Any]:
    now = timezone.now()
    at = now - timedelta(hours=3)
    shared = {"facility": place.facility, "integration": place.integration, "born_at": at, "last_at": at}
    signature = f"unknown profile {'<n>' if place.department.restricted else ''}".strip()
    trace = Trace.objects.create(
        note_id=place.note_id, failure_mode="rejected", status=422, signature=signature, broke_at="accepted",
        confidence=1.0, provider="prov-7", site="Main clinic", **shared,
    )  # fmt: skip
    orphan = Trace.objects.create(orphan_hash=place.department.id.bytes, failure_mode="unknown", **shared)
    return {
        "note_id": place.note_id, "trace_id": orphan.id, "integration_id": place.integration.id, "mode": "rejected",
        "digest": digest_of(trace),
    }  # fmt: skip
