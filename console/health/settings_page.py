"""The form of an integration's settings, laid out in sections."""

from dataclasses import dataclass
from typing import Any

from django.forms.boundfield import BoundField

from console.integrations.forms import IntegrationForm
from console.integrations.models import Integration
from console.integrations.services import fingerprint
from console.integrations.settings_fields import COLUMNS, PATHS, SECRET_WORDS, SECRETS, values_of

_GENERAL = ("facility", "name", "vendor", "protocol", "environment", "active")
_TEST_PATIENT = (
    "A test writes here only where somebody ticks the box beside Test now: one document, read back, then marked "
    "entered-in-error."
)
_SECTIONS = (
    ("What it is", "", _GENERAL, True),
    ("FHIR", "Where notes go and what the EHR expects of them.",
     ("fhir_base_url", "write_url", "resources_needed", "fhir_format", "profile"), True),
    ("Sign-in", "How the AI scribe proves to the EHR who it is.",
     ("auth_flow", "auth_token_url", "auth_client_id", "auth_scopes", "auth_authorization_server", "auth_auth_method",
      "auth_audience", "auth_key_id", "auth_algorithm", "auth_jwks_url", "auth_api_key_header", "auth_practice_id"),
     True),
    ("HL7 v2", "The interface as the receiving side configured it.",
     ("hl7_host", "hl7_port", "hl7_tls", "hl7_version", "hl7_message", "hl7_charset", "hl7_sending_application",
      "hl7_receiving_application", "hl7_field_limits"), True),
    ("Test patient", _TEST_PATIENT, ("canary_patient", "canary_encounter", "hl7_canary_message"), False),
    ("Network and limits", "Most integrations need none of these.",
     ("timeout_s", "rate_limit_per_minute", "proxy", "resolver", "tls_pins", "ca_bundle", "client_cert"), False),
)  # fmt: skip


@dataclass(frozen=True)
class Section:
    """Be one part of the form."""

    title: str
    hint: str
    fields: tuple[BoundField, ...]
    opened: bool


@dataclass(frozen=True)
class SecretRow:
    """Be one secret: whether it is set, the empty input for a new one, the box that removes it."""

    words: str
    is_set: bool
    enter: BoundField
    remove: BoundField


@dataclass(frozen=True)
class Both:
    """Be a field that stands differently in the store and in the form."""

    label: str
    stored: str


class SettingsPage:
    """Be the form with what is around it."""

    def __init__(self, form: IntegrationForm, integration: Integration | None = None) -> None:
        self.form, self.integration = form, integration
        self.stored: tuple[Both, ...] = ()
        posted = form.data.get("seen", "") if form.is_bound else ""
        self.seen = posted or (fingerprint(integration) if integration else "")

    @property
    def sections(self) -> list[Section]:
        """Give the parts of the form; one that holds a mistake or a value is open."""
        return [
            Section(title, hint, fields, opened or any(field.errors or field.value() for field in fields))
            for title, hint, names, opened in _SECTIONS
            if (fields := tuple(self.form[name] for name in names if name in self.form.fields))
        ]

    @property
    def secrets(self) -> list[SecretRow]:
        """Give the secrets."""
        held = set((self.integration.secrets or {}) if self.integration else {})
        return [
            SecretRow(SECRET_WORDS[dotted], dotted in held, self.form[f"new_{name}"], self.form[f"drop_{name}"])
            for dotted, name in SECRETS.items()
        ]

    @property
    def entered_secret(self) -> bool:
        """Tell whether a secret was entered that a page shown again cannot repeat."""
        return self.form.is_bound and any(self.form.data.get(f"new_{name}") for name in SECRETS.values())

    def show_both(self) -> None:
        """Lay what is stored beside what was entered; saving again then puts the entries in its place."""
        assert self.integration is not None
        held = Integration.objects.get(pk=self.integration.pk)
        self.seen, self.integration = fingerprint(held), held
        now = {name: getattr(held, name) for name in COLUMNS} | values_of(held.settings)
        mine = self.form.columns | values_of(self.form.settings)
        self.stored = tuple(
            Both(str(self.form[name].label), _plain(now[name]))
            for name in (*COLUMNS, *PATHS)
            if _plain(now[name]) != _plain(mine[name])
        )


def _plain(value: Any) -> str:
    if value in (None, "", False, [], {}):
        return "empty"
    if isinstance(value, list | tuple):
        return " ".join(map(str, value))
    return "yes" if value is True else str(value)
