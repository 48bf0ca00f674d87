"""Hold everything known about one failed note, as plain frozen data: what the engine is given.

Every part is optional except where the public contract marks it. A part that is absent is `None` or empty;
no check may guess it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True)
class Auth:
    """Say how the integration proves who it is."""

    flow: str = "none"  # backend-services | client-secret | provider-context | api-key | none
    token_url: str | None = None
    authorization_server: str | None = None
    auth_method: str = "client_secret_basic"
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    api_key_header: str | None = None
    private_key: bytes | None = field(default=None, repr=False)  # PEM
    key_id: str | None = None
    algorithm: str | None = None
    jwks_url: str | None = None
    assertion: str | None = field(default=None, repr=False)  # the last client assertion really sent
    scopes: tuple[str, ...] = ()
    audience: str | None = None
    practice_id: str | None = None


@dataclass(frozen=True)
class Hl7Interface:
    """Describe the HL7 v2 interface as the receiving side configured it."""

    host: str | None = None
    port: int | None = None
    tls: bool = False
    version: str | None = None
    message: str | None = None
    charset: str | None = None
    sending_application: str | None = None
    receiving_application: str | None = None
    field_limits: Mapping[str, int] = field(default_factory=dict)
    canary_message: bool = False


@dataclass(frozen=True)
class MaintenanceWindow:
    """Give a registered maintenance window of the vendor; both ends are aware datetimes."""

    start: datetime
    end: datetime


@dataclass(frozen=True)
class Segment:
    """Name a network location from which probes run, and how they leave from there."""

    name: str
    source_address: str | None = None
    proxy: str | None = None
    resolver: str | None = None


@dataclass(frozen=True)
class CanaryTarget:
    """Name the test patient and encounter that a canary may be written for."""

    patient: str
    encounter: str | None = None


@dataclass(frozen=True)
class Integration:
    """Describe one scribe → EHR connection of a facility."""

    name: str
    protocol: str  # fhir | hl7v2
    vendor: str = "generic"
    environment: str | None = None  # production | staging | sandbox
    fhir_base_url: str | None = None
    write_url: str | None = None
    fhir_format: str | None = None
    profile: str | None = None
    auth: Auth = field(default_factory=Auth)
    hl7: Hl7Interface = field(default_factory=Hl7Interface)
    ca_bundle: bytes | None = field(default=None, repr=False)  # PEM
    client_cert: bytes | None = field(default=None, repr=False)  # PEM
    client_key: bytes | None = field(default=None, repr=False)  # PEM
    tls_pins: tuple[str, ...] = ()
    proxy: str | None = None
    resolver: str | None = None
    timeout_s: float = 5.0
    resources_needed: tuple[str, ...] = ()
    rate_limit_per_minute: int | None = None
    maintenance: tuple[MaintenanceWindow, ...] = ()
    segments: tuple[Segment, ...] = ()
    canary: CanaryTarget | None = None
    vendor_profile: Mapping[str, Any] = field(default_factory=dict)  # its own facts in place of the vendor's


@dataclass(frozen=True)
class Note:
    """Identify the failed note and carry what was sent of it."""

    id: str
    transaction_id: str | None = None
    encounter_id: str | None = None
    patient_id: str | None = None
    provider_id: str | None = None
    department: str | None = None
    generated_at: datetime | None = None
    payload: bytes | None = field(default=None, repr=False)
    payload_name: str | None = None
    narrative: str | None = field(default=None, repr=False)


Row = Mapping[str, Any]


@dataclass(frozen=True)
class Logs:
    """Hold the rows of each log as read; `None` means that log is not at hand, empty means it holds nothing."""

    scribe: tuple[Row, ...] | None = None
    ehr: tuple[Row, ...] | None = None
    firewall: tuple[Row, ...] | None = None
    proxy: tuple[Row, ...] | None = None


@dataclass(frozen=True)
class Answer:
    """Keep what a person answered to a question of the engine, with their name."""

    question: str
    value: str
    by: str
    at: datetime


@dataclass(frozen=True)
class Case:
    """Be everything the engine may know about one failed note."""

    integration: Integration
    now: datetime
    note: Note | None = None
    logs: Logs = field(default_factory=Logs)
    filed: Mapping[str, Any] | None = None
    template: Mapping[str, Any] | None = None
    mapping: Mapping[str, Any] | None = None
    roles: Mapping[str, Any] | None = None
    encounters: tuple[Mapping[str, Any], ...] | None = None
    baseline: Mapping[str, Any] | None = None
    answers: tuple[Answer, ...] = ()
    offline: bool = False
    allow_writes: bool = True
    now_is_fixed: bool = False  # the case brought its own clock: probes made now speak of another moment

    @property
    def vendor(self) -> Any:
        """Return the vendor profile whose traits checks may ask for, with the integration's own facts in it."""
        from diagnostics.vendors import profile
        from diagnostics.vendors.facts import merged

        return merged(profile(self.integration.vendor), self.integration.vendor_profile)


def utc_now() -> datetime:
    """Return the present instant; the only clock in the engine, read once when a case is made."""
    return datetime.now(UTC)
