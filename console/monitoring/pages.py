"""What the monitoring pages show: the health of every integration, and of one over time."""

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from console.accounts.access import grants
from console.accounts.models import User
from console.accounts.roles import Right
from console.diagnoses import words
from console.integrations.models import Integration
from console.monitoring import charts
from console.monitoring.charts import Bar, Chart
from console.monitoring.metrics import Figures, Metrics, metrics
from console.monitoring.models import Alert, AlertRule, RuleKind, SeenCertificate
from console.monitoring.periods import PERIODS, Period
from console.monitoring.queries import Rules, certificates, ended_alerts, open_alerts
from console.monitoring.services import DEFAULTS
from console.monitoring.telling import headline
from console.notes.models import LogBatch
from console.tickets.access import visible

TOP_CODES = 5
ENDED_FOR = timedelta(days=7)
LOGS = {"scribe": "AI scribe", "ehr": "EHR"}


@dataclass(frozen=True)
class Code:
    """How often one answer came."""

    log: str
    code: str
    count: int


@dataclass(frozen=True)
class AlertRow:
    """An alert in a list; the ticket is there only for those who see it."""

    alert: Alert
    headline: str
    ticket: int | None
    tone: str


@dataclass(frozen=True)
class HealthRow:
    """One integration's figures over the period."""

    integration: Integration
    vendor: str
    figures: Figures
    tone: str
    attempts: int
    codes: tuple[Code, ...]
    spark: tuple[Bar, ...]
    spark_says: str
    scribe_at: datetime | None
    ehr_at: datetime | None


@dataclass(frozen=True)
class OverviewPage:
    """Everything on the overview."""

    period: Period
    periods: tuple[Period, ...]
    open: tuple[AlertRow, ...]
    ended: tuple[AlertRow, ...]
    rows: tuple[HealthRow, ...]
    any_rows: bool
    may_upload: bool
    may_manage: bool


@dataclass(frozen=True)
class IntegrationPage:
    """Everything on the page of one integration."""

    integration: Integration
    vendor: str
    period: Period
    periods: tuple[Period, ...]
    row: HealthRow
    charts: tuple[Chart, ...]
    table: tuple[tuple[str, Figures], ...]
    codes: tuple[Code, ...]
    alerts: tuple[AlertRow, ...]
    certificates: tuple[SeenCertificate, ...]
    threshold: float | None
    now: datetime


def overview_page(user: User, places: Collection[uuid.UUID], period: Period) -> OverviewPage:
    """Read the overview; a fixed number of queries, however many integrations."""
    now = timezone.now()
    integrations = list(
        Integration.objects.filter(facility__in=places, active=True).select_related("facility").order_by("name", "id")
    )
    rules = Rules(list(AlertRule.objects.filter(facility__in=places)))
    found = _metrics(integrations, period, now)
    rights = grants(user)
    rows = [_row(one, found[one.id], _threshold(rules, one), period, now) for one in integrations]
    return OverviewPage(
        period=period,
        periods=PERIODS,
        open=_alert_rows(user, list(open_alerts(places))),
        ended=_alert_rows(user, list(ended_alerts(places, now - ENDED_FOR)[:8])),
        rows=tuple(sorted(rows, key=lambda row: row.tone != "bad")),
        any_rows=any(each.last_seen for each in found.values())
        or LogBatch.objects.filter(integration__in=integrations).exists(),
        may_upload=bool(rights.where(Right.WORK_TICKETS)),
        may_manage=bool(rights.where(Right.MANAGE_INTEGRATIONS)),
    )


def integration_page(user: User, integration: Integration, period: Period) -> IntegrationPage:
    """Read the page of one integration."""
    now = timezone.now()
    told = _metrics([integration], period, now)[integration.id]
    rules = Rules(list(AlertRule.objects.filter(facility=integration.facility)))
    threshold = _threshold(rules, integration)
    buckets = [(period.label(at), told.buckets.get(at, Figures())) for at in period.buckets(now)]
    alerts = Alert.objects.filter(integration=integration).select_related("integration", "ticket")
    return IntegrationPage(
        integration=integration,
        vendor=words.VENDORS.get(integration.vendor, integration.vendor),
        period=period,
        periods=PERIODS,
        row=_row(integration, told, threshold, period, now),
        charts=_charts(buckets, threshold, period),
        table=tuple(reversed(buckets)),
        codes=_codes(told.codes, 12),
        alerts=_alert_rows(user, list(alerts.order_by("-opened_at", "-id")[:12])),
        certificates=tuple(certificates([integration.id], now).get(integration.id, ())),
        threshold=threshold,
        now=now,
    )


def alert_row(user: User, alert: Alert) -> AlertRow:
    """Give one alert as lists show it."""
    return _alert_rows(user, [alert])[0]


def _alert_rows(user: User, alerts: Sequence[Alert]) -> tuple[AlertRow, ...]:
    wanted = {alert.ticket_id for alert in alerts if alert.ticket_id}
    seen = dict(visible(user).filter(pk__in=wanted).values_list("pk", "number")) if wanted else {}
    return tuple(
        AlertRow(alert, headline(alert), seen.get(alert.ticket_id), tone(alert) if alert.ended_at is None else "")
        for alert in alerts
    )


def tone(alert: Alert) -> str:
    """Give the colour of an open alert: a certificate that still holds warns, everything else is bad."""
    return "warn" if alert.kind == RuleKind.CERTIFICATE and not alert.grave else "bad"


def _metrics(integrations: Sequence[Integration], period: Period, now: datetime) -> dict[uuid.UUID, Metrics]:
    zone = timezone.get_current_timezone_name()
    ids = [one.id for one in integrations]
    return metrics(ids, start=period.start(now), now=now, unit=period.unit, zone=zone)


def _threshold(rules: Rules, integration: Integration) -> float | None:
    rule = rules.of(integration, RuleKind.SUCCESS_RATE)
    return rule.threshold if rule else None


def _row(integration: Integration, told: Metrics, threshold: float | None, period: Period, now: datetime) -> HealthRow:
    figures = [told.buckets.get(at, Figures()) for at in period.buckets(now)]
    line = threshold if threshold is not None else DEFAULTS[RuleKind.SUCCESS_RATE]
    rate = told.whole.success
    return HealthRow(
        integration=integration,
        vendor=words.VENDORS.get(integration.vendor, integration.vendor),
        figures=told.whole,
        tone="" if rate is None else "bad" if rate < line else "ok",
        attempts=told.attempts,
        codes=_codes(told.codes, TOP_CODES),
        spark=charts.spark([_stack(each) for each in figures]),
        spark_says=_spark_says([each.success for each in figures], period),
        scribe_at=told.last_seen.get("scribe"),
        ehr_at=told.last_seen.get("ehr"),
    )


def _spark_says(rates: Sequence[float | None], period: Period) -> str:
    known = [rate for rate in rates if rate is not None]
    if not known:
        return "no notes in this period"
    return f"success rate by {period.unit}: lowest {min(known):.0f} %, last {known[-1]:.0f} %"


def _codes(codes: Counter[tuple[str, str]], most: int) -> tuple[Code, ...]:
    ranked = sorted(codes.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Code(LOGS.get(log, log), code, count) for (log, code), count in ranked[:most])


def _charts(
    buckets: Sequence[tuple[str, Figures]], threshold: float | None, period: Period
) -> tuple[Chart, Chart, Chart]:
    columns, xs = charts.columns_for([label for label, _ in buckets])
    figures = [each for _, each in buckets]
    return (
        _success_chart(figures, columns, xs, threshold, period),
        _latency_chart(figures, columns, xs, period),
        _notes_chart(figures, columns, xs, period),
    )


def _success_chart(
    figures: Sequence[Figures],
    columns: tuple[charts.Tick, ...],
    xs: Sequence[float],
    threshold: float | None,
    period: Period,
) -> Chart:
    rates = [each.success for each in figures]
    known = [rate for rate in rates if rate is not None]
    low = 0.0 if known and min(known) < 50 else 50.0
    scale = {"low": low, "high": 100.0}
    ticks = [(value, f"{value:g} %") for value in ((50, 75, 100) if low else (0, 50, 100))]
    mark = charts.grid([(threshold, f"{threshold:g} %")], **scale)[0] if threshold else None
    says = f"Lowest {min(known):.1f} %, last {known[-1]:.1f} %." if known else "No notes in this period."
    return Chart(
        "Sync success rate", f"Due notes that reached the chart, by {period.unit} in which they were generated", says,
        lines=charts.lines([("", rates)], xs, **scale), rows=charts.grid(ticks, **scale), columns=columns, mark=mark,
        legend=(("", "Success rate"), *((("mark", f"Alert below {threshold:g} %"),) if threshold else ())),
    )  # fmt: skip


def _latency_chart(
    figures: Sequence[Figures], columns: tuple[charts.Tick, ...], xs: Sequence[float], period: Period
) -> Chart:
    p50, p95 = [each.p50 for each in figures], [each.p95 for each in figures]
    known = [value for value in p95 if value is not None]
    high = charts.round_up(max(known, default=1.0))
    ticks = [(0.0, "0"), (high / 2, seconds(high / 2)), (high, seconds(high))]
    says = f"Highest p95 {seconds(max(known))}, last {seconds(known[-1])}." if known else "Nothing was delivered."
    return Chart(
        "Sync latency", f"From note generated to EHR confirmation, by {period.unit}", says,
        lines=charts.lines([("", p50), ("second", p95)], xs, low=0, high=high),
        rows=charts.grid(ticks, low=0, high=high), columns=columns, legend=(("", "p50"), ("second", "p95")),
    )  # fmt: skip


def _notes_chart(
    figures: Sequence[Figures], columns: tuple[charts.Tick, ...], xs: Sequence[float], period: Period
) -> Chart:
    high = charts.round_up(max((each.notes for each in figures), default=1))
    stacks = [_stack(each) for each in figures]
    due = sum(each.notes for each in figures)
    missing = sum(each.undelivered for each in figures)
    return Chart(
        "Notes", f"Due notes by {period.unit}", f"{due} due, {missing} not in the chart.",
        bars=charts.bars(stacks, xs, high=high),
        rows=charts.grid([(0.0, "0"), (high / 2, f"{high / 2:g}"), (high, f"{high:g}")], low=0, high=high),
        columns=columns, legend=(("ok", "In the chart"), ("bad", "Not in the chart")),
    )  # fmt: skip


def _stack(figures: Figures) -> list[tuple[str, float]]:
    return [("ok", float(figures.delivered)), ("bad", float(figures.undelivered))]


def seconds(value: float | None) -> str:
    """Say a latency: `4.2 s`, `2 m 10 s`, `1 h 03 m`."""
    if value is None:
        return "—"
    if value < 10:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} m {rest:02d} s" if rest else f"{minutes} min"
    hours, rest = divmod(whole // 60, 60)
    return f"{hours} h {rest:02d} m" if rest else f"{hours} h"
