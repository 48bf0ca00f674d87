"""What people do around a ticket: watching, handing over, telling the provider, drafts; and the facility's targets."""

from typing import Any

from tests.console.walk import Place, Row
from tests.console.walk.tickets import posts

ROWS = {
    "tickets:reopen": posts(422),
    "tickets:title": posts(302, title="Another title"),
    "tickets:watch": Row(302, 404, 404, 302, method="post", data=(("watch", "yes"),)),
    "tickets:present": Row(200, 404, 404, 200),
    "tickets:handover": Row(200, 404, 404, 403),
    "tickets:provider": Row(200, 404, 404, 403),
    "tickets:keep_draft": posts(204, place="comment", text="Seen"),
    "tickets:discard_draft": posts(302, discard="comment"),
    "tickets:shift": Row(200, 200, 200, 403, administrator=403),
    "tickets:keep_draft_of_none": Row(
        204, 204, 204, 403, method="post", data=(("place", "open"), ("text", "E-1")), administrator=403
    ),
    "tickets:discard_draft_of_none": Row(
        302, 302, 302, 403, method="post", data=(("discard", "open"),), administrator=403
    ),
    "tickets:calendars": Row(403, 403, 403, 403, administrator=200),
    "tickets:calendar": Row(403, 404, 403, 403, administrator=200),
}


def furnish(place: Place) -> dict[str, Any]:
    return {"facility_slug": place.facility.slug}
