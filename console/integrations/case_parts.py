"""An integration as the engine wants it, and back: the stored settings are the engine's own structure."""

from typing import Any

import msgspec

from console.integrations.models import Integration
from diagnostics import case as engine

# Paths of what is secret within the engine's Integration; everything else is settings.
SECRET_PATHS = (
    ("auth", "client_secret"),
    ("auth", "refresh_token"),
    ("auth", "api_key"),
    ("auth", "private_key"),
    ("auth", "assertion"),
    ("client_key",),
)
_OWN_COLUMNS = ("name", "vendor", "environment", "protocol")


def split(part: engine.Integration) -> tuple[dict[str, Any], dict[str, Any]]:
    """Give (settings, secrets) of an engine's Integration as JSON can hold them; bytes become base64."""
    settings: dict[str, Any] = msgspec.to_builtins(part)
    secrets: dict[str, Any] = {}
    for path in SECRET_PATHS:
        holder = settings
        for name in path[:-1]:
            holder = holder.get(name) or {}
        value = holder.pop(path[-1], None)
        if value is not None:
            secrets[".".join(path)] = value
    for name in _OWN_COLUMNS:
        settings.pop(name, None)
    own = settings.pop("vendor_profile", None)  # there an empty value says something: "not known here"
    return _without_empty(settings) | ({"vendor_profile": own} if own else {}), secrets


def join(integration: Integration) -> engine.Integration:
    """Give the engine's Integration of a stored one, with its secrets opened."""
    whole: dict[str, Any] = {**integration.settings}
    whole["auth"] = {**(whole.get("auth") or {})}
    for dotted, value in (integration.secrets or {}).items():
        holder = whole
        *parents, last = dotted.split(".")
        for name in parents:
            holder = holder.setdefault(name, {})
        holder[last] = value
    whole |= {name: getattr(integration, name) for name in _OWN_COLUMNS}
    return msgspec.convert(whole, engine.Integration, strict=False)


def _without_empty(value: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for key, item in value.items():
        plain = _without_empty(item) if isinstance(item, dict) else item
        if plain not in (None, [], {}, ()):
            kept[key] = plain
    return kept
