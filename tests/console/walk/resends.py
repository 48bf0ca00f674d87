"""Resends: the help desk prepares and asks, another role approves."""

from typing import Any

from django.utils import timezone

from console.notes.models import Note
from console.resends.models import ItemState, ResendBatch, ResendItem, Stage
from tests.console.walk import Place, Row


def posts(own: int, **data: str) -> Row:
    """Give the row of what those may do who may resend notes."""
    return Row(own, 404, 404, 403, method="post", data=tuple(data.items()))


SEEN = Row(200, 404, 404, 200)

ROWS = {
    "resends:waiting": Row(200, 200, 200, 403, administrator=403),
    "resends:of_ticket": SEEN,
    "resends:of_note": SEEN,
    "resends:batch": SEEN,
    "resends:live": SEEN,
    "resends:prepare": posts(302),
    "resends:start": posts(302),
    "resends:decide": Row(
        403, 404, 404, 403, method="post", data=(("decision", "approve"),), engineer=302, informatics=302
    ),
    "resends:steer": posts(302, do="stop"),
    # Its turn has not come, so there is nothing to look for yet: 422 is the page that says so.
    "resends:look": posts(422),
    "resends:content": Row(200, 404, 404, 403, method="post", privacy=200),
}


def furnish(place: Place) -> dict[str, Any]:
    place.integration.resend_allowed = True
    place.integration.save(update_fields=["resend_allowed"])
    now = timezone.now()
    batch = ResendBatch.objects.create(
        facility=place.facility, integration=place.integration, ticket=place.ticket, stage=Stage.ASKED,
        prepared_by=place.person, requested_by=place.person, requested_at=now, idempotency_key=place.ticket.id.hex,
    )  # fmt: skip
    plan = {
        "refused": "", "method": "POST", "url": "https://ehr.example/fhir/R4/DocumentReference", "size": 812,
        "headers": [["Content-Type", "application/fhir+json"]], "content_type": "application/fhir+json",
        "shape": '{"resourceType": "DocumentReference"}', "warning": "", "looks_for": "The note's own identifier.",
        "differences": [{"where": "Address", "before": None, "after": "ehr.example", "why": "The settings changed."}],
    }  # fmt: skip
    item = ResendItem.objects.create(
        facility=place.facility, batch=batch, note=Note.objects.get(pk=place.note_id), position=1,
        state=ItemState.WAITING, way="create", digest="0" * 64, plan=plan, body=b"{}",
    )  # fmt: skip
    return {"batch_id": batch.id, "item_id": item.id}
