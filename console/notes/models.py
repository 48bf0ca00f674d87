"""Notes on their way into the chart, the log rows that tell of them, and what both logs together say."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.accounts.models import Department, Facility
from console.accounts.sealed import SealedField, SealedJSONField, SealedTextField
from console.integrations.models import Integration, Source
from console.notes.import_models import ImportJob, Log, LogImport, LogUploadPart, QuarantinedLine
from console.shared.identifiers import new_id

__all__ = [
    "ClockOffset",
    "CorrelationState",
    "EncounterSnapshot",
    "End",
    "FailureMode",
    "FiledSnapshot",
    "ImportJob",
    "Log",
    "LogBatch",
    "LogEntry",
    "LogImport",
    "LogUploadPart",
    "Note",
    "NoteEnd",
    "QuarantinedLine",
    "Trace",
]


class FailureMode(models.TextChoices):
    """What became of a note, in the words of the engine."""

    NOT_GENERATED = "not_generated", "Not generated"
    NEVER_SENT = "never_sent", "Never sent"
    REJECTED = "rejected", "Rejected by the EHR"
    MISPLACED = "misplaced", "Misplaced"
    PARTIAL = "partial", "Partly filed"
    DUPLICATE = "duplicate", "Filed twice"
    DELAYED = "delayed", "Delayed"
    DELIVERED = "delivered", "In the chart"
    UNKNOWN = "unknown", "Not known yet"


class Note(models.Model):
    """One AI-generated note. Ids are sealed; beside each stands the keyed hash by which it is found."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="notes")
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="notes")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, null=True, blank=True, related_name="notes")
    external_id = SealedTextField()
    external_hash = models.BinaryField()
    identifiers = SealedJSONField(
        null=True, help_text="transaction_id, encounter_id, patient_id, provider_id as in a case."
    )
    transaction_hash = models.BinaryField(null=True)
    encounter_hash = models.BinaryField(null=True)
    patient_hash = models.BinaryField(null=True)
    provider = models.CharField(max_length=80, blank=True)
    generated_at = models.DateTimeField(null=True, blank=True)
    payload_name = models.CharField(max_length=40, blank=True, help_text="note.json, .xml or .hl7")
    payload = SealedField(null=True)
    narrative = SealedTextField(null=True)
    failure_mode = models.CharField(max_length=16, choices=FailureMode, default=FailureMode.UNKNOWN)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("integration", "external_hash"), name="note_once_an_integration"),
        )
        indexes = (
            models.Index(fields=("facility", "external_hash"), name="note_by_external_id"),
            models.Index(fields=("facility", "transaction_hash"), name="note_by_transaction"),
            models.Index(fields=("facility", "encounter_hash"), name="note_by_encounter"),
            models.Index(fields=("integration", "-generated_at"), name="note_by_time"),
        )

    def __str__(self) -> str:
        return f"note {self.id}"


class LogEntry(models.Model):
    """One row of a log. The table is partitioned by day of `at`; nothing refers to it by foreign key.

    The row as it came is one sealed blob; beside it stand hashes of its ids and a few words without patient data.
    """

    Log = Log

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    facility = models.ForeignKey(
        Facility, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    log = models.CharField(max_length=8, choices=Log)
    event = models.CharField(max_length=16)
    status = models.PositiveSmallIntegerField(null=True)
    ack = models.CharField(max_length=2, blank=True)
    signature = models.CharField(max_length=300, blank=True, help_text="The error text, masked.")
    note_hash = models.BinaryField(null=True)
    transaction_hash = models.BinaryField(null=True)
    request_hash = models.BinaryField(null=True)
    encounter_hash = models.BinaryField(null=True)
    position = models.PositiveIntegerField(default=0, help_text="Line it came in: keeps the order of equal times.")
    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, db_constraint=False, db_index=False, null=True, related_name="+"
    )
    batch = models.BigIntegerField(default=0, db_default=0, help_text="The LogBatch it was stored with.")
    what = models.SmallIntegerField(
        default=0, db_default=0, help_text="What the row says, as diagnostics.tracing.compact numbers it."
    )
    origin = models.CharField(
        max_length=80, blank=True, db_default="", help_text="Whose clock: a scribe row's site, an EHR row's client."
    )
    attempt = models.PositiveSmallIntegerField(null=True)
    patient_hash = models.BinaryField(null=True)
    author_hash = models.BinaryField(null=True)
    document_hash = models.BinaryField(null=True)
    content_hash = models.BinaryField(null=True, help_text="Of the fields that the EHR filed.")
    sealed = SealedJSONField()

    class Meta:
        ordering = ("at", "position", "id")
        verbose_name_plural = "log entries"
        indexes = (  # made by SQL in migration 0001, like the table itself: Django knows no partitions
            models.Index(fields=("integration", "at"), name="log_by_integration"),
            models.Index(fields=("note_hash", "at"), name="log_by_note"),
            models.Index(fields=("transaction_hash", "at"), name="log_by_transaction"),
            models.Index(fields=("request_hash", "at"), name="log_by_request"),
            models.Index(fields=("encounter_hash", "at"), name="log_by_encounter"),
            models.Index(fields=("document_hash", "at"), name="log_by_document"),
            models.Index(fields=("batch",), name="log_by_batch"),  # BRIN: rows of a batch lie together
            models.Index(
                fields=("integration", "at"),
                include=("log", "event", "status", "ack"),
                name="log_of_failures",
                condition=models.Q(event__in=("failed", "rejected"))
                | models.Q(status__gte=400)
                | models.Q(ack__in=("AE", "AR", "CE", "CR")),
            ),
        )

    def __str__(self) -> str:
        return f"{self.log} {self.event} {self.at:%H:%M:%S}"


class EncounterSnapshot(models.Model):
    """What the EHR said of the encounter: `encounter.json` of a case. The newest one counts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="encounter_snapshots")
    content = SealedJSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"encounter of {self.created_at:%Y-%m-%d}"


class FiledSnapshot(models.Model):
    """What the chart held: `filed.json` of a case. The newest one counts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="filed_snapshots")
    content = SealedJSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("-created_at", "-id")

    def __str__(self) -> str:
        return f"chart of {self.created_at:%Y-%m-%d}"


class LogBatch(models.Model):
    """Rows that were stored in one transaction, and whether they have been correlated since."""

    id = models.BigAutoField(primary_key=True)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, null=True, related_name="+")
    log_import = models.ForeignKey(LogImport, on_delete=models.SET_NULL, null=True, related_name="batches")
    log = models.CharField(max_length=8, choices=LogEntry.Log)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    rows = models.PositiveIntegerField()
    stored_at = models.DateTimeField(default=timezone.now, editable=False)
    correlated_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        indexes = (
            models.Index(fields=("integration", "id"), name="batch_waiting", condition=models.Q(correlated_at=None)),
            models.Index(fields=("integration", "log", "-last_at"), name="batch_newest"),
        )

    def __str__(self) -> str:
        return f"batch {self.id} of {self.rows} rows"


class End(models.TextChoices):
    """Where the documentation of a note that was not in the chart is now."""

    IN_CHART = "in_chart", "In chart"
    BY_HAND = "by_hand", "Entered by hand"
    NOT_NEEDED = "not_needed", "Not needed"
    OPEN = "open", "Open again"


# Nobody has said how these ended, and the chart lacks them or holds them only probably: the worklist.
WAITING = models.Q(ended="", note__isnull=False) & (~models.Q(failure_mode="delivered") | models.Q(confidence__lt=0.7))


class Trace(models.Model):
    """What both logs say of one note, correlated: the table that every page reads.

    Times are the scribe's clock: the EHR's are brought to it by `offset_s`. A document at the EHR that no scribe row
    tells of has no note.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, db_index=False, related_name="+")
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, db_index=False, related_name="+")
    note = models.OneToOneField(Note, on_delete=models.CASCADE, null=True, related_name="trace")
    orphan_hash = models.BinaryField(null=True, help_text="The EHR's document or transaction where there is no note.")
    failure_mode = models.CharField(max_length=16, choices=FailureMode, default=FailureMode.UNKNOWN)
    broke_at = models.CharField(max_length=12, blank=True)
    keys = models.CharField(max_length=80, blank=True, help_text="What joined the logs, strongest first, by comma.")
    confidence = models.FloatField(default=0.0)
    ambiguous = models.BooleanField(default=False, help_text="Rows that could be of several notes were left out.")
    born_at = models.DateTimeField()
    generated_at = models.DateTimeField(null=True)
    packaged_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    filed_at = models.DateTimeField(null=True)
    last_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    status = models.PositiveSmallIntegerField(null=True, help_text="HTTP status of the last answer.")
    ack = models.CharField(max_length=2, blank=True)
    signature = models.CharField(max_length=300, blank=True, help_text="The last failing answer's error text, masked.")
    site = models.CharField(max_length=80, blank=True)
    client = models.CharField(max_length=80, blank=True)
    provider = models.CharField(max_length=80, blank=True)
    offset_s = models.FloatField(null=True, help_text="The EHR's clock minus the scribe's, in force for this note.")
    sample_s = models.FloatField(null=True, help_text="The offset that this note's own strong rows show.")
    weak = models.BooleanField(default=False, help_text="Rests on time or on rows without an id: neighbours matter.")
    recheck_at = models.DateTimeField(null=True, help_text="From this log time on, the answer may differ.")
    changed_at = models.DateTimeField(default=timezone.now)
    ended = models.CharField(
        max_length=12,
        choices=End,
        blank=True,
        default="",
        db_default="",
        help_text="As the newest NoteEnd says; empty: it waits.",
    )

    class Meta:
        ordering = ("-born_at", "-id")
        constraints = (
            models.UniqueConstraint(fields=("integration", "orphan_hash"), name="trace_once_an_orphan"),
            models.CheckConstraint(
                condition=models.Q(note__isnull=False) | models.Q(orphan_hash__isnull=False),
                name="trace_is_of_something",
            ),
        )
        indexes = (
            models.Index(fields=("integration", "born_at"), name="trace_by_time"),
            models.Index(
                fields=("facility", "failure_mode", "born_at"),
                name="trace_not_in_chart",
                condition=~models.Q(failure_mode="delivered"),
            ),
            models.Index(
                fields=("integration", "signature", "born_at"),
                name="trace_by_signature",
                condition=~models.Q(signature=""),
            ),
            models.Index(fields=("facility", "provider", "born_at"), name="trace_by_provider"),
            models.Index(
                fields=("integration", "recheck_at"), name="trace_recheck", condition=~models.Q(recheck_at=None)
            ),
            models.Index(fields=("facility", "born_at", "id", "failure_mode"), name="trace_waiting", condition=WAITING),
            models.Index(
                fields=("facility", "born_at", "id"), name="trace_orphans", condition=models.Q(note__isnull=True)
            ),
            models.Index(
                fields=("integration", "born_at"), name="trace_unsampled", condition=models.Q(sample_s__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.failure_mode} at {self.born_at:%Y-%m-%d %H:%M}"


class ClockOffset(models.Model):
    """How far the EHR's clock was ahead of the scribe's in one hour, for one pair of a site and a client."""

    id = models.BigAutoField(primary_key=True)
    integration = models.ForeignKey(Integration, on_delete=models.CASCADE, db_index=False, related_name="+")
    site = models.CharField(max_length=80, blank=True)
    client = models.CharField(max_length=80, blank=True)
    hour = models.DateTimeField()
    seconds = models.FloatField(help_text="Median over the notes that strong keys join.")
    pairs = models.PositiveIntegerField()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("integration", "site", "client", "hour"), name="offset_once_an_hour"),
        )
        indexes = (models.Index(fields=("integration", "hour"), name="offset_by_hour"),)

    def __str__(self) -> str:
        return f"{self.seconds:+.3f} s at {self.hour:%Y-%m-%d %H}:00"


class CorrelationState(models.Model):
    """What the last correlation of an integration knew of its logs: where that changes, every note is asked again."""

    integration = models.OneToOneField(Integration, on_delete=models.CASCADE, primary_key=True, related_name="+")
    rules = models.PositiveSmallIntegerField(default=0, help_text="The rules that made the traces; others: all anew.")
    has_scribe = models.BooleanField(default=False)
    has_ehr = models.BooleanField(default=False)
    logs_filing = models.BooleanField(default=False, help_text="The EHR's log tells of filing at all.")
    shares_ids = models.BooleanField(default=False, help_text="An id of the scribe's was ever seen in the EHR's log.")
    ehr_first = models.DateTimeField(null=True)
    ehr_last = models.DateTimeField(null=True)
    newest_at = models.DateTimeField(null=True, help_text="Time of the newest row: *now* for whatever is waited for.")
    correlated_at = models.DateTimeField(null=True)
    rebuilt_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"correlation of {self.integration_id}"


class NoteEnd(models.Model):
    """How a note that was not in the chart ended, by whom and when; the newest one counts."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    note = models.ForeignKey(Note, on_delete=models.CASCADE, related_name="ends")
    how = models.CharField(max_length=12, choices=End)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    reason = SealedTextField(null=True)

    class Meta:
        ordering = ("-at", "-id")
        indexes = (
            models.Index(fields=("note", "-at"), name="end_by_note"),
            models.Index(fields=("facility", "-at"), name="end_by_facility"),
        )

    def __str__(self) -> str:
        return f"{self.how} at {self.at:%Y-%m-%d %H:%M}"
