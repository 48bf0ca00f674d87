"""Alert rules, the alerts they raised with their history, and the evaluations that look."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.accounts.models import Facility, OutgoingMail
from console.integrations.models import Integration
from console.monitoring.source_models import AuditPull, DropFile, DropLook
from console.shared.identifiers import new_id
from console.shared.work import WorkRow
from console.tickets.models import Ticket

__all__ = (
    "Alert", "AlertEvent", "AlertMail", "AlertRule", "AuditPull", "DropFile", "DropLook", "Evaluation", "RuleKind",
    "SeenCertificate",
)  # fmt: skip


class RuleKind(models.TextChoices):
    """What a rule watches."""

    TOKEN = "token", "Token requests fail"
    EHR_5XX = "ehr_5xx", "EHR answers with server errors"
    SUCCESS_RATE = "success_rate", "Sync success rate low"
    CERTIFICATE = "certificate", "Certificate ends soon"


class AlertRule(models.Model):
    """One condition over the metrics of a facility's integrations, or of one that differs from the others."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="alert_rules")
    integration = models.ForeignKey(
        Integration, on_delete=models.CASCADE, null=True, blank=True, related_name="alert_rules"
    )
    kind = models.CharField(max_length=16, choices=RuleKind)
    threshold = models.FloatField(help_text="Percent, answers, requests in a row or days, by kind.")
    min_sample = models.PositiveSmallIntegerField(default=20, help_text="Notes in a window before a rate counts.")
    active = models.BooleanField(default=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("kind", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("facility", "kind"), condition=models.Q(integration=None), name="rule_once_a_facility"
            ),
            models.UniqueConstraint(
                fields=("integration", "kind"),
                condition=models.Q(integration__isnull=False),
                name="rule_once_an_integration",
            ),
            models.CheckConstraint(condition=models.Q(threshold__gt=0), name="rule_threshold_above_zero"),
        )

    def __str__(self) -> str:
        return self.get_kind_display()


class Alert(models.Model):
    """One cause that is, or was, above its rule's line. While it is open its key is unique."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="alerts")
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="alerts")
    kind = models.CharField(max_length=16, choices=RuleKind)
    subject = models.CharField(max_length=255, blank=True, help_text="The host of a certificate.")
    key = models.CharField(max_length=320, help_text="Kind, integration and subject: one open alert for each.")
    says = models.CharField(max_length=200, help_text="What was measured, in a sentence; no patient data.")
    grave = models.BooleanField(default=False, help_text="Worse than a warning: the certificate has ended.")
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField(help_text="When the condition was last met.")
    occurrences = models.PositiveIntegerField(default=0, help_text="Failed notes, answers or requests counted so far.")
    counted_to = models.DateTimeField(help_text="Occurrences up to here are counted.")
    ended_at = models.DateTimeField(null=True, blank=True)
    muted = models.BooleanField(default=False, help_text="Within a maintenance window: recorded, told to nobody.")
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, null=True, blank=True, related_name="alerts")

    class Meta:
        ordering = ("-opened_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("key",), condition=models.Q(ended_at=None), name="alert_open_once"),
        )
        indexes = (
            models.Index(fields=("facility", "ended_at"), name="alert_by_end"),
            models.Index(fields=("integration", "-opened_at"), name="alert_by_integration"),
        )

    def __str__(self) -> str:
        return f"{self.get_kind_display()} since {self.opened_at:%Y-%m-%d %H:%M}"


class AlertEvent(models.Model):
    """Something that happened to an alert."""

    class Kind(models.TextChoices):
        """What happened."""

        OPENED = "opened", "Opened"
        WORSE = "worse", "Became worse"
        JOINED = "joined", "Another rule joined"
        MUTED = "muted", "Muted for maintenance"
        TOLD = "told", "Told"
        TICKET = "ticket", "Ticket"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        ENDED = "ended", "Over"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16, choices=Kind)
    rule_kind = models.CharField(max_length=16, choices=RuleKind, blank=True, help_text="The rule that joined.")
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    says = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ("at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("alert", "rule_kind"), condition=models.Q(kind="joined"), name="rule_joins_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class AlertMail(models.Model):
    """A mail that told of an alert; its delivery stands in the mail's own row."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="mails")
    mail = models.OneToOneField(OutgoingMail, on_delete=models.CASCADE, related_name="+")
    at_end = models.BooleanField(default=False)

    class Meta:
        ordering = ("mail__created_at", "id")

    def __str__(self) -> str:
        return f"mail of alert {self.alert_id}"


class SeenCertificate(models.Model):
    """The certificate that an endpoint showed last, as a run's facts tell."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, related_name="seen_certificates")
    host = models.CharField(max_length=255, help_text="host:port")
    not_before = models.DateTimeField(null=True)
    not_after = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        ordering = ("not_after", "id")
        constraints = (models.UniqueConstraint(fields=("integration", "host"), name="certificate_once_an_integration"),)

    def __str__(self) -> str:
        return f"{self.host} until {self.not_after:%Y-%m-%d}"


class Evaluation(WorkRow):
    """One look at every rule. A slot is a minute: however often beat rings for it, there is one row."""

    task_name: ClassVar[str] = "console.monitoring.tasks.evaluate"

    slot = models.DateTimeField(unique=True)

    class Meta:
        ordering = ("-slot", "-id")
        indexes = (
            models.Index(
                fields=("state", "due_at"), name="evaluation_due", condition=models.Q(state__in=("queued", "running"))
            ),
        )

    def __str__(self) -> str:
        return f"evaluation of {self.slot:%Y-%m-%d %H:%M}"
