"""Changes to rules and alerts by people, and the evaluations that beat asks for."""

import logging
import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import timezone

from console.accounts.access import require
from console.accounts.models import Facility, User
from console.accounts.roles import Right
from console.accounts.services import record
from console.diagnoses.models import Run
from console.diagnoses.services import request_run
from console.integrations.models import Integration
from console.monitoring.models import Alert, AlertEvent, AlertRule, Evaluation, RuleKind
from console.shared.work import ENDED_STATES, LeaseLost, WorkState, claim, finish, lease, ring, try_again

log = logging.getLogger(__name__)
DEFAULTS = {RuleKind.TOKEN: 1.0, RuleKind.EHR_5XX: 1.0, RuleKind.SUCCESS_RATE: 95.0, RuleKind.CERTIFICATE: 30.0}
BUDGET_S = 60.0
KEPT = timedelta(days=2)
A_DAY = timedelta(days=1)


def seed_rules() -> None:
    """Give every facility that lacks them the four rules; harmless at any time."""
    whole = Count("alert_rules", filter=Q(alert_rules__integration=None))
    lacking = Facility.objects.alias(held=whole).filter(held__lt=len(DEFAULTS)).order_by("id")
    rows = [
        AlertRule(facility=facility, kind=kind, threshold=threshold)
        for facility in lacking
        for kind, threshold in DEFAULTS.items()
    ]
    if rows:
        AlertRule.objects.bulk_create(rows, ignore_conflicts=True)


@transaction.atomic
def set_rule(
    *,
    facility: Facility,
    kind: str,
    threshold: float,
    min_sample: int,
    active: bool,
    by: User,
    integration: Integration | None = None,
) -> AlertRule:
    """Change a facility's rule, or that of one integration which differs from the others."""
    require(by, Right.MANAGE_INTEGRATIONS, facility.id)
    rule, _ = AlertRule.objects.update_or_create(
        facility=facility,
        integration=integration,
        kind=kind,
        defaults={
            "threshold": threshold,
            "min_sample": min_sample,
            "active": active,
            "changed_by": by,
            "changed_at": timezone.now(),
        },
    )
    detail = {"kind": kind, "threshold": threshold, "min_sample": min_sample, "active": active}
    record(by=by, action="alert_rule.changed", subject=rule, facility=facility, detail=detail)
    return rule


@transaction.atomic
def drop_rule(*, rule: AlertRule, by: User) -> None:
    """Take an integration's own rule away: the facility's holds again. A facility's own is switched off instead."""
    require(by, Right.MANAGE_INTEGRATIONS, rule.facility_id)
    if rule.integration_id is None:
        return
    record(by=by, action="alert_rule.dropped", subject=rule, facility=rule.facility_id, detail={"kind": rule.kind})
    rule.delete()


@transaction.atomic
def acknowledge(*, alert: Alert, by: User) -> None:
    """Say that somebody looks after an open alert; the first one counts."""
    require(by, Right.WORK_TICKETS, alert.facility_id)
    now = timezone.now()
    changed = Alert.objects.filter(pk=alert.pk, acknowledged_at=None, ended_at=None).update(
        acknowledged_by=by, acknowledged_at=now
    )
    if changed:
        AlertEvent.objects.create(alert=alert, kind=AlertEvent.Kind.ACKNOWLEDGED, at=now, by=by)
        record(by=by, action="alert.acknowledged", subject=alert, facility=alert.facility_id)
    alert.refresh_from_db()


@transaction.atomic
def request_evaluation(*, now: datetime | None = None) -> Evaluation:
    """Queue the look of this minute; however often it is asked for, there is one."""
    slot = (now or timezone.now()).replace(second=0, microsecond=0)
    row, made = Evaluation.objects.get_or_create(slot=slot)
    if made:
        ring(row)
    return row


def execute(evaluation_id: uuid.UUID | str) -> bool:
    """Carry out a look if nobody has it; a slot older than one that is done says nothing new."""
    from console.monitoring.evaluating import evaluate

    row = claim(Evaluation, evaluation_id)
    if row is None:
        return False
    try:
        with lease(row, budget_s=BUDGET_S):
            if not Evaluation.objects.filter(slot__gt=row.slot, state=WorkState.DONE).exists():
                evaluate(now=max(row.slot, row.created_at))
    except LeaseLost:
        return False
    except Exception as problem:
        log.exception("evaluation %s failed in attempt %s", row.id, row.attempt)
        if row.attempt < row.max_attempts:
            try_again(row, after_s=min(30, 2**row.attempt), error=type(problem).__name__)
            return False
        return finish(row, WorkState.FAILED, error=type(problem).__name__)
    Evaluation.objects.filter(slot__lt=row.slot - KEPT, state__in=ENDED_STATES).delete()
    return finish(row, WorkState.DONE)


def look_daily(*, now: datetime | None = None) -> list[Run]:
    """Ask for a look at every integration that had none for a day: without a note, and without writing anything."""
    if not settings.MONITORING_DAILY_LOOK:
        return []
    since = (now or timezone.now()) - A_DAY
    looked = Run.objects.filter(integration=OuterRef("pk"), created_at__gt=since)
    due = Integration.objects.filter(~Exists(looked), active=True).order_by("id")
    return [request_run(integration=integration, writes=False) for integration in due]
