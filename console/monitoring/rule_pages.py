"""What the page of alert rules shows."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import QuerySet

from console.accounts.access import grants
from console.accounts.models import Facility, User
from console.accounts.roles import Right
from console.integrations.models import Integration
from console.monitoring.forms import RuleForm
from console.monitoring.models import AlertRule, RuleKind
from console.monitoring.rules import CLEAR_ABOVE_POINTS, IN_A_ROW
from console.monitoring.services import seed_rules

# What the number means, and when the alert ends.
_WORDS = {
    RuleKind.SUCCESS_RATE: (
        "Below, in percent",
        (
            "Fires when fewer notes reach the chart in two windows of 15 minutes one after the other. With fewer notes "
            f"than the minimum sample, {IN_A_ROW} failures in a row fire. Ends {CLEAR_ABOVE_POINTS:g} points above the "
            "line for two windows."
        ),
    ),
    RuleKind.EHR_5XX: (
        "Answers in 30 minutes",
        "Fires when the EHR answers with a 5xx status. Ends after 30 minutes without one.",
    ),
    RuleKind.TOKEN: (
        "Requests in a row",
        "Fires when a token request fails. Ends with the next token that is granted.",
    ),
    RuleKind.CERTIFICATE: (
        "Days before the end",
        (
            "Fires this many days before a certificate ends, or in the last third of its life where that is shorter. "
            "Ends when a diagnosis meets the new certificate."
        ),
    ),
}
_ORDER = (RuleKind.SUCCESS_RATE, RuleKind.EHR_5XX, RuleKind.TOKEN, RuleKind.CERTIFICATE)


@dataclass(frozen=True)
class RuleRow:
    """One kind of rule at one facility, and the integrations that differ."""

    kind: str
    name: str
    rule: AlertRule
    number: str
    says: str
    counts_notes: bool
    own: tuple[AlertRule, ...]
    form: RuleForm | None


@dataclass(frozen=True)
class FacilityRules:
    """One facility's rules."""

    facility: Facility
    rows: tuple[RuleRow, ...]
    integrations: tuple[Integration, ...]
    may_change: bool


@dataclass(frozen=True)
class RulesPage:
    """Everything on the page."""

    facilities: tuple[FacilityRules, ...]


def integrations_of(facility: Facility) -> QuerySet[Integration]:
    """Give the integrations that may have a rule of their own."""
    return Integration.objects.filter(facility=facility, active=True).order_by("name", "id")


def rules_page(
    user: User, places: Collection[uuid.UUID], wrong: tuple[uuid.UUID, str, RuleForm] | None = None
) -> RulesPage:
    """Read the rules of the shown facilities; a fixed number of queries."""
    seed_rules()
    facilities = Facility.objects.filter(id__in=places).order_by("name", "id")
    rules = list(AlertRule.objects.filter(facility__in=places).select_related("integration", "changed_by"))
    integrations = list(Integration.objects.filter(facility__in=places, active=True).order_by("name", "id"))
    may = grants(user).where(Right.MANAGE_INTEGRATIONS)
    return RulesPage(
        tuple(
            FacilityRules(
                facility=facility,
                rows=tuple(_row(facility, kind, rules, wrong) for kind in _ORDER),
                integrations=tuple(one for one in integrations if one.facility_id == facility.id),
                may_change=facility.id in may,
            )
            for facility in facilities
        )
    )


def _row(
    facility: Facility, kind: RuleKind, rules: list[AlertRule], wrong: tuple[uuid.UUID, str, RuleForm] | None
) -> RuleRow:
    mine = [rule for rule in rules if rule.facility_id == facility.id and rule.kind == kind]
    number, says = _WORDS[kind]
    return RuleRow(
        kind=kind.value,
        name=str(kind.label),
        rule=next(rule for rule in mine if rule.integration_id is None),
        number=number,
        says=says,
        counts_notes=kind == RuleKind.SUCCESS_RATE,
        own=tuple(sorted((r for r in mine if r.integration_id), key=lambda r: (r.integration.name, r.id))),
        form=wrong[2] if wrong is not None and wrong[:2] == (facility.id, kind.value) else None,
    )
