"""The making of diagnoses: runs, the evidence they gathered, what the checks found, what people answered."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.accounts.models import Facility
from console.accounts.sealed import SealedJSONField, SealedTextField
from console.integrations.models import Integration
from console.notes.models import FailureMode, Note
from console.shared.identifiers import new_id
from console.shared.work import WorkRow


class FindingStatus(models.TextChoices):
    """What a check says, in the words of the engine."""

    PASSED = "passed", "Passed"
    FAILED = "failed", "Failed"
    WARNING = "warning", "Warning"
    BLOCKED = "blocked", "Blocked"
    UNKNOWN = "unknown", "Unknown"
    ERROR = "error", "Error"
    NOT_APPLICABLE = "not_applicable", "Not applicable"


class Purpose(models.TextChoices):
    """What a run is for."""

    DIAGNOSIS = "diagnosis", "Find the cause"
    ACTION = "action", "Try one thing"
    CONFIRM = "confirm", "Confirm the fix"


class Run(WorkRow):
    """One making of a diagnosis, from one segment.

    `ticket_id` is no foreign key: tickets stand above diagnoses, and a run may serve an integration without a ticket.
    """

    task_name: ClassVar[str] = "console.diagnoses.tasks.run"

    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="runs")
    note = models.ForeignKey(Note, on_delete=models.PROTECT, null=True, blank=True, related_name="runs")
    ticket_id = models.UUIDField(null=True, db_index=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    steps = models.JSONField(default=list, help_text="Numbers of the steps asked for; empty: all six.")
    segment = models.CharField(max_length=30, blank=True)
    offline = models.BooleanField(default=False, help_text="Judge from logs and snapshots alone.")
    purpose = models.CharField(max_length=9, choices=Purpose, default=Purpose.DIAGNOSIS, db_default="diagnosis")
    writes = models.BooleanField(default=True, help_text="Whether the canary may be written, where one is configured.")
    progress = SealedJSONField(null=True, help_text="The document of the diagnosis so far, while it runs.")
    document = SealedJSONField(null=True, help_text="The public `diagnose --json` document of the finished run.")
    failure_mode = models.CharField(max_length=16, choices=FailureMode, default=FailureMode.UNKNOWN)
    category = models.CharField(max_length=32, blank=True)
    cause = models.CharField(max_length=80, blank=True)
    certainty = models.CharField(max_length=10, blank=True)

    class Meta:
        ordering = ("-created_at", "-id")
        indexes = (
            models.Index(fields=("ticket_id", "-created_at"), name="run_by_ticket"),
            models.Index(fields=("integration", "-created_at"), name="run_by_integration"),
            models.Index(
                fields=("state", "due_at"), name="run_due", condition=models.Q(state__in=("queued", "running"))
            ),
        )

    def __str__(self) -> str:
        return f"run {self.id}"

    @classmethod
    def gave_up(cls, row_id: uuid.UUID) -> None:
        """Tell the ticket that this run will not end by itself."""
        from console.diagnoses.conclusions import tell

        tell(cls.objects.get(pk=row_id))


class EvidenceRow(models.Model):
    """One piece of evidence as it came, so that a run whose worker died goes on from here."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="evidence")
    key = models.CharField(max_length=200)
    content = SealedJSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("created_at", "id")
        constraints = (models.UniqueConstraint(fields=("run", "key"), name="evidence_once_a_run"),)

    def __str__(self) -> str:
        return self.key


class ActRow(models.Model):
    """An act that must not repeat (a canary create, a used refresh token): the intent, written before the act."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="acts")
    act = models.CharField(max_length=120)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("at", "id")
        constraints = (models.UniqueConstraint(fields=("run", "act"), name="act_once_a_run"),)

    def __str__(self) -> str:
        return self.act


class FindingRow(models.Model):
    """What one check said in one run."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="findings")
    step = models.PositiveSmallIntegerField()
    position = models.PositiveSmallIntegerField()
    check_id = models.CharField(max_length=120)
    title = models.CharField(max_length=300)
    status = models.CharField(max_length=16, choices=FindingStatus)
    cause = models.CharField(max_length=80, blank=True)
    blocked_by = models.CharField(max_length=200, blank=True)
    checklist = models.JSONField(default=list, help_text="Ids of the checklist items that this check answers.")
    ms = models.FloatField(default=0.0)
    content = SealedJSONField(help_text="says, evidence and missing, as in the document.")

    class Meta:
        ordering = ("step", "position", "id")
        constraints = (models.UniqueConstraint(fields=("run", "check_id"), name="finding_once_a_run"),)

    def __str__(self) -> str:
        return f"{self.check_id}: {self.status}"


class Answer(models.Model):
    """What a person answered to a question of the engine: evidence with a name."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    ticket_id = models.UUIDField(db_index=True)
    question = models.CharField(max_length=120)
    value = SealedTextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return self.question


class ChecklistItemState(models.Model):
    """How one checklist item of a ticket stands. Wording and ids are the engine's (diagnostics/checklists.py)."""

    class State(models.TextChoices):
        """Whether the item is settled."""

        OPEN = "open", "Open"
        DONE = "done", "Done"
        NOT_APPLICABLE = "not_applicable", "Not applicable"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    ticket_id = models.UUIDField()
    item = models.CharField(max_length=40)
    state = models.CharField(max_length=16, choices=State, default=State.OPEN)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    by_check = models.CharField(max_length=120, blank=True)
    answer = models.CharField(max_length=8, blank=True, db_default="", help_text="yes or no, where the item asks.")
    at = models.DateTimeField(default=timezone.now)
    note = SealedTextField(null=True, help_text="A person's remark, or why the item does not apply.")
    history = SealedJSONField(null=True, help_text="What it was before, oldest first: [{state, answer, by, at, note}].")

    class Meta:
        ordering = ("item", "id")
        constraints = (models.UniqueConstraint(fields=("ticket_id", "item"), name="item_once_a_ticket"),)

    def __str__(self) -> str:
        return f"{self.item}: {self.state}"


class ChecklistTemplate(models.Model):
    """A version of a checklist: which of the engine's items, in which order. The newest version is in force.

    A ticket keeps the versions it was given, so that changing a list changes no ticket's past.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.SlugField(max_length=60)
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=80)
    about = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=32, blank=True, help_text="The root-cause category it comes with.")
    items = models.JSONField(help_text="Ids of diagnostics/checklists.py, in their order.")
    branches = models.JSONField(
        default=dict,
        db_default=models.Value({}, output_field=models.JSONField()),
        help_text='{item: [of, answer]}: shown only once the item `of` was answered so, "yes" or "no".',
    )
    retired = models.BooleanField(default=False, db_default=False, help_text="Given to no further ticket.")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("slug", "-version", "id")
        constraints = (models.UniqueConstraint(fields=("slug", "version"), name="checklist_version_once"),)

    def __str__(self) -> str:
        return f"{self.name}, version {self.version}"


class TicketChecklist(models.Model):
    """A checklist that a ticket was given, by a conclusion (`by` is empty) or by a person."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ticket_id = models.UUIDField(db_index=True)
    template = models.ForeignKey(ChecklistTemplate, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("at", "id")
        constraints = (models.UniqueConstraint(fields=("ticket_id", "template"), name="checklist_once_a_ticket"),)

    def __str__(self) -> str:
        return f"checklist of {self.ticket_id}"


class Heartbeat(models.Model):
    """The last sign of life of a queue's workers, written by a task that went through that queue."""

    queue = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ("queue",)

    def __str__(self) -> str:
        return f"{self.queue} at {self.at:%H:%M:%S}"
