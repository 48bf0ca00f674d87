"""The first text of an article, filled in from its ticket.

Everything here comes from the catalogue, from masked texts and from what people said in fixed words. What somebody
wrote freely comes in at one place only, "What was done", which a reviewer reads and the lint checks.
"""

from datetime import datetime, timedelta

from console.diagnoses import words
from console.diagnoses.models import ChecklistItemState
from console.tickets.models import Ticket, TicketEvent, TicketState, WaitingFor
from diagnostics import catalog
from diagnostics.causes.model import RUN_AGAIN
from diagnostics.checklists import ITEMS

Kind = TicketEvent.Kind
MOST_STEPS = 12


def title(ticket: Ticket) -> str:
    """Name the article after its cause, else after its category and what became of the note."""
    cause = catalog.causes().get(ticket.confirmed_cause)
    if cause:
        return cause.title[:160]
    category = words.CATEGORIES.get(ticket.confirmed_category, "Cause not in the catalogue")
    return f"{category}: {ticket.get_failure_mode_display().lower()}"[:160]


def body(ticket: Ticket, *, signature: str, what_was_done: str = "") -> str:
    """Write the four sections as Markdown."""
    sections = {
        "Symptoms": _symptoms(ticket, signature),
        "Cause": _cause(ticket),
        "Steps taken": _steps(ticket),
        "Resolution": _resolution(ticket, what_was_done),
    }
    return "\n\n".join(f"## {name}\n\n{text}" for name, text in sections.items()) + "\n"


def time_to_resolution(ticket: Ticket) -> timedelta | None:
    """Measure from opening to the last resolution, from the recorded events."""
    opened = _first(ticket, kind=Kind.OPENED)
    resolved = (
        ticket.events.filter(kind=Kind.STATE, after=TicketState.RESOLVED)
        .order_by("-at", "-id")
        .values_list("at", flat=True)
        .first()
    )
    return resolved - opened if opened and resolved else None


def _first(ticket: Ticket, *, kind: str) -> datetime | None:
    return ticket.events.filter(kind=kind).order_by("at", "id").values_list("at", flat=True).first()


def _symptoms(ticket: Ticket, signature: str) -> str:
    text = f"{ticket.get_failure_mode_display()}."
    broken = next((item["stage"] for item in ticket.journey if item.get("state") == "broken"), "")
    if broken in words.STAGES:
        text = f"{ticket.get_failure_mode_display()}: the journey broke at “{words.STAGES[broken]}”."
    # An indented block shows the text as it is, whatever signs of Markdown it holds.
    return f"{text}\n\nThe log says, ids and numbers masked:\n\n    {signature}" if signature else text


def _cause(ticket: Ticket) -> str:
    cause = catalog.causes().get(ticket.confirmed_cause)
    one = ticket.integration
    category = words.CATEGORIES.get(ticket.confirmed_category, ticket.confirmed_category)
    vendor = words.VENDORS.get(one.vendor, one.vendor)
    where = f"{category} · {vendor} · {words.PROTOCOLS.get(one.protocol, one.protocol)}"
    if cause is None:
        return f"No cause of the catalogue fits; say here what it was.\n\n{where}"
    return f"{cause.title}.\n\n{where} · `{cause.id}`" + (f"\n\n{cause.caution}" if cause.caution else "")


def _steps(ticket: Ticket) -> str:
    return (
        "\n".join(f"- {line}" for line in [*_found(ticket), *_settled(ticket), *_happened(ticket)]) or "None recorded."
    )


def _found(ticket: Ticket) -> list[str]:
    if ticket.run is None:
        return []
    failed = ticket.run.findings.filter(status="failed").order_by("step", "position", "id")
    titles = list(failed.values_list("title", flat=True)[: MOST_STEPS + 1])
    more = ["Further checks failed as well"] if len(titles) > MOST_STEPS else []
    return [f"This check failed: {text}" for text in titles[:MOST_STEPS]] + more


def _settled(ticket: Ticket) -> list[str]:
    done = ChecklistItemState.objects.filter(
        ticket_id=ticket.id, state=ChecklistItemState.State.DONE, by__isnull=False
    ).order_by("at", "id")
    return [ITEMS[item].text for item in done.values_list("item", flat=True)[:MOST_STEPS] if item in ITEMS]


def _happened(ticket: Ticket) -> list[str]:
    events = list(ticket.events.order_by("at", "id").values_list("kind", "after"))
    kinds = [kind for kind, _ in events]
    lines = []
    waited = dict.fromkeys(after.partition(":")[2] for kind, after in events if kind == Kind.STATE and ":" in after)
    names = {value: name if name.startswith("EHR") else name.lower() for value, name in WaitingFor.choices}
    lines += [f"Waited on the {names[whom]}" for whom in waited if whom in names]
    if Kind.PACKET_SENT in kinds:
        lines.append("Sent the packet to the vendor")
    again = kinds.count(Kind.RUN_REQUESTED) - 1
    if again > 0:
        lines.append("Ran the diagnosis again" + (f", {again} times" if again > 1 else ""))
    return lines


def _resolution(ticket: Ticket, what_was_done: str) -> str:
    cause = catalog.causes().get(ticket.confirmed_cause)
    steps = [step.text for step in cause.remedy if step is not RUN_AGAIN] if cause else []
    parts = ["\n".join(f"{number}. {text}" for number, text in enumerate(steps, 1))] if steps else []
    if what_was_done.strip():
        parts.append(f"What was done: {what_was_done.strip()}")
    return "\n\n".join(parts) or "Say here what put it right."
