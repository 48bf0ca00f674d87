"""Spell the public case-folder format (schema 1) as typed structures, so that every wrong key is named.

The structures mirror the documented files key by key; `diagnostics.case_folder` reads them into a `Case`.
Unknown keys are refused, except in log rows (kept) and in a baseline (exempt).
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Slug = Literal[
    "epic",
    "oracle-health",
    "athenahealth",
    "athenapractice",
    "eclinicalworks",
    "meditech",
    "nextgen",
    "veradigm",
    "generic",
]


class Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Refuse unknown keys by name."""


class AuthFormat(Strict):
    """`integration.auth`."""

    flow: Literal["backend-services", "client-secret", "provider-context", "api-key", "none"] = "none"
    token_url: str | None = None
    authorization_server: str | None = None
    auth_method: Literal["client_secret_basic", "client_secret_post"] = "client_secret_basic"
    client_id: str | None = None
    client_secret: str | None = None
    refresh_token: str | None = None
    api_key: str | None = None
    api_key_header: str | None = None
    private_key_file: str | None = None
    key_id: str | None = None
    algorithm: str | None = None
    jwks_url: str | None = None
    assertion_file: str | None = None
    scopes: list[str] = []
    audience: str | None = None
    practice_id: str | int | None = None


class Hl7Format(Strict):
    """`integration.hl7`."""

    host: str | None = None
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] | None = None
    tls: bool = False
    version: str | None = None
    message: str | None = None
    charset: str | None = None
    sending_application: str | None = None
    receiving_application: str | None = None
    field_limits: dict[str, int] = {}
    canary_message: bool = False


class WindowFormat(Strict):
    """One of `integration.maintenance`."""

    start: Moment
    end: Moment


class SegmentFormat(Strict):
    """One of `integration.segments`."""

    name: str
    source_address: str | None = None
    proxy: str | None = None
    resolver: str | None = None


class CanaryFormat(Strict):
    """`integration.canary`."""

    patient: str
    encounter: str | None = None


class IntegrationFormat(Strict):
    """`integration`."""

    name: str
    protocol: Literal["fhir", "hl7v2"]
    vendor: Slug = "generic"
    environment: Literal["production", "staging", "sandbox"] | None = None
    fhir_base_url: str | None = None
    write_url: str | None = None
    fhir_format: str | None = None
    profile: str | None = None
    auth: AuthFormat = msgspec.field(default_factory=AuthFormat)
    hl7: Hl7Format = msgspec.field(default_factory=Hl7Format)
    ca_bundle: str | None = None
    client_cert_file: str | None = None
    client_key_file: str | None = None
    tls_pins: list[str] = []
    proxy: str | None = None
    resolver: str | None = None
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0
    resources_needed: list[str] = []
    rate_limit_per_minute: Annotated[int, msgspec.Meta(ge=1)] | None = None
    maintenance: list[WindowFormat] = []
    segments: list[SegmentFormat] = []
    canary: CanaryFormat | None = None
    vendor_profile: dict[str, Any] = {}  # read by diagnostics.vendors.facts


class NoteFormat(Strict):
    """`note`."""

    id: str
    transaction_id: str | None = None
    encounter_id: str | None = None
    patient_id: str | None = None
    provider_id: str | None = None
    department: str | None = None
    generated_at: Moment | None = None
    payload: str | None = None
    narrative: str | None = None


class LogsFormat(Strict):
    """`logs`: file names."""

    scribe: str | None = None
    ehr: str | None = None
    firewall: str | None = None
    proxy: str | None = None


class CaseFormat(Strict):
    """case.json."""

    schema: Literal[1]
    integration: IntegrationFormat
    now: Moment | None = None
    baseline: str | None = None
    note: NoteFormat | None = None
    logs: LogsFormat | None = None
    filed: str | None = None
    template: str | None = None
    mapping: str | None = None
    roles: str | None = None
    encounter: str | None = None


class TemplateField(Strict):
    """One field of template.json."""

    id: str
    label: str | None = None
    required: bool = False
    max_length: int | None = None
    kind: str | None = None
    system: str | None = None


class TemplateFormat(Strict):
    """template.json."""

    template_id: str | None = None
    version: int | str | None = None
    changed_at: Moment | None = None
    catch_all: str | None = None
    fields: list[TemplateField] = []


class MappingRule(Strict):
    """One rule of mapping.json."""

    section: str
    field: str
    mode: Literal["append", "replace"] = "append"


class MappingFormat(Strict):
    """mapping.json."""

    template_id: str | None = None
    template_version: int | str | None = None
    output: list[str] = []
    rules: list[MappingRule] = []
    suppressed: list[str] = []


class RolesFormat(Strict):
    """roles.json."""

    account: str | None = None
    kind: str | None = None
    active: bool | None = None
    changed_at: Moment | None = None
    departments: list[str] | None = None
    grants: list[str] | None = None


class PeriodFormat(Strict):
    """`period` of encounter.json."""

    start: Moment | None = None
    end: Moment | None = None


class EncounterFormat(Strict):
    """encounter.json, or one of a list in it."""

    id: str | None = None
    status: str | None = None
    signed: bool | None = None
    owner: str | None = None
    department: str | None = None
    confidentiality: str | None = None
    patient_id: str | None = None
    period: PeriodFormat | None = None


class DiscreteFormat(Strict):
    """One of `discrete` in filed.json."""

    kind: str
    code: str | None = None
    value: str | int | float | None = None


class FiledFormat(Strict):
    """filed.json."""

    found: bool = True
    at: Moment | None = None
    resource: str | None = None
    status: str | None = None
    document_type: str | None = None
    patient_id: str | None = None
    encounter_id: str | None = None
    author_id: str | None = None
    fields: dict[str, str | None] | None = None
    discrete: list[DiscreteFormat] | None = None


Anything = dict[str, Any]
