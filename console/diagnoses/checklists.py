"""The checklists as templates: those NoteTrace comes with, their versions, and which a ticket is given."""

import uuid
from collections.abc import Collection, Iterable

from django.db import transaction

from console.accounts.models import User
from console.diagnoses.models import ChecklistItemState, ChecklistTemplate, TicketChecklist
from diagnostics.checklists import ITEMS

# (slug, name, when to use it, category of root cause, items): the guide's three lists, one for each category of root
# cause, and the follow-up. They are entered on first use; from then on the database's newest version counts.
BUILT_IN = (
    ("follow-up", "Follow-up", "Before every ticket is resolved", "", "DONE.1 DONE.2"),
    (
        "write-back-verification",
        "Write-back verification",
        "That the EHR takes what the scribe sends, before trusting it to",
        "",
        "WRITE.1 WRITE.2 WRITE.3 WRITE.4 WRITE.5 WRITE.6 WRITE.7",
    ),
    (
        "network-quick-checks",
        "Network quick checks",
        "Six looks that tell the network from everything else",
        "",
        "NET.1 NET.2 NET.3 NET.4 NET.5 NET.6",
    ),
    (
        "post-upgrade-validation",
        "Post-upgrade validation",
        "After every upgrade of the EHR, before the first failed note",
        "",
        "WRITE.5 UPGRADE.1 TOKEN.4 WRITE.1 WRITE.3 PERM.7 MAP.2 UPGRADE.2 UPGRADE.3",
    ),
    (
        "authentication",
        "Authentication",
        "Tokens, keys and accounts",
        "authentication",
        "TOKEN.1 TOKEN.2 TOKEN.3 TOKEN.4 TOKEN.5 TOKEN.6 TOKEN.7",
    ),
    (
        "endpoint-configuration",
        "Endpoint configuration",
        "Address, profile, message and character set",
        "endpoint_configuration",
        "WRITE.1 WRITE.2 WRITE.3 WRITE.4 WRITE.6 WRITE.8 WRITE.9 WRITE.10 WRITE.11 WRITE.5",
    ),
    (
        "field-mapping",
        "Field mapping",
        "Sections, fields and discrete data",
        "field_mapping",
        "MAP.1 MAP.2 MAP.3 MAP.4 MAP.5",
    ),
    (
        "template-conflict",
        "Template conflict",
        "A template that changed under its mappings",
        "template_conflict",
        "TMPL.1 MAP.2 TMPL.2 MAP.3 TMPL.3 TMPL.4",
    ),
    (
        "network",
        "Network",
        "Name, route, certificate, proxy and rate",
        "network",
        "NET.1 NET.5 NET.2 NET.3 NET.4 NET.6 NET.7",
    ),
    (
        "permissions",
        "Permissions",
        "Grants, scopes, encounter and department",
        "permissions",
        "PERM.1 PERM.2 PERM.3 PERM.4 PERM.5 PERM.6 PERM.7 PERM.8",
    ),
    ("ehr-defect", "EHR", "What only the EHR's vendor can mend", "ehr_defect", "EHR.1 EHR.2 EHR.3 EHR.4"),
    (
        "scribe-defect",
        "AI scribe",
        "What only the scribe's vendor can mend",
        "scribe_defect",
        "SCRIBE.1 SCRIBE.2 SCRIBE.3 SCRIBE.4",
    ),
)

FOLLOW_UP = "follow-up"
_OF_CATEGORY = {category: slug for slug, _, _, category, _ in BUILT_IN if category}
_OF_STEP = {
    1: "authentication",
    2: "write-back-verification",
    3: "field-mapping",
    4: "network-quick-checks",
    5: "permissions",
}


class ChecklistError(Exception):
    """What was asked is not possible; the message says why in words for the page."""


def in_force() -> dict[str, ChecklistTemplate]:
    """Give the newest version of each checklist by its slug; enter what is not in the database yet."""
    found: dict[str, ChecklistTemplate] = {}
    for template in ChecklistTemplate.objects.order_by("slug", "-version", "id"):
        found.setdefault(template.slug, template)
    missing = [entry for entry in BUILT_IN if entry[0] not in found]
    if missing:
        ChecklistTemplate.objects.bulk_create(
            [
                ChecklistTemplate(slug=slug, version=1, name=name, about=about, category=category, items=items.split())
                for slug, name, about, category, items in missing
            ],
            ignore_conflicts=True,  # somebody else's first use may be this very moment
        )
        return in_force()
    return found


def fitting(category: str, failed_steps: Iterable[int]) -> list[str]:
    """Name the checklists that fit: that of the root cause's category, or of the failed steps; the follow-up last."""
    if category in _OF_CATEGORY:
        return [_OF_CATEGORY[category], FOLLOW_UP]
    return [*dict.fromkeys(_OF_STEP[step] for step in failed_steps if step in _OF_STEP), FOLLOW_UP]


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


@transaction.atomic
def change(*, slug: str, name: str, about: str, items: list[str], seen: int, by: User) -> ChecklistTemplate:
    """Write a new version of a checklist. `seen` is the version the person looked at: nobody's change is lost."""
    newest = ChecklistTemplate.objects.select_for_update().filter(slug=slug).order_by("-version").first()
    if newest is None:
        raise ChecklistError("There is no such checklist.")
    if newest.version != seen:
        raise ChecklistError(
            f"{newest.by or 'Somebody'} wrote version {newest.version} meanwhile. Look at it, then decide."
        )
    strange = [item for item in items if item not in ITEMS]
    if strange or not items:
        raise ChecklistError(f"There is no item {strange[0]}." if strange else "A checklist needs at least one item.")
    if (name, about, items) == (newest.name, newest.about, newest.items):
        return newest
    return ChecklistTemplate.objects.create(
        slug=slug,
        version=newest.version + 1,
        name=name,
        about=about,
        category=newest.category,
        items=list(dict.fromkeys(items)),
        by=by,
    )
