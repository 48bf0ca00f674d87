"""What the pages about templates show."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from django import forms
from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.changes.access import somebody_else_decides
from console.changes.differences import Difference, differences
from console.changes.forms import DecideForm, TemplateForm, concerned
from console.changes.impact import Impact, Severity
from console.changes.models import ChangeReview
from console.changes.queries import in_force, mappings, to_come, weigh
from console.changes.rules import RuleLine, rule_lines
from console.changes.shapes import Field, template_of
from console.integrations.models import Integration, TemplateVersion

DECIDED_SHOWN = 25
TONES = {Severity.BREAKS: "bad", Severity.RISK: "warn", Severity.NOTE: "", Severity.NONE: "ok"}
ICONS = {
    Severity.BREAKS: "circle-x",
    Severity.RISK: "alert-triangle",
    Severity.NOTE: "info-circle",
    Severity.NONE: "circle-check",
}
WORDS = {
    Severity.BREAKS: "Breaks",
    Severity.RISK: "May lose content",
    Severity.NOTE: "Keeps working",
    Severity.NONE: "No effect",
}


@dataclass(frozen=True)
class RegisterLine:
    """Be one integration with the version and the rules it works with."""

    integration: Integration
    version: TemplateVersion | None
    next: TemplateVersion | None
    fields: int
    rules: int
    wrong: int
    may_edit: bool


class RegisterPage:
    """Be the register: a fixed number of queries, however many integrations."""

    def __init__(self, user: User, places: Collection[uuid.UUID]) -> None:
        self.user, self.places = user, places
        held = grants(user)
        self.may_propose = bool(held.where(Right.REVIEW_KNOWLEDGE))
        self.decides_at = held.where(Right.REVIEW_KNOWLEDGE)
        self.manages_at = held.where(Right.MANAGE_INTEGRATIONS)

    @cached_property
    def lines(self) -> tuple[RegisterLine, ...]:
        """Give the active integrations."""
        rows = Integration.objects.filter(facility__in=self.places, active=True).select_related("facility")
        rows = list(rows.order_by("facility__name", "name", "id"))
        ids = [row.id for row in rows]
        held, coming, ruled = in_force(ids), to_come(ids), mappings(ids)
        lines = []
        for row in rows:
            version, rules = held.get(row.id), ruled.get(row.id)
            states = rule_lines(version.content if version else None, rules.content if rules else None)
            lines.append(
                RegisterLine(
                    row,
                    version,
                    coming.get(row.id),
                    len(template_of(version.content).fields) if version else 0,
                    len(states),
                    sum(state.wrong for state in states) if version else 0,
                    row.facility_id in self.manages_at,
                )
            )
        return tuple(lines)

    @cached_property
    def waiting(self) -> list[ChangeReview]:
        """Give the reviews that wait, the next to go live first."""
        rows = self._reviews.filter(state=ChangeReview.State.PROPOSED)
        return list(rows.order_by("goes_live_on", "proposed_at", "id"))

    @cached_property
    def decided(self) -> list[ChangeReview]:
        """Give the last decisions."""
        rows = self._reviews.exclude(state=ChangeReview.State.PROPOSED)
        return list(rows.order_by("-decided_at", "-id")[:DECIDED_SHOWN])

    @property
    def _reviews(self) -> Any:
        rows = ChangeReview.objects.filter(facility__in=self.places).defer("content", "impact_then")
        return rows.select_related("facility", "proposed_by", "decided_by")


class VersionPage:
    """Be one version of a template of one integration."""

    def __init__(self, version: TemplateVersion, user: User, compare_with: str) -> None:
        self.version = version
        self.integration = version.integration
        self.may_edit = grants(user).has(Right.MANAGE_INTEGRATIONS, self.integration.facility_id)
        self._wanted = compare_with

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Give its fields."""
        return tuple(template_of(self.version.content).fields.values())

    @property
    def catch_all(self) -> str:
        """Name the field that takes what has no other."""
        return template_of(self.version.content).catch_all

    @cached_property
    def others(self) -> list[TemplateVersion]:
        """Give the other versions of this template at this integration, newest first."""
        rows = TemplateVersion.objects.filter(integration=self.integration, template_id=self.version.template_id)
        return list(rows.exclude(pk=self.version.pk).order_by("-created_at", "-id")[:50])

    @cached_property
    def other(self) -> TemplateVersion | None:
        """Give the version to compare with: the chosen one, else the one before."""
        chosen = next((row for row in self.others if str(row.pk) == self._wanted), None)
        earlier = (row for row in self.others if row.created_at <= self.version.created_at)
        return chosen or next(earlier, None)

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Give what differs from the other version, read from the earlier to the later one."""
        if self.other is None:
            return ()
        pair = sorted((self.other, self.version), key=lambda row: (row.created_at, row.version))
        return differences(pair[0].content, pair[1].content)

    @cached_property
    def state(self) -> str:
        """Say whether it is in force, was, or will be."""
        if self.version.created_at > timezone.now():
            return "to come"
        held = in_force([self.integration.id]).get(self.integration.id)
        return "in force" if held is not None and held.pk == self.version.pk else "earlier"

    @cached_property
    def rules(self) -> tuple[RuleLine, ...]:
        """Give the rules in force against this version."""
        rules = mappings([self.integration.id]).get(self.integration.id)
        if rules is None:
            return ()
        made_for = str(rules.content.get("template_version") or "")
        before = next((row for row in self.others if str(row.version) == made_for), None)
        return rule_lines(self.version.content, rules.content, before.content if before else None)


@dataclass(frozen=True)
class ImpactLine:
    """Be what a version does to one integration."""

    integration: Integration
    impact: Impact | None
    chosen: bool = True

    @property
    def severity(self) -> Severity:
        """Give the worst of it."""
        return self.impact.severity if self.impact else Severity.NONE

    @property
    def word(self) -> str:
        """Say it in a word."""
        return WORDS[self.severity] if self.impact else "No mapping"

    @property
    def tone(self) -> str:
        """Give its colour class."""
        return TONES[self.severity] if self.impact else ""

    @property
    def icon(self) -> str:
        """Name its icon."""
        return ICONS[self.severity] if self.impact else "circle-dashed"

    @property
    def lines(self) -> list[tuple[str, str, Any]]:
        """Give icon, tone and trouble of each consequence."""
        return [(ICONS[t.severity], TONES[t.severity], t) for t in self.impact.troubles] if self.impact else []


def summary(lines: Collection[ImpactLine]) -> str:
    """Say in one sentence how many mappings break."""
    mapped = [line for line in lines if line.impact is not None]
    broken = sum(line.severity is Severity.BREAKS for line in mapped)
    risky = sum(line.severity is Severity.RISK for line in mapped)
    if not mapped:
        return "No active mapping meets this version yet."
    noun = "mapping" if len(mapped) == 1 else "mappings"
    if broken:
        return f"Breaks {broken} of {len(mapped)} {noun}" + (f"; {risky} may lose content" if risky else "")
    return f"Breaks none of {len(mapped)} {noun}" + (f"; {risky} may lose content" if risky else "")


class ReviewPage:
    """Be a proposed version: its impact, computed now while it waits, and as it was shown once it is decided."""

    def __init__(self, review: ChangeReview, user: User, form: DecideForm | None = None) -> None:
        self.review, self.user = review, user
        self.form = form or DecideForm()
        decides = grants(user).has(Right.REVIEW_KNOWLEDGE, review.facility_id)
        self.may_decide = decides and review.waits
        self.leaves_it = self.may_decide and somebody_else_decides(review, user)

    @cached_property
    def integrations(self) -> list[Integration]:
        """Give the integrations it concerns; of a waiting one, those still active."""
        rows = self.review.integrations.order_by("name", "id")
        return list(rows.filter(active=True) if self.review.waits else rows)

    @cached_property
    def impacts(self) -> tuple[ImpactLine, ...]:
        """Give the impact on each integration, the worst first."""
        if self.review.waits or self.review.impact_then is None:
            found = weigh(self.integrations, self.review.template_id, self.review.content)
        else:
            kept = msgspec.convert(self.review.impact_then, dict[str, Impact | None])
            found = {uuid.UUID(id): each for id, each in kept.items()}
        lines = (ImpactLine(each, found.get(each.id)) for each in self.integrations)
        return tuple(sorted(lines, key=lambda line: line.severity.rank))

    @property
    def summary(self) -> str:
        """Say how many break."""
        return summary(self.impacts)

    @property
    def tone(self) -> str:
        """Give the colour class of the worst."""
        return self.impacts[0].tone if self.impacts else ""

    @cached_property
    def before(self) -> TemplateVersion | None:
        """Give the version it replaces: the newest one of this template that was in force when it was decided."""
        ids = [each.id for each in self.integrations]
        held = in_force(ids, self.review.template_id, self.review.decided_at).values()
        rows = [row for row in held if row.version != self.review.version]
        return max(rows, key=lambda row: (row.version, row.created_at), default=None)

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """Give what differs from the version it replaces."""
        return differences(self.before.content, self.review.content) if self.before else ()

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """Give its fields."""
        return tuple(template_of(self.review.content).fields.values())

    @property
    def state_tone(self) -> str:
        """Give the colour class of its state."""
        return {"proposed": "run", "approved": "ok", "sent_back": "warn"}[self.review.state]

    @property
    def is_late(self) -> bool:
        """Tell whether its day has come without a decision."""
        return self.review.waits and self.review.goes_live_on <= timezone.localdate()


class ProposePage:
    """Be the page that takes a template: first the paste, then whom it concerns."""

    def __init__(self, user: User, form: TemplateForm) -> None:
        self.user, self.form = user, form

    @property
    def content(self) -> dict[str, Any] | None:
        """Give the template, once it could be read."""
        return getattr(self.form, "cleaned_data", {}).get("content") if self.form.is_bound else None

    @property
    def text(self) -> str:
        """Give what was pasted or uploaded."""
        return str(getattr(self.form, "raw", "") or "")

    @cached_property
    def options(self) -> tuple[ImpactLine, ...]:
        """Give the integrations to choose from with their impact; those that use the template come chosen."""
        content = self.content
        if content is None:
            return ()
        rows = list(concerned(self.user))
        chosen = self._chosen(rows, str(content["template_id"]))
        found = weigh(rows, str(content["template_id"]), content)
        return tuple(ImpactLine(row, found.get(row.id), str(row.id) in chosen) for row in rows)

    def _chosen(self, rows: list[Integration], template_id: str) -> set[str]:
        if "integrations" in self.form.fields:
            return set(self.form.data.getlist("integrations"))
        using = {str(id) for id, v in in_force([row.id for row in rows]).items() if v.template_id == template_id}
        # of several facilities, preselect the first only: a review belongs to one
        first = next((row.facility_id for row in rows if str(row.id) in using), None)
        return {str(row.id) for row in rows if str(row.id) in using and row.facility_id == first}

    @property
    def summary(self) -> str:
        """Say how many of the chosen ones break."""
        return summary([line for line in self.options if line.chosen])

    @property
    def goes_live_on(self) -> str:
        """Give the day as it was entered; a week from now to begin with."""
        asked = self.form.data.get("goes_live_on") if self.form.is_bound else None
        return asked or (timezone.localdate() + dt.timedelta(days=7)).isoformat()

    @property
    def note(self) -> str:
        """Give the note as it was entered."""
        return str(self.form.data.get("note", "")) if self.form.is_bound else ""

    @property
    def wrong(self) -> forms.utils.ErrorList:
        """Give what is wrong with the whole."""
        return self.form.non_field_errors()
