"""Proposed versions of an EHR's templates, what they would break, and what was decided."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.accounts.models import Facility
from console.integrations.models import Integration
from console.shared.identifiers import new_id


class ChangeReview(models.Model):
    """One version of a template that shall go live, weighed before it does. Decided once."""

    class State(models.TextChoices):
        """Where it stands."""

        PROPOSED = "proposed", "Waiting for a decision"
        APPROVED = "approved", "Approved"
        SENT_BACK = "sent_back", "Sent back"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="change_reviews")
    integrations = models.ManyToManyField(Integration, related_name="change_reviews")
    template_id = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    content = models.JSONField(help_text="`template.json` of a case.")
    note = models.TextField(blank=True, help_text="Why it changes; no patient data.")
    goes_live_on = models.DateField(help_text="A day of the facility's own calendar.")
    state = models.CharField(max_length=10, choices=State, default=State.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, help_text="Why it was sent back, or a word with the approval.")
    impact_then = models.JSONField(null=True, help_text="What was shown to whoever decided, by integration.")

    class Meta:
        ordering = ("-proposed_at", "-id")
        indexes = (models.Index(fields=("facility", "state"), name="review_by_facility"),)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state="proposed", decided_at=None)
                | models.Q(state__in=("approved", "sent_back"), decided_at__isnull=False),
                name="review_decided_once_it_is_not_proposed",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="sent_back", reason=""), name="review_sent_back_with_a_reason"
            ),
        )

    def __str__(self) -> str:
        return f"{self.template_id} version {self.version}"

    @property
    def waits(self) -> bool:
        """Tell whether nobody has decided yet."""
        return self.state == self.State.PROPOSED
