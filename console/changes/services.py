"""Propose a version of a template, decide about it, and change the rules of a mapping."""

import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction
from django.utils import timezone

from console.accounts.models import User
from console.accounts.services import record
from console.changes.access import somebody_else_decides
from console.changes.models import ChangeReview
from console.changes.queries import in_force, weigh
from console.integrations.models import Integration, Mapping, TemplateVersion


class ChangeError(Exception):
    """Somebody asked for what cannot be; the message says why in plain words."""


@transaction.atomic
def propose(
    *, integrations: Sequence[Integration], content: dict[str, Any], goes_live_on: dt.date, note: str, by: User
) -> ChangeReview:
    """Put a version up for review at the one facility that its integrations belong to."""
    facility = integrations[0].facility
    if any(each.facility_id != facility.id for each in integrations):
        raise ChangeError("Choose integrations of one facility; propose it for the other one apart.")
    template_id, version = str(content["template_id"]), int(content["version"])
    for integration_id, held in in_force([each.id for each in integrations], template_id).items():
        if held.version >= version:
            name = next(each.name for each in integrations if each.id == integration_id)
            raise ChangeError(f"{name} is at version {held.version} already: give the new version a higher number.")
    again = {"facility": facility, "template_id": template_id, "version": version, "state": ChangeReview.State.PROPOSED}
    if ChangeReview.objects.filter(**again).exists():
        raise ChangeError(f"Version {version} of {template_id} waits for a decision already.")
    review = ChangeReview.objects.create(
        facility=facility, template_id=template_id, version=version, content=content, note=note,
        goes_live_on=goes_live_on, proposed_by=by,
    )  # fmt: skip
    review.integrations.set(integrations)
    record(by=by, action="template.proposed", subject=review, facility=facility, detail=_about(review))
    return review


@transaction.atomic
def decide(*, review: ChangeReview, approve: bool, reason: str, by: User) -> ChangeReview:
    """Approve a version, which then is in force from its day on, or send it back with a reason. Once."""
    held = ChangeReview.objects.select_for_update(of=("self",)).select_related("facility").get(pk=review.pk)
    if not held.waits:
        raise ChangeError(f"This version was {held.get_state_display().lower()} already; nothing was changed.")
    if approve and somebody_else_decides(held, by):
        raise ChangeError("You proposed this version: a colleague who reviews template changes must approve it.")
    if not approve and not reason:
        raise ChangeError("Say why it goes back, so that its proposer knows what to change.")
    concerned = list(held.integrations.order_by("name", "id"))
    held.impact_then = msgspec.to_builtins(
        {str(id): found for id, found in weigh(concerned, held.template_id, held.content).items()}
    )
    held.state = ChangeReview.State.APPROVED if approve else ChangeReview.State.SENT_BACK
    held.decided_by, held.decided_at, held.reason = by, timezone.now(), reason
    held.save()
    if approve:
        _put_in_force(held, concerned)
    action = "template.approved" if approve else "template.sent_back"
    record(by=by, action=action, subject=held, facility=held.facility, detail=_about(held))
    return held


def _put_in_force(review: ChangeReview, concerned: Sequence[Integration]) -> None:
    """Record the version with each integration, from the first minute of its day, or from now where that has passed."""
    zone = ZoneInfo(review.facility.time_zone)
    day = dt.datetime.combine(review.goes_live_on, dt.time.min, tzinfo=zone)
    at = max(day, timezone.now())
    content = {"changed_at": at.isoformat(), **review.content}
    for integration in concerned:
        TemplateVersion.objects.create(
            integration=integration, template_id=review.template_id, version=review.version, content=content,
            changed_at=at, created_at=at,
        )  # fmt: skip


@transaction.atomic
def set_mapping(
    *, integration: Integration, rules: Sequence[dict[str, str]], output: Sequence[str],
    written_for: TemplateVersion | None, seen: uuid.UUID | None, by: User,
) -> Mapping:  # fmt: skip
    """Put new rules in force; `seen` is the mapping the person started from, so that two do not undo each other."""
    Integration.objects.select_for_update(of=("self",), no_key=True).get(pk=integration.pk)
    held = Mapping.objects.filter(integration=integration).first()
    if (held.pk if held else None) != seen:
        raise ChangeError(
            "Somebody changed these rules while you edited them. What you entered stands below: "
            "compare it with the rules in force, then save again."
        )
    content: dict[str, Any] = {**(held.content if held else {})}
    content |= {"output": list(output), "rules": list(rules)}
    if written_for is not None:
        content |= {"template_id": written_for.template_id, "template_version": written_for.version}
    made = Mapping.objects.create(integration=integration, content=content)
    detail = {"integration": str(integration.pk), "rules": len(rules)}
    record(by=by, action="mapping.changed", subject=made, facility=integration.facility_id, detail=detail)
    return made


def _about(review: ChangeReview) -> dict[str, Any]:
    return {"template": review.template_id, "version": review.version, "state": str(review.state)}
