"""Tags and filters that every template may use: icons and lengths of time."""

from datetime import datetime, timedelta

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

_STATE_ICONS = {
    "passed": "circle-check",
    "failed": "circle-x",
    "warning": "alert-triangle",
    "error": "bug",
    "unknown": "help-circle",
    "blocked": "circle-minus",
    "not_applicable": "circle-dashed",
    "running": "loader-2",
}


@register.simple_tag
def icon(name: str, classes: str = "") -> SafeString:
    """Draw an icon of the sprite; it is decoration, so a word always stands beside it."""
    source = static("vendor/tabler-icons/sprite.svg")
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        classes,
        source,
        name,
    )


@register.simple_tag
def state_icon(status: str) -> SafeString:
    """Draw the icon of a check's status."""
    turning = " spin" if status == "running" else ""
    return icon(_STATE_ICONS.get(status, "help-circle"), f"i-{status}{turning}")


@register.filter
def lasting(value: timedelta | None) -> str:
    """Say how long something is with the two largest units that matter: `14 min`, `3 h 46 m`, `2 d 5 h`."""
    if value is None:
        return "—"
    minutes = int(abs(value.total_seconds()) // 60)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes % 60:02d} m" if minutes % 60 else f"{hours} h"
    return f"{minutes} min" if minutes else "under 1 min"


@register.filter
def since(value: datetime | None) -> timedelta | None:
    """Give the time since a moment."""
    return None if value is None else timezone.now() - value
