"""What a packet asks the vendor's engineers for: what would settle this very failure on their side."""

from collections.abc import Iterable

from console.notes.models import FailureMode
from console.tickets.models import Ticket
from console.tickets.packet_exchanges import Request

_BY_CATEGORY = {
    "authentication": (
        "Say how this client is registered with you: active or not, with which key, since when, with which scopes.",
        "Say what your token endpoint logged for these requests, and why it refused them.",
    ),
    "endpoint_configuration": (
        "Say which rule of your interface these requests break, with the element or field that it names.",
        "Say whether the interface, its profile or its specification changed before the first of them, and when.",
    ),
    "field_mapping": (
        "Say in which fields your side filed what it received, and by which mapping.",
        "Say which sections or elements your side left out, and why.",
    ),
    "template_conflict": (
        "Say which version of the note's template was in force at these times, and what changed in it before.",
        "Say what your side does with content for a field that the template no longer has.",
    ),
    "network": (
        "Say whether these connections reached your side, and which device ended or changed them.",
        "Say which addresses your side lets in, and which rate it allows this client.",
    ),
    "permissions": (
        "Say which grants the account had at these times, and which one was missing.",
        "Say whether a review, an upgrade or a policy changed them, and when.",
    ),
    "ehr_defect": (
        "Say what failed on your side at these times, whether it is mended, and whether other customers are affected.",
        "Say whether a request that failed may be repeated without filing a second note.",
    ),
    "scribe_defect": (
        "Say what the AI scribe's side logged for these notes, from making them to sending them.",
        "Say whether its version or settings changed before the first failure.",
    ),
}
_BY_MODE = {
    FailureMode.DUPLICATE: "Say which of the notes that were filed twice your side holds to be the right one, and why.",
    FailureMode.DELAYED: "Say how long these notes waited on your side, and in which queue.",
    FailureMode.MISPLACED: "Say where your side filed these notes, and by which rule.",
}


def asks(ticket: Ticket, requests: Iterable[Request]) -> tuple[str, ...]:
    """Give what to ask for, the most useful first."""
    sent = list(requests)
    said = []
    if sent:
        said.append("Look up the request ids in your logs and say what your side saw at these times (UTC).")
    else:
        said.append("Say whether your side saw any request of this client at the times given: our logs hold none.")
    if any(request.kind == "write" and request.answer in ("lost", "unreached") for request in sent):
        said.append("Say for each request without an answer whether your side filed the note: we repeat none unasked.")
    said += _BY_CATEGORY.get(ticket.category, ())
    if ticket.failure_mode in _BY_MODE:
        said.append(_BY_MODE[FailureMode(ticket.failure_mode)])
    said.append(f"Answer with your case number, and name NoteTrace ticket {ticket.number}.")
    return tuple(said)
