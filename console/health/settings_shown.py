"""The settings of an integration as names and values for its page. Secrets stand elsewhere, as set or not set."""

from typing import Any

from console.integrations.forms import IntegrationForm
from console.integrations.models import Integration
from console.integrations.settings_fields import PATHS, PEM, values_of


def shown(integration: Integration) -> list[tuple[str, str]]:
    """Give what is set, in the order and under the names of the form."""
    values = values_of(integration.settings)
    names = {name: str(field.label or name) for name, field in IntegrationForm.base_fields.items()}
    rows = []
    for name in PATHS:
        value = values[name]
        if value in (None, "", [], {}, False):
            continue
        rows.append((f"HL7 {names[name].lower()}" if name.startswith("hl7_") else names[name], _words(name, value)))
    return rows


def _words(name: str, value: Any) -> str:
    if name in PEM:
        return "set"
    if isinstance(value, bool):
        return "yes"
    if isinstance(value, dict):
        return ", ".join(f"{key} {each}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
