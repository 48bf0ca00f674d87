"""Tickets, the explain page and the demo's page of practice faults."""

from typing import Any

from console.tickets.packet_sending import take_along
from console.tickets.services import attach
from tests.console.walk import Place, Row, everyone, only


def posts(own: int, manager: int = 403, **data: str) -> Row:
    """Give the row of an act on a ticket: unseen tickets do not exist, a role without the right is refused."""
    return Row(own, 404, 404, manager, method="post", data=tuple(data.items()))


ROWS = {
    "tickets:queue": everyone(),
    "tickets:open": Row(200, 200, 200, 403, administrator=403),
    "tickets:ticket": Row(200, 404, 404, 200),
    "tickets:live": Row(200, 404, 404, 200),
    "tickets:attachment": Row(200, 404, 404, 200),
    "tickets:take": posts(302),
    "tickets:assign": posts(302, owner=""),
    "tickets:state": posts(302, state="in_progress", seen="diagnosed"),
    "tickets:severity": posts(302, severity="d_delayed"),
    "tickets:run": posts(302),
    "tickets:told": Row(200, 404, 404, 403, method="post", privacy=200),
    "tickets:act": posts(302, kind="token"),
    "tickets:before_and_after": Row(200, 404, 404, 200),
    "tickets:comment": posts(302, text="Seen."),
    "tickets:attach": posts(422),
    "tickets:item": posts(302, item="TOKEN.1", state="done", answer="no"),
    "tickets:add_checklist": posts(302, checklist="post-upgrade-validation"),
    "tickets:answer": posts(302, question="When?", value="At noon."),
    "tickets:disagree": posts(302, text="No."),
    "tickets:end_note": posts(302, end="in_chart"),
    "tickets:payload": Row(200, 404, 404, 403, method="post", privacy=200),
    "tickets:compare": Row(200, 404, 404, 403, method="post", privacy=200),
    "tickets:packet": Row(200, 404, 404, 403),
    "tickets:packet_download": posts(200, format="text"),
    "tickets:packet_mail": posts(422),
    "tickets:packet_sent": Row(200, 404, 404, 403),
    "tickets:vendor_answer": posts(302, text="We see it."),
    "diagnoses:explain": everyone(),
    "diagnoses:checklists": Row(200, 200, 200, 200, administrator=403),
    "diagnoses:checklist": Row(200, 200, 200, 200, administrator=403),
    "diagnoses:new_checklist": only(informatics=200),
    "diagnoses:checklist_force": only(informatics=302, method="post"),
    # No practice EHR runs in this suite: 503 is the page that says so.
    "demo:practice": Row(503, 503, 503, 403, administrator=403),
    "demo:mailbox": Row(200, 200, 200, 403, administrator=200),
    "demo:switch": Row(422, 422, 422, 403, method="post", administrator=403),
}


def furnish(place: Place) -> dict[str, Any]:
    file = attach(ticket=place.ticket, name="a.txt", content_type="text/plain", content=b"x", by=place.person)
    take_along(ticket=place.ticket, how="json", by=place.person)
    sending = place.ticket.packets.first()
    return {
        "sending_id": sending.id,
        "number": place.ticket.number,
        "note_id": place.note_id,
        "attachment_id": file.id,
        "name": "network",
    }
