"""What fetches log rows by itself: the scheduled pull of audit events, and the files of the drop folder."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F
from django.utils import timezone

from console.accounts.models import Facility
from console.accounts.sealed import SealedField
from console.integrations.models import Integration, Source
from console.notes.import_models import Log, LogImport
from console.shared.work import OPEN_STATES, WorkRow, WorkState

SHORTEST_PULL_MINUTES, LONGEST_PULL_MINUTES = 1, 24 * 60
AFTER_CRASHES = timedelta(hours=1)


class AuditPull(WorkRow):
    """The standing order to ask an EHR for its audit events; the one row is queued again after each pull.

    It is on while it is queued or running. `last_seen` moves in the transaction that stores the events.
    """

    task_name: ClassVar[str] = "console.monitoring.tasks.pull_audit_events"

    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    integration = models.OneToOneField(Integration, on_delete=models.CASCADE, related_name="audit_pull")
    every_minutes = models.PositiveSmallIntegerField(
        default=5, validators=(MinValueValidator(SHORTEST_PULL_MINUTES), MaxValueValidator(LONGEST_PULL_MINUTES))
    )
    last_seen = models.DateTimeField(help_text="Events are stored up to here; asked for from a little before.")
    resume_at = models.DateTimeField(null=True, help_text="Where a pull that could not end goes on.")
    recent = models.BinaryField(default=bytes, help_text="Keyed hashes of the events that the last pull met.")
    tried_at = models.DateTimeField(null=True, help_text="When the last pull ended, well or not.")
    worked_at = models.DateTimeField(null=True)
    new_rows = models.PositiveIntegerField(default=0, help_text="Of the last pull.")
    failures = models.PositiveIntegerField(default=0, help_text="In a row.")
    failing_since = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=16, blank=True, help_text="A kind of diagnostics.probes.audit_search.")
    says = models.CharField(max_length=300, blank=True)
    remedy = models.CharField(max_length=500, blank=True)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("integration", "id")
        indexes = (
            models.Index(
                fields=("state", "due_at"), name="audit_pull_due", condition=models.Q(state__in=("queued", "running"))
            ),
        )

    def __str__(self) -> str:
        return f"pull for {self.integration_id}"

    @property
    def is_on(self) -> bool:
        """Tell whether the EHR is asked by itself."""
        return self.state in OPEN_STATES

    @classmethod
    def gave_up(cls, row_id: uuid.UUID) -> None:
        """Go on after a while: a standing order does not end because its worker did."""
        now = timezone.now()
        cls.objects.filter(pk=row_id).update(
            state=WorkState.QUEUED,
            attempt=0,
            due_at=now + AFTER_CRASHES,
            finished_at=None,
            failures=F("failures") + 1,
            failing_since=models.functions.Coalesce(F("failing_since"), now),
            trouble="worker",
            says="The worker ended in the middle of the pull, several times.",
            remedy="Look at the workers' own log and memory. The pull goes on by itself in an hour.",
        )


class DropFile(WorkRow):
    """One file of the drop folder on its way in. Its name is sealed: people write names of patients into them."""

    class End(models.TextChoices):
        """Where the file is afterwards."""

        TAKEN = "taken", "Taken"
        SET_ASIDE = "set_aside", "Set aside"
        GONE = "gone", "Gone before it was read"
        STUCK = "stuck", "Brought in, but cannot be moved"

    task_name: ClassVar[str] = "console.monitoring.tasks.take_dropped_file"

    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="drop_files")
    log = models.CharField(max_length=8, choices=Log)
    key = models.BinaryField(unique=True, help_text="Keyed hash of the path: the same file is the same row.")
    path = SealedField(help_text="Below the drop folder, as bytes.")
    size = models.BigIntegerField()
    changed_ns = models.BigIntegerField(help_text="When the file was last written, as the file system tells it.")
    log_import = models.ForeignKey(LogImport, on_delete=models.SET_NULL, null=True, related_name="+")
    end = models.CharField(max_length=10, choices=End, blank=True)
    says = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(
                fields=("state", "due_at"), name="drop_file_due", condition=models.Q(state__in=("queued", "running"))
            ),
            models.Index(fields=("facility", "-finished_at"), name="drop_file_by_end"),
        )

    def __str__(self) -> str:
        return f"dropped file {self.id}"

    @property
    def name(self) -> str:
        """Give the file's name for those who may read patients' names; what is no text is spelled out."""
        return bytes(self.path).rpartition(b"/")[2].decode("utf-8", "backslashreplace")


class DropLook(models.Model):
    """What the last look into the drop folder met that belongs to no source. There is one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    at = models.DateTimeField(help_text="When the folder was last looked into.")
    trouble = models.CharField(max_length=300, blank=True, help_text="Why the folder cannot be used.")
    troubled_since = models.DateTimeField(null=True)
    strangers = models.PositiveIntegerField(default=0, help_text="Files set aside because their folder is no source's.")
    stranger_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.CheckConstraint(condition=models.Q(id=1), name="one_drop_folder"),)

    def __str__(self) -> str:
        return f"look of {self.at:%Y-%m-%d %H:%M}"
