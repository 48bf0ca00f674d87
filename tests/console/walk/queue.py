"""The queue's saved views, and what is done to several tickets at once."""

import uuid
from typing import Any

from console.tickets.saved_views import save
from tests.console.walk import Place, Row

ROWS = {
    "tickets:save_view": Row(422, 422, 422, 422, method="post", administrator=422),
    # A shared view is its facility's; only who made it, or an administrator there, changes it.
    "tickets:view": Row(200, 404, 200, 200),
    "tickets:change_view": Row(403, 404, 403, 403, administrator=200),
    "tickets:delete_view": Row(403, 404, 403, 403, method="post", administrator=302),
    # Who names a ticket that he does not see gets none of the list; without any ticket everybody is sent back.
    "tickets:several": Row(302, 302, 302, 302, method="post", administrator=302),
    "tickets:undo": Row(302, 302, 302, 302, method="post", administrator=302),
}


def furnish(place: Place) -> dict[str, Any]:
    name = f"View {uuid.uuid4().hex[:6]}"
    return {"view_id": save(user=place.person, name=name, query="view=late", facility=place.facility).id}
