"""Builders of templates, mappings and reviews."""

import json
from datetime import timedelta
from typing import Any

from django.utils import timezone

from console.accounts.models import User
from console.changes.models import ChangeReview
from console.changes.services import propose
from console.integrations.models import Integration, Mapping, TemplateVersion


def a_template(version: int = 7, *fields: dict[str, Any]) -> dict[str, Any]:
    held = fields or (
        {"id": "HPI_TXT", "label": "HPI", "required": True, "max_length": 4000, "kind": "text"},
        {"id": "PLAN_TXT", "label": "Plan", "kind": "text"},
    )
    return {"template_id": "PROG-14", "version": version, "catch_all": "COMMENTS", "fields": list(held)}


def renamed(version: int = 8) -> dict[str, Any]:
    """The next version: the plan's field has another id."""
    return a_template(version, a_template()["fields"][0], {"id": "PLAN_SECTION", "label": "Plan", "kind": "text"})


def in_use(integration: Integration) -> Integration:
    """Give an integration a template and a mapping that fits."""
    TemplateVersion.objects.create(
        integration=integration, template_id="PROG-14", version=7, content=a_template(),
        created_at=timezone.now() - timedelta(days=30),
    )  # fmt: skip
    Mapping.objects.create(
        integration=integration,
        content={
            "template_id": "PROG-14", "template_version": 7, "output": ["narrative"],
            "rules": [
                {"section": "hpi", "field": "HPI_TXT", "mode": "append"},
                {"section": "plan", "field": "PLAN_TXT", "mode": "append"},
            ],
        },
        created_at=timezone.now() - timedelta(days=30),
    )  # fmt: skip
    return integration


def a_review(*integrations: Integration, by: User, content: dict[str, Any] | None = None, **more: Any) -> ChangeReview:
    return propose(
        integrations=integrations, content=content or renamed(), by=by, note=more.pop("note", ""),
        goes_live_on=more.pop("goes_live_on", timezone.localdate() + timedelta(days=7)),
    )  # fmt: skip


def as_text(content: dict[str, Any]) -> str:
    return json.dumps(content)
