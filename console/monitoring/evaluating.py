"""One look at every rule: read what the logs say, judge, and let alerts open, go on or end."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils import timezone

from console.integrations.models import Integration
from console.monitoring import rules
from console.monitoring.alerting import end_alert, go_on, join_alert, open_alert
from console.monitoring.measures import Measure, measure
from console.monitoring.models import Alert, AlertRule, RuleKind, SeenCertificate
from console.monitoring.queries import Rules, certificates, in_maintenance
from console.monitoring.rules import State, Verdict
from console.monitoring.services import seed_rules

log = logging.getLogger(__name__)
# What lies upstream explains what lies below: without a token nothing succeeds, and a server that answers 500 files
# nothing. While one such alert is open, and while its failures are still within the windows, those below it join it.
UPSTREAM = {RuleKind.EHR_5XX: (RuleKind.TOKEN,), RuleKind.SUCCESS_RATE: (RuleKind.TOKEN, RuleKind.EHR_5XX)}
ECHO = 2 * rules.WINDOW
_LOCK = 0x4E54414C


@dataclass(frozen=True)
class Finding:
    """What one rule says of one target; `times` are the failures it speaks of."""

    integration: Integration
    kind: RuleKind
    verdict: Verdict
    times: Sequence[datetime] = ()
    failing: Sequence[bytes] = ()
    subject: str = ""

    @property
    def key(self) -> str:
        """Name the cause: one open alert for each."""
        return f"{self.kind}:{self.integration.id}:{self.subject}"


@dataclass
class Outcome:
    """What an evaluation changed."""

    opened: list[Alert] = field(default_factory=list)
    ended: list[Alert] = field(default_factory=list)
    troubled: int = 0


def evaluate(*, now: datetime | None = None) -> Outcome:
    """Look at every rule of every facility as of `now`; the same `now` a second time changes nothing."""
    now = now or timezone.now()
    outcome = Outcome()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        seed_rules()
        integrations = list(Integration.objects.filter(active=True).select_related("facility").order_by("id"))
        held = list(Alert.objects.filter(ended_at=None).select_related("integration", "facility", "ticket"))
        echoes = list(Alert.objects.filter(ended_at__gt=now - ECHO, ended_at__lte=now))
        quiet = in_maintenance(now)
        by_key = {alert.key: alert for alert in held}
        found = list(_findings(integrations, now))
        for finding in found:
            _apply(finding, by_key, echoes, finding.integration.id in quiet, now, outcome)
        watched = {finding.key for finding in found}
        for alert in held:
            if alert.key not in watched and alert.ended_at is None:
                end_alert(alert, "It is no longer watched.", at=now)
                outcome.ended.append(alert)
    return outcome


def _findings(integrations: Sequence[Integration], now: datetime) -> Iterator[Finding]:
    """Judge every rule, what lies upstream first."""
    in_force = Rules(list(AlertRule.objects.all()))
    ids = [integration.id for integration in integrations]
    measured = measure(ids, now)
    seen = certificates(ids, now)
    for integration in integrations:
        told = measured[integration.id]
        for kind in RuleKind:
            rule = in_force.of(integration, kind)
            if rule is None:
                continue
            if kind == RuleKind.CERTIFICATE:
                yield from _certificates(integration, rule, seen.get(integration.id, []), now)
            else:
                yield _judge(integration, rule, told, now)


def _judge(integration: Integration, rule: AlertRule, told: Measure, now: datetime) -> Finding:
    kind = RuleKind(rule.kind)
    if kind == RuleKind.TOKEN:
        verdict = rules.token_requests(len(told.refused_times), told.granted, threshold=rule.threshold)
        return Finding(integration, kind, verdict, told.refused_times, told.failing)
    if kind == RuleKind.EHR_5XX:
        verdict = rules.server_errors(len(told.server_error_times), threshold=rule.threshold)
        return Finding(integration, kind, verdict, told.server_error_times, told.failing)
    verdict = rules.success_rate(
        told.older,
        told.newer,
        told.latest,
        now - told.newest_at if told.newest_at else None,
        threshold=rule.threshold,
        min_sample=rule.min_sample,
    )
    return Finding(integration, kind, verdict, told.failed_times, told.failing)


def _certificates(
    integration: Integration, rule: AlertRule, seen: Sequence[SeenCertificate], now: datetime
) -> Iterator[Finding]:
    for one in seen:
        verdict = rules.certificate(one.host, one.not_before, one.not_after, now, threshold=rule.threshold)
        yield Finding(integration, RuleKind.CERTIFICATE, verdict, subject=one.host)


def _apply(
    finding: Finding,
    by_key: dict[str, Alert],
    echoes: Sequence[Alert],
    muted: bool,
    now: datetime,
    outcome: Outcome,
) -> None:
    alert = by_key.get(finding.key)
    if finding.verdict.state == State.HOLD or (finding.verdict.state == State.CLEAR and alert is None):
        return
    try:
        with transaction.atomic():
            _change(finding, alert, by_key, echoes, muted, now, outcome)
    except Exception:  # one integration's trouble must not keep the others from being watched
        log.exception("the alert rule %s of integration %s could not be applied", finding.kind, finding.integration.id)
        outcome.troubled += 1


def _change(
    finding: Finding,
    alert: Alert | None,
    by_key: dict[str, Alert],
    echoes: Sequence[Alert],
    muted: bool,
    now: datetime,
    outcome: Outcome,
) -> None:
    verdict = finding.verdict
    if verdict.state == State.CLEAR and alert is not None:
        end_alert(alert, verdict.says, at=now)
        outcome.ended.append(alert)
        return
    if alert is not None:
        go_on(alert, verdict, finding.times, finding.failing, muted=muted, at=now)
        return
    above = _upstream(finding, by_key.values())
    if above is not None:
        join_alert(above, finding.kind, verdict.says, finding.failing, at=now)
        return
    if _upstream(finding, echoes) is not None:
        return  # the failures of what is just over, still within the windows
    since = now - timedelta(minutes=30)
    count = sum(since < at <= now for at in finding.times) if finding.kind != RuleKind.TOKEN else len(finding.times)
    made = open_alert(
        integration=finding.integration, kind=finding.kind, subject=finding.subject, key=finding.key,
        verdict=verdict, count=max(1, count), failing=finding.failing, muted=muted, at=now,
    )  # fmt: skip
    by_key[finding.key] = made
    outcome.opened.append(made)


def _upstream(finding: Finding, alerts: Iterator[Alert] | Sequence[Alert]) -> Alert | None:
    kinds = UPSTREAM.get(finding.kind, ())
    ranked = [alert for alert in alerts if alert.integration_id == finding.integration.id and alert.kind in kinds]
    return min(ranked, key=lambda alert: kinds.index(RuleKind(alert.kind)), default=None)
