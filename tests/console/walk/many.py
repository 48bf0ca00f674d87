"""Many notes on one ticket, and several tickets: only those who work on tickets change what belongs where."""

from tests.console.walk import Row
from tests.console.walk.tickets import posts

_WORKED_ON = Row(200, 404, 404, 403)

ROWS = {
    "tickets:alike": _WORKED_ON,
    "tickets:organise": _WORKED_ON,
    "tickets:join": posts(404),  # names no note
    "tickets:end_all": posts(422),
    "tickets:merge": posts(422),
    "tickets:split": posts(422),
    "tickets:parent": posts(302),
    "tickets:fix_children": posts(302),
}
