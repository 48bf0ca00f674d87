"""The checklists as templates: which are in force, which fit a case, and which a ticket is given."""

import uuid
from collections.abc import Collection, Iterable

from django.db import transaction

from console.accounts.models import User
from console.diagnoses.built_in_checklists import BUILT_IN, FOLLOW_UP, BuiltIn
from console.diagnoses.models import ChecklistItemState, ChecklistTemplate, TicketChecklist

_BUILT_IN_SLUGS = tuple(entry.slug for entry in BUILT_IN)
_OF_STEP = {
    1: "authentication",
    2: "write-back-verification",
    3: "field-mapping",
    4: "network-quick-checks",
    5: "permissions",
}


class ChecklistError(Exception):
    """What was asked is not possible; the message says why in words for the page."""


def newest() -> dict[str, ChecklistTemplate]:
    """Give the newest version of each checklist by its slug, retired ones too.

    What NoteTrace comes with is entered on first use, and again where a later NoteTrace comes with another list; a
    list that people have written a version of is theirs from then on.
    """
    rows = ChecklistTemplate.objects.order_by("slug", "-version", "id").distinct("slug")
    found = {template.slug: template for template in rows}
    missing = [
        ChecklistTemplate(
            slug=entry.slug,
            version=held.version + 1 if held else 1,
            name=entry.name,
            about=entry.about,
            category=entry.category,
            items=list(entry.items),
            branches=entry.branches,
        )
        for entry in BUILT_IN
        if (held := found.get(entry.slug)) is None or (held.by_id is None and not same_as(held, entry))
    ]
    if missing:
        # Somebody else's first use may be this very moment.
        ChecklistTemplate.objects.bulk_create(missing, ignore_conflicts=True)
        return newest()
    return found


def same_as(template: ChecklistTemplate, entry: BuiltIn) -> bool:
    """Tell whether a version says what NoteTrace comes with."""
    mine = (template.name, template.about, template.category, template.items, template.branches)
    return mine == (entry.name, entry.about, entry.category, list(entry.items), entry.branches)


def in_force() -> dict[str, ChecklistTemplate]:
    """Give the checklists that tickets can be given, by slug: the newest version of each that is not retired."""
    return {slug: template for slug, template in newest().items() if not template.retired}


def fitting(category: str, failed_steps: Iterable[int]) -> list[str]:
    """Name the checklists that fit: those of the root cause's category, or of the failed steps; the follow-up last.

    Where a category has several, NoteTrace's own comes first.
    """
    held = in_force()
    own = [slug for slug, template in held.items() if category and template.category == category]
    own.sort(key=lambda slug: (slug not in _BUILT_IN_SLUGS, slug))
    wanted = own or dict.fromkeys(_OF_STEP[step] for step in failed_steps if step in _OF_STEP)
    return [slug for slug in (*wanted, FOLLOW_UP) if slug in held]


def of_ticket(ticket_id: uuid.UUID) -> list[ChecklistTemplate]:
    """Give the checklists that a ticket has, in the order it was given them; the follow-up last."""
    rows = TicketChecklist.objects.filter(ticket_id=ticket_id).select_related("template").order_by("at", "id")
    return sorted((row.template for row in rows), key=lambda template: template.slug == FOLLOW_UP)


@transaction.atomic
def give(ticket_id: uuid.UUID, wanted: Collection[str]) -> None:
    """Give a ticket the checklists that its conclusion calls for.

    What an earlier conclusion gave and nobody worked on goes; what a person chose, or ticked in, stays.
    """
    templates = in_force()
    touched = set(
        ChecklistItemState.objects.filter(ticket_id=ticket_id, by__isnull=False).values_list("item", flat=True)
    )
    held: set[str] = set()
    for row in TicketChecklist.objects.filter(ticket_id=ticket_id).select_related("template"):
        if row.by_id is None and row.template.slug not in wanted and not touched & set(row.template.items):
            row.delete()
        else:
            held.add(row.template.slug)
    for slug in wanted:
        if slug not in held:
            TicketChecklist.objects.get_or_create(ticket_id=ticket_id, template=templates[slug])


@transaction.atomic
def add(*, ticket_id: uuid.UUID, slug: str, by: User) -> ChecklistTemplate:
    """Give a ticket a further checklist because a person wants it."""
    template = in_force().get(slug)
    if template is None:
        raise ChecklistError("There is no such checklist.")
    if any(held.slug == slug for held in of_ticket(ticket_id)):
        raise ChecklistError("The ticket has this checklist already.")
    TicketChecklist.objects.create(ticket_id=ticket_id, template=template, by=by)
    return template
