"""How the fields of the settings form stand to the engine's structure: values out of it, and a whole of it from values.

A form's field `auth_token_url` is the engine's `auth.token_url`. What the form does not show (segments, which have a
page part of their own; windows that a case brought) stays as it is.
"""

import base64
import copy
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from console.integrations.case_parts import SECRET_PATHS
from diagnostics.case import Integration as EngineIntegration
from diagnostics.case_folder import parse
from diagnostics.case_format import IntegrationFormat
from diagnostics.errors import CaseError

COLUMNS = ("name", "vendor", "environment", "protocol", "active")
PATHS: dict[str, tuple[str, ...]] = {
    name: (name,)
    for name in ("fhir_base_url", "write_url", "fhir_format", "profile", "proxy", "resolver", "timeout_s",
                 "rate_limit_per_minute", "resources_needed", "tls_pins", "ca_bundle", "client_cert")
} | {
    f"auth_{name}": ("auth", name)
    for name in ("flow", "token_url", "authorization_server", "auth_method", "client_id", "api_key_header", "key_id",
                 "algorithm", "jwks_url", "scopes", "audience", "practice_id")
} | {
    f"hl7_{name}": ("hl7", name)
    for name in ("host", "port", "tls", "version", "message", "charset", "sending_application",
                 "receiving_application", "field_limits", "canary_message")
} | {f"canary_{name}": ("canary", name) for name in ("patient", "encounter")}  # fmt: skip

PEM = ("ca_bundle", "client_cert")
PEM_SECRETS = ("auth.private_key", "client_key")
SECRETS = {".".join(path): path[-1] for path in SECRET_PATHS}  # dotted path → name of the form's field
SECRET_WORDS = {
    "auth.client_secret": "Client secret",
    "auth.refresh_token": "Refresh token",
    "auth.api_key": "API key",
    "auth.private_key": "Private key for signing (PEM)",
    "auth.assertion": "Client assertion sent last",
    "client_key": "Private key of the client certificate (PEM)",
}
# Where secrets, or tokens got with them, are sent: an address, the way to it, or whom we believe to be there.
ORIGINS = ("auth_token_url", "auth_authorization_server", "fhir_base_url", "write_url")
_WAY = ("proxy", "resolver", "ca_bundle")


class SettingsError(Exception):
    """A setting that the engine does not take; `field` is the form's field, empty where it is the whole."""

    def __init__(self, field: str, says: str) -> None:
        self.field = field
        super().__init__(says)


def values_of(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Give the form's values of stored settings; PEM as text."""
    found = {}
    for name, path in PATHS.items():
        value: Any = settings
        for key in path:
            value = value.get(key) if isinstance(value, Mapping) else None
        if name in PEM and value:
            value = _lines(base64.b64decode(value).decode("ascii", "replace"))
        found[name] = value
    return found


def settings_from(values: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Give the stored settings with the form's values in place; what is empty is left out."""
    whole: dict[str, Any] = copy.deepcopy(dict(stored))
    for name, path in PATHS.items():
        holder = whole
        for key in path[:-1]:
            holder = holder.setdefault(key, {})
        value = values.get(name)
        if name in PEM and value:
            value = to_base64(value)
        if value is None or value is False or value in ("", [], {}):
            holder.pop(path[-1], None)
        else:
            holder[path[-1]] = value
    return {key: value for key, value in whole.items() if value not in (None, "", [], {})}


def judge(columns: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Let the engine read the settings; raise SettingsError with the field and the engine's own words."""
    doc = {key: value for key, value in settings.items() if key not in PEM}
    doc |= {key: columns[key] for key in ("name", "vendor", "environment", "protocol")}
    try:
        parse(msgspec.json.encode(doc), IntegrationFormat, "settings")
        msgspec.convert({**settings, "name": "", "protocol": ""}, EngineIntegration, strict=False)
    except CaseError as error:
        key = error.key.partition("[")[0]
        field = next((name for name, path in PATHS.items() if ".".join(path) == key), "")
        field = field or (key if key in COLUMNS else "")
        raise SettingsError(
            field, f"{_capital(error.expected)}." if field else f"{error.key}: {error.expected}."
        ) from None
    except msgspec.ValidationError as error:
        raise SettingsError("", f"{error}") from None


def bound_to(settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """Give what stored secrets are bound to: scheme, host and port they are sent to, and the way there."""
    values = values_of(settings)
    return tuple(origin(values[name]) for name in ORIGINS) + tuple(values[name] or "" for name in _WAY)


def origin(url: str | None) -> str:
    """Give scheme, host and port of an address; the scheme's own port where none is written."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:  # what a case brought may be no address at all: then any change is another place
        return url
    return f"{parts.scheme.lower()}://{(parts.hostname or '').lower()}:{port}"


def to_base64(pem: str) -> str:
    """Give bytes as the engine's JSON holds them."""
    return base64.b64encode(_lines(pem).encode()).decode()


def _lines(pem: str) -> str:
    return "\n".join(line.strip() for line in pem.strip().splitlines()) + "\n"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
