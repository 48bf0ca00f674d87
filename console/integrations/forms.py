"""What people may enter about an integration, and what is wrong with it in plain words."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django import forms
from django.db.models import QuerySet

from console.accounts.models import Facility
from console.integrations.models import Contact, Integration
from console.integrations.settings_fields import (
    COLUMNS,
    PATHS,
    PEM_SECRETS,
    SECRET_WORDS,
    SECRETS,
    SettingsError,
    judge,
    settings_from,
    to_base64,
    values_of,
)
from diagnostics.vendors import profile, slugs

_FLOWS = (
    ("none", "None"),
    ("backend-services", "Backend services (signed assertion)"),
    ("client-secret", "Client secret"),
    ("provider-context", "Provider context (refresh token)"),
    ("api-key", "API key"),
)
_METHODS = (("", "As usual (basic)"), ("client_secret_basic", "Basic"), ("client_secret_post", "In the body"))
_LONG = 20_000


def web_address(value: str) -> None:
    """Refuse what is no http or https address, or holds a password, which addresses leak."""
    try:
        parts = urlsplit(value)
        _ = parts.port
    except ValueError:
        raise forms.ValidationError("This is not an address such as https://ehr.example/fhir.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or any(c.isspace() for c in value):
        raise forms.ValidationError("This is not an address such as https://ehr.example/fhir.")
    if parts.username or parts.password:
        raise forms.ValidationError("Write no user or password into an address: it would be shown and logged.")


def proxy_address(value: str) -> None:
    """Refuse a proxy that is not spoken to over http, which the engine's door cannot use."""
    web_address(value)
    if urlsplit(value).scheme != "http":
        raise forms.ValidationError(
            "NoteTrace speaks http to a proxy; what goes through it to an https address stays encrypted. "
            "Write an address such as http://proxy.example:3128."
        )


def _address(
    label: str, help_text: str = "", validators: Sequence[Callable[[str], None]] = (web_address,)
) -> forms.CharField:
    widget = forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(
        label=label, help_text=help_text, max_length=500, required=False, widget=widget, validators=validators
    )


def _text(label: str, help_text: str = "", length: int = 200) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, help_text=help_text, max_length=length, required=False, widget=widget)


def _area(label: str, help_text: str = "") -> forms.CharField:
    widget = forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"})
    return forms.CharField(label=label, help_text=help_text, max_length=_LONG, required=False, widget=widget)


class WriteOnlyArea(forms.Textarea):
    """A box that never shows what was entered, not even on a page shown again for a mistake."""

    def format_value(self, value: Any) -> str:
        """Show nothing."""
        return ""


class Words(forms.CharField):
    """Several words, apart by blanks or lines."""

    def prepare_value(self, value: Any) -> Any:
        """Show a list as a line."""
        return " ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def to_python(self, value: Any) -> Any:
        """Give a list."""
        return str(value or "").replace(",", " ").split()


class Limits(forms.CharField):
    """Lines of the form `OBX-5 = 65536`."""

    def prepare_value(self, value: Any) -> Any:
        """Show a mapping as lines."""
        return "\n".join(f"{k} = {v}" for k, v in value.items()) if isinstance(value, dict) else value

    def to_python(self, value: Any) -> Any:
        """Give a mapping; name the line that is wrong."""
        found: dict[str, int] = {}
        for number, line in enumerate(str(value or "").splitlines(), 1):
            if not line.strip():
                continue
            name, equals, length = line.partition("=")
            if not equals or not name.strip() or not length.strip().isdecimal() or len(length.strip()) > 9:
                raise forms.ValidationError(f"Line {number}: expected a field and a length, such as OBX-5 = 65536.")
            found[name.strip()] = int(length)
        return found


class IntegrationForm(forms.Form):
    """All settings of an integration. Secrets are entered, never shown."""

    name = forms.CharField(max_length=120, error_messages={"required": "Give the integration a name."})
    vendor = forms.ChoiceField(label="EHR vendor", choices=lambda: [(s, profile(s).name) for s in slugs()])
    protocol = forms.ChoiceField(choices=Integration.Protocol.choices)
    environment = forms.ChoiceField(choices=Integration.Environment.choices)
    active = forms.BooleanField(required=False, initial=True, label="In use")

    fhir_base_url = _address("FHIR base URL")
    write_url = _address("Write URL", "Only where notes go to another address than the FHIR base URL.")
    fhir_format = _text("Format", "Such as application/fhir+json. Empty: the usual one.")
    profile = _text("Profile", "The profile notes must fit, if the EHR names one.", 400)
    resources_needed = Words(
        label="Resources needed", required=False, max_length=1000,
        help_text="What the AI scribe writes, such as DocumentReference Observation.",
    )  # fmt: skip

    auth_flow = forms.ChoiceField(label="Flow", choices=_FLOWS, required=False)
    auth_token_url = _address("Token URL", "Empty: taken from the server's own discovery document.")
    auth_authorization_server = _address("Authorization server")
    auth_client_id = _text("Client id")
    auth_auth_method = forms.ChoiceField(label="How the secret is sent", choices=_METHODS, required=False)
    auth_scopes = Words(label="Scopes", required=False, max_length=4000)
    auth_audience = _text("Audience", length=500)
    auth_key_id = _text("Key id (kid)")
    auth_algorithm = _text("Algorithm", "Such as RS384.", 20)
    auth_jwks_url = _address("Key set URL (JWKS)")
    auth_api_key_header = _text("Header of the API key")
    auth_practice_id = _text("Practice id")

    hl7_host = _text("Host")
    hl7_port = forms.IntegerField(label="Port", required=False, error_messages={"invalid": "A port is a number."})
    hl7_tls = forms.BooleanField(label="With TLS", required=False)
    hl7_version = _text("Version", "Such as 2.5.1.", 20)
    hl7_message = _text("Message", "Such as MDM^T02.", 20)
    hl7_charset = _text("Character set", "As in MSH-18, such as UNICODE UTF-8.", 40)
    hl7_sending_application = _text("Sending application")
    hl7_receiving_application = _text("Receiving application")
    hl7_field_limits = Limits(
        label="Longest texts", required=False, max_length=4000, help_text="One a line, such as OBX-5 = 65536.",
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
    )  # fmt: skip

    timeout_s = forms.FloatField(
        label="Timeout in seconds", required=False, help_text="Empty: 5.", error_messages={"invalid": "Write a number."}
    )
    rate_limit_per_minute = forms.IntegerField(
        label="Requests a minute", required=False, help_text="What the EHR allows, where it says so.",
        error_messages={"invalid": "Write a whole number."},
    )  # fmt: skip
    proxy = _address("Proxy", "Such as http://proxy.example:3128.", validators=[proxy_address])
    resolver = _text("DNS server", "Empty: the machine's own.")
    tls_pins = Words(label="Pinned certificates", required=False, max_length=4000, help_text="SHA-256 fingerprints.")
    ca_bundle = _area("Trusted certificates (PEM)", "Only where the EHR's certificate comes from a CA of its own.")
    client_cert = _area("Client certificate (PEM)")

    canary_patient = _text("Test patient", "The id of a patient flagged as test in the EHR. Empty: never write.")
    canary_encounter = _text("Encounter of the test patient")
    hl7_canary_message = forms.BooleanField(label="Send an HL7 test message", required=False)

    seen = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, facility: Facility | None, stored: Integration | None = None, **kwargs: Any) -> None:
        if stored is not None:
            values = {name: getattr(stored, name) for name in COLUMNS}
            kwargs.setdefault("initial", {**values, **values_of(stored.settings)})
        super().__init__(*args, **kwargs)
        self.facility, self.stored = facility, stored
        for dotted, name in SECRETS.items():
            widget = WriteOnlyArea if dotted in PEM_SECRETS else forms.PasswordInput
            attrs = {"autocomplete": "new-password", "spellcheck": "false"}
            if widget is WriteOnlyArea:
                attrs |= {"autocomplete": "off", "rows": "3"}
            self.fields[f"new_{name}"] = forms.CharField(
                label=SECRET_WORDS[dotted], max_length=_LONG, required=False, widget=widget(attrs=attrs)
            )
            self.fields[f"drop_{name}"] = forms.BooleanField(required=False, label=f"Remove: {SECRET_WORDS[dotted]}")

    def clean_name(self) -> str:
        """One name once a facility."""
        name = str(self.cleaned_data["name"])
        taken = Integration.objects.filter(facility=self.facility, name=name)
        if self.facility is not None and taken.exclude(pk=self.stored.pk if self.stored else None).exists():
            raise forms.ValidationError("Another integration of this facility has this name.")
        return name

    def clean_ca_bundle(self) -> str:
        """Read the certificates."""
        return _certificates(self.cleaned_data["ca_bundle"])

    def clean_client_cert(self) -> str:
        """Read the certificate."""
        return _certificates(self.cleaned_data["client_cert"])

    def clean_new_private_key(self) -> str:
        """Read the key."""
        return _private_key(self.cleaned_data["new_private_key"])

    def clean_new_client_key(self) -> str:
        """Read the key."""
        return _private_key(self.cleaned_data["new_client_key"])

    def clean(self) -> dict[str, Any]:
        """Let the engine judge the whole."""
        cleaned = super().clean() or {}
        if cleaned.get("auth_flow") == "none":
            cleaned["auth_flow"] = ""
        if cleaned.get("canary_encounter") and not cleaned.get("canary_patient"):
            self.add_error("canary_patient", "An encounter alone is no canary: name the test patient as well.")
        if self.errors:
            return cleaned
        values = {name: cleaned.get(name) for name in PATHS}
        self.columns = {name: cleaned[name] for name in COLUMNS}
        self.settings = settings_from(values, self.stored.settings if self.stored else {})
        try:
            judge(self.columns, self.settings)
        except SettingsError as problem:
            self.add_error(problem.field or None, str(problem))
        return cleaned

    def entered_secrets(self) -> dict[str, str]:
        """Give the secrets that were entered, as the engine's JSON holds them."""
        found = {}
        for dotted, name in SECRETS.items():
            value = self.cleaned_data.get(f"new_{name}")
            if value:
                found[dotted] = to_base64(value) if dotted in PEM_SECRETS else value
        return found

    def dropped_secrets(self) -> list[str]:
        """Give the secrets to remove."""
        return [dotted for dotted, name in SECRETS.items() if self.cleaned_data.get(f"drop_{name}")]


def _certificates(pem: str) -> str:
    if pem:
        try:
            x509.load_pem_x509_certificates(pem.strip().encode())
        except ValueError:
            raise forms.ValidationError("This holds no certificate in PEM form (BEGIN CERTIFICATE).") from None
    return pem


def _private_key(pem: str) -> str:
    if pem:
        try:
            load_pem_private_key(pem.strip().encode(), None)
        except (ValueError, TypeError):  # a passphrase is asked for, or it is no key; never quote what was pasted
            raise forms.ValidationError("This is no private key in PEM form without a passphrase.") from None
    return pem


class NewIntegrationForm(IntegrationForm):
    """The same with the facility it belongs to."""

    facility = forms.ModelChoiceField(
        queryset=Facility.objects.none(), empty_label=None, error_messages={"required": "Choose a facility."}
    )

    field_order = ("facility", "name")

    def __init__(self, *args: Any, facilities: QuerySet[Facility], **kwargs: Any) -> None:
        super().__init__(*args, facility=None, **kwargs)
        self.fields["facility"].queryset = facilities  # type: ignore[attr-defined]

    def clean_facility(self) -> Facility:
        """Know the facility before the name is looked at."""
        self.facility = self.cleaned_data["facility"]
        return self.facility


class ContactForm(forms.ModelForm):
    """Whom to reach."""

    class Meta:
        model = Contact
        fields = ("name", "role", "email", "phone")
        error_messages = {"name": {"required": "Give a name, or the name of a desk."}}

    def clean(self) -> dict[str, Any]:
        """A contact one cannot reach is none."""
        cleaned = super().clean() or {}
        if not self.errors and not cleaned.get("email") and not cleaned.get("phone"):
            self.add_error("email", "Give an e-mail address or a telephone number.")
        return cleaned


class WindowForm(forms.Form):
    """A maintenance window, in the facility's own time."""

    start = forms.CharField(max_length=40, error_messages={"required": "Say when it starts."})
    end = forms.CharField(max_length=40, error_messages={"required": "Say when it ends."})
    note = forms.CharField(max_length=200, required=False)

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(zone)

    def clean_start(self) -> datetime:
        """Read the start."""
        return self._instant(self.cleaned_data["start"])

    def clean_end(self) -> datetime:
        """Read the end."""
        return self._instant(self.cleaned_data["end"])

    def clean(self) -> dict[str, Any]:
        """It ends after it started."""
        cleaned = super().clean() or {}
        if cleaned.get("start") and cleaned.get("end") and cleaned["end"] <= cleaned["start"]:
            self.add_error("end", "The end must be after the start.")
        return cleaned

    def _instant(self, text: str) -> datetime:
        """Turn a wall clock's time into the instant; where clocks go back, the first of the two."""
        try:
            wall = datetime.fromisoformat(text)
        except ValueError:
            raise forms.ValidationError("Write day and time, such as 2026-12-01T22:00.") from None
        if wall.tzinfo is not None or not 2000 <= wall.year <= 2200:
            raise forms.ValidationError("Write day and time, such as 2026-12-01T22:00.")
        instant = wall.replace(tzinfo=self.zone).astimezone(UTC)
        if instant.astimezone(self.zone).replace(tzinfo=None) != wall:
            raise forms.ValidationError("This time does not exist on that day: the clocks go forward over it.")
        return instant


class GuideForm(forms.Form):
    """Where the runbook is, and whom to ask next."""

    runbook_url = forms.CharField(max_length=200, required=False, validators=[web_address])
    escalation = forms.CharField(max_length=4000, required=False)


class SourceForm(forms.Form):
    """A system that hands in log rows."""

    name = forms.CharField(max_length=80, error_messages={"required": "Give the source a name."})
    time_zone = forms.CharField(max_length=64, error_messages={"required": "Name the time zone of its clock."})

    def clean_time_zone(self) -> str:
        """Know the zone."""
        zone = str(self.cleaned_data["time_zone"])
        try:
            ZoneInfo(zone)
        except (KeyError, ValueError, OSError):
            raise forms.ValidationError("This is no time zone: write one such as America/Chicago or UTC.") from None
        return zone


class TokenForm(forms.Form):
    """What a new token is for."""

    name = forms.CharField(max_length=80, error_messages={"required": "Say which system will use the token."})
    opens_tickets = forms.BooleanField(required=False)
