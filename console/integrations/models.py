"""One scribe-to-EHR connection of a facility and what is known about it."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.accounts.models import Facility
from console.accounts.sealed import SealedJSONField
from console.shared.identifiers import new_id


class Integration(models.Model):
    """A connection: vendor, protocol, endpoints, credentials, limits."""

    class Environment(models.TextChoices):
        """Which of the EHR's worlds it points at."""

        PRODUCTION = "production", "Production"
        STAGING = "staging", "Staging"
        SANDBOX = "sandbox", "Sandbox"

    class Protocol(models.TextChoices):
        """How notes travel."""

        FHIR = "fhir", "FHIR R4"
        HL7V2 = "hl7v2", "HL7 v2"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="integrations")
    name = models.CharField(max_length=120)
    vendor = models.SlugField(max_length=40, help_text="A slug of diagnostics/vendors.")
    environment = models.CharField(max_length=12, choices=Environment, default=Environment.PRODUCTION)
    protocol = models.CharField(max_length=8, choices=Protocol)
    settings = models.JSONField(
        default=dict, help_text="The `integration` object of a case without its secrets and without the fields above."
    )
    secrets = SealedJSONField(
        null=True, help_text="Credentials by their key in a case: client_secret, refresh_token, api_key, private_key …"
    )
    active = models.BooleanField(default=True)
    resend_allowed = models.BooleanField(
        default=False, db_default=False, help_text="Whether failed notes may be sent again from here."
    )
    runbook_url = models.URLField(blank=True, help_text="Where the scribe vendor's integration runbook is.")
    escalation = models.TextField(blank=True, help_text="Whom to ask next, in which order; no patient data.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(fields=("facility", "name"), name="integration_once_a_facility"),)

    def __str__(self) -> str:
        return self.name


class Segment(models.Model):
    """A network location from which probes run: the Celery queue `segment_<slug>`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="segments")
    slug = models.CharField(max_length=30)
    name = models.CharField(max_length=80)

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(fields=("facility", "slug"), name="segment_once_a_facility"),
            models.CheckConstraint(
                condition=models.Q(slug__regex=r"^[a-z0-9_]+$"), name="segment_slug_is_a_queue_name"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Source(models.Model):
    """Where log rows come from; owns facility, integration and time zone of its rows."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="sources")
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, null=True, related_name="sources")
    name = models.CharField(max_length=80, unique=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    mappings = models.JSONField(
        default=dict, db_default=models.Value({}, output_field=models.JSONField()), blank=True,
        help_text="What the columns of its CSV files mean: {log: {header: key}}; remembered from the last file.",
    )  # fmt: skip

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class SourceToken(models.Model):
    """What a system shows to hand in log rows of a source. Only a hash of it is kept: it is seen once, when made."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    digest = models.BinaryField(unique=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True)
    opens_tickets = models.BooleanField(
        default=False, db_default=False, help_text="Whether it may open tickets, beside handing in rows."
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"token {self.name} of {self.source_id}"


class TemplateVersion(models.Model):
    """A template of the EHR as it was from some time on: `template.json` of a case."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="template_versions")
    template_id = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    content = models.JSONField()
    changed_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"{self.template_id} v{self.version}"


class Mapping(models.Model):
    """Which section goes to which field: `mapping.json` of a case. The newest one is in force."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="mappings")
    content = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"mapping of {self.created_at:%Y-%m-%d}"


class RolesSnapshot(models.Model):
    """The grants of the account that writes: `roles.json` of a case. The newest one is in force."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="roles_snapshots")
    content = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"grants of {self.created_at:%Y-%m-%d}"


class Baseline(models.Model):
    """The facts of the last known good run, per integration and segment."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="baselines")
    segment = models.CharField(max_length=30, blank=True)
    facts = models.JSONField()
    pinned = models.BooleanField(default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-pinned", "-created_at", "-id")

    def __str__(self) -> str:
        return f"baseline of {self.created_at:%Y-%m-%d}"


class ProfileChange(models.Model):
    """One change of an integration's copy of its vendor's profile: who, when, why. Only added to, never edited.

    What is in force stands in the settings, as the engine reads it (`vendor_profile`).
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="profile_changes")
    fact = models.SlugField(max_length=60, help_text="A name of diagnostics/vendors/facts.")
    value = models.JSONField(null=True, help_text="The integration's own value from then on.")
    put_back = models.BooleanField(default=False, help_text="The vendor's value holds again; `value` says nothing.")
    why = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"{self.fact} of {self.integration_id}, {self.at:%Y-%m-%d}"


class Contact(models.Model):
    """Whom to reach about an integration."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="contacts")
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)
    phone = models.CharField(max_length=40, blank=True)

    class Meta:
        ordering = ("name", "id")

    def __str__(self) -> str:
        return self.name


class MaintenanceWindow(models.Model):
    """A time in which failures of an integration are expected."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="maintenance_windows")
    start_at = models.DateTimeField()
    end_at = models.DateTimeField()
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("-start_at", "-id")
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(end_at__gt=models.F("start_at")), name="window_ends_after_start")
        ]

    def __str__(self) -> str:
        return f"{self.start_at:%Y-%m-%d %H:%M}"
