"""What another system or a mail told of a ticket, kept as it was told."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.accounts.models import Facility
from console.accounts.sealed import SealedTextField
from console.integrations.models import Source
from console.shared.identifiers import new_id


class TicketReport(models.Model):
    """One report of a failure: by a system over the API, or by a person's mail. The same report counts once."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="reports")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    key = models.BinaryField(null=True, help_text="Keyed hash of the sender's Idempotency-Key.")
    body = models.BinaryField(null=True, help_text="Keyed hash of what was sent with it.")
    answer = models.JSONField(default=dict, help_text="What was answered: the same again for the same key.")
    reference = models.CharField(max_length=80, blank=True, help_text="The number it has in the other system.")
    text = SealedTextField(null=True, help_text="What was told, in lines.")

    class Meta:
        ordering = ("at", "id")
        constraints = (models.UniqueConstraint(fields=("source", "key"), name="report_once_a_key"),)
        indexes = (models.Index(fields=("source", "-at"), name="report_by_source"),)

    def __str__(self) -> str:
        return f"report of {self.at:%Y-%m-%d %H:%M}"
