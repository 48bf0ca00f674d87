"""How log rows come in: each import with its counts, the lines it set aside, and files that wait in sealed pieces."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.accounts.models import Facility
from console.accounts.sealed import SealedField, SealedTextField
from console.integrations.models import Source
from console.shared.identifiers import new_id
from console.shared.work import WorkRow


class Log(models.TextChoices):
    """Whose log it is."""

    SCRIBE = "scribe", "AI scribe"
    EHR = "ehr", "EHR"
    FIREWALL = "firewall", "Firewall"
    PROXY = "proxy", "Proxy"


class LogImport(models.Model):
    """One taking-in of log rows: its counts are the receipt. rows = stored + duplicate + quarantined, always.

    Counts, `offset` and `line` change together with the rows, in one transaction a batch: whatever stops an import,
    it goes on from there.
    """

    class Via(models.TextChoices):
        """How the rows came."""

        API = "api", "API"
        UPLOAD = "upload", "Upload"
        COMMAND = "command", "Command"
        DROP = "drop", "Drop folder"
        PULL = "pull", "AuditEvent pull"

    class State(models.TextChoices):
        """Where an import stands."""

        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Stopped"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, null=True, related_name="imports")
    source_name = models.CharField(max_length=80, blank=True, help_text="What was asked for where no source has it.")
    log = models.CharField(max_length=8, choices=Log)
    via = models.CharField(max_length=8, choices=Via, default=Via.COMMAND)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    rows = models.PositiveIntegerField(default=0)
    stored = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    request_key = models.BinaryField(null=True, help_text="A hash of the sender's key for this one request.")
    body_digest = models.BinaryField(null=True, help_text="A keyed hash of the body that came with that key.")
    state = models.CharField(max_length=8, choices=State, default=State.DONE, db_default=State.DONE)
    reason = models.CharField(max_length=300, blank=True, db_default="", help_text="Why it stopped; no content.")
    name = SealedTextField(null=True, help_text="The file's name: people write names of patients into them.")
    format = models.CharField(max_length=24, blank=True, db_default="")
    mapping = models.JSONField(null=True, help_text="Column header to key of the contract, for CSV.")
    size = models.BigIntegerField(null=True, help_text="Bytes of the file as it came, packed or not.")
    taken = models.BigIntegerField(default=0, db_default=0, help_text="Bytes of the file read so far.")
    offset = models.BigIntegerField(default=0, db_default=0, help_text="Bytes of the unpacked stream that are done.")
    line = models.BigIntegerField(default=0, db_default=0, help_text="Last line that is done.")
    content_digest = models.BinaryField(
        null=True, help_text="Keyed hash of the first MiB and the size: tells a file that is sent again to go on."
    )
    upload_key = SealedField(null=True, help_text="What seals the pieces of an uploaded file; gone with them.")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("source", "request_key"), name="import_once_a_request"),
            models.CheckConstraint(
                condition=models.Q(rows=models.F("stored") + models.F("duplicate") + models.F("quarantined")),
                name="import_counts_add_up",
            ),
        )
        indexes = (
            models.Index(fields=("facility", "-at"), name="import_by_facility"),
            models.Index(fields=("content_digest",), name="import_unfinished", condition=~models.Q(state="done")),
        )

    def __str__(self) -> str:
        return f"{self.rows} rows of {self.source_id}"


class QuarantinedLine(models.Model):
    """A line that is no row of the log: kept as it came, with the reason, so that it can be mended and sent again."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    log_import = models.ForeignKey(LogImport, on_delete=models.CASCADE, related_name="quarantined_lines")
    number = models.PositiveIntegerField(help_text="Counted from 1 in what was sent.")
    reason = models.CharField(max_length=200)
    line = SealedField()

    class Meta:
        ordering = ("number", "id")
        indexes = (models.Index(fields=("log_import", "number"), name="line_by_import"),)

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}"


class LogUploadPart(models.Model):
    """One MiB of an uploaded file, until its import is done; sealed by a key that only the import's row holds."""

    id = models.BigAutoField(primary_key=True)
    upload = models.UUIDField(help_text="The LogImport it becomes: that row is made when the file is there.")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("upload", "number")
        constraints = (models.UniqueConstraint(fields=("upload", "number"), name="upload_part_once"),)

    def __str__(self) -> str:
        return f"part {self.number} of {self.upload}"


class ImportJob(WorkRow):
    """The background work of bringing in one uploaded file."""

    task_name: ClassVar[str] = "console.notes.tasks.import_upload"

    log_import = models.ForeignKey(LogImport, on_delete=models.CASCADE, related_name="jobs")

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(
                fields=("log_import",), name="one_job_an_import", condition=models.Q(state__in=("queued", "running"))
            ),
        )

    def __str__(self) -> str:
        return f"job of import {self.log_import_id}"

    @classmethod
    def gave_up(cls, row_id: uuid.UUID) -> None:
        """Tell whoever looks at the import that nobody works at it any more."""
        LogImport.objects.filter(jobs=row_id).exclude(state=LogImport.State.DONE).update(
            state=LogImport.State.FAILED, reason="Several workers were lost over this file. Bring it in again to go on."
        )
