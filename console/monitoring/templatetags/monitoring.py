"""Filters of the monitoring pages: rates and latencies in words."""

from django import template

from console.monitoring.pages import seconds

register = template.Library()


@register.filter
def latency(value: float | None) -> str:
    """Say a latency given in seconds."""
    return seconds(value)


@register.filter
def percent(value: float | None) -> str:
    """Say a rate: `98.2 %`, `100 %`; a dash where there is nothing to divide by. Never round a failure away."""
    if value is None:
        return "—"
    shown = f"{value:.1f}"
    if shown in ("100.0", "0.0"):
        return "100 %" if value == 100 else "0 %" if value == 0 else "99.9 %" if value > 50 else "0.1 %"
    return f"{shown} %"
