"""What staff work on: tickets, their notes, and everything that happened to them."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models.functions import Coalesce, Upper
from django.utils import timezone

from console.accounts.models import Department, Facility
from console.accounts.sealed import SealedField, SealedTextField
from console.diagnoses.models import Run
from console.integrations.models import Integration
from console.notes.models import FailureMode, Note
from console.shared.identifiers import new_id
from console.tickets.desk_models import (
    BusinessCalendar,
    Draft,
    InboundMail,
    PacketSending,
    Presence,
    SavedView,
    TicketAction,
    Undoable,
    VendorAnswer,
    Watcher,
)
from console.tickets.report_models import TicketReport

__all__ = [
    "GRAVE", "OPEN_STATES", "Attachment", "BusinessCalendar", "Comment", "Confirmation", "Disagreement", "Draft",
    "InboundMail", "OpenedVia", "PacketSending", "Presence", "SavedView", "Severity", "Ticket", "TicketAction",
    "TicketEvent", "TicketNote", "TicketReport", "TicketState", "Undoable", "VendorAnswer", "WaitingFor", "Watcher",
]  # fmt: skip


class TicketState(models.TextChoices):
    """Where a ticket stands; every change is a TicketEvent."""

    NEW = "new", "New"
    DIAGNOSING = "diagnosing", "Diagnosing"
    DIAGNOSED = "diagnosed", "Diagnosed"
    IN_PROGRESS = "in_progress", "In progress"
    WAITING = "waiting", "Waiting"
    FIXED = "fixed", "Fixed, to be confirmed"
    RESOLVED = "resolved", "Resolved"
    CLOSED = "closed", "Closed"


OPEN_STATES = (
    TicketState.NEW,
    TicketState.DIAGNOSING,
    TicketState.DIAGNOSED,
    TicketState.IN_PROGRESS,
    TicketState.WAITING,
    TicketState.FIXED,
)


class WaitingFor(models.TextChoices):
    """For whom a ticket waits."""

    VENDOR = "vendor", "Vendor"
    EHR_TEAM = "ehr_team", "EHR team"
    NETWORK_TEAM = "network_team", "Network team"
    PROVIDER = "provider", "Provider"


class Severity(models.TextChoices):
    """What the failure means for patients, worst first; the letter keeps the order."""

    WRONG_PATIENT = "a_wrong_patient", "Wrong patient"
    UNDOCUMENTED = "b_undocumented", "Undocumented encounter"
    MISPLACED = "c_misplaced", "Misplaced or partial"
    DELAYED = "d_delayed", "Delayed"
    NONE = "e_none", "No patient impact"


GRAVE = (Severity.WRONG_PATIENT, Severity.UNDOCUMENTED, Severity.MISPLACED)


class OpenedVia(models.TextChoices):
    """How a ticket came."""

    PASTE = "paste", "Pasted"
    NOTE = "note", "From a note"
    ALERT = "alert", "From an alert"
    API = "api", "By another system"
    MAIL = "mail", "By mail"


class Confirmation(models.TextChoices):
    """What says that the failure is over."""

    RUN = "run", "A diagnosis after the fix passed"
    CHART = "chart", "The notes were seen in the chart"
    NONE = "none", "Not confirmed"


class Ticket(models.Model):
    """One failed note, or many with one cause. The title holds no patient data: it is made from what is known."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    number = models.PositiveIntegerField(unique=True, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="tickets")
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="tickets")
    title = models.CharField(max_length=160)
    state = models.CharField(max_length=12, choices=TicketState, default=TicketState.NEW)
    waiting_for = models.CharField(max_length=16, choices=WaitingFor, blank=True)
    waiting_since = models.DateTimeField(null=True, blank=True)
    severity = models.CharField(max_length=16, choices=Severity, default=Severity.UNDOCUMENTED)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="owned_tickets"
    )
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    opened_at = models.DateTimeField(default=timezone.now)
    target_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    reopened = models.PositiveSmallIntegerField(default=0)
    pasted = SealedTextField(null=True, help_text="What was pasted when the ticket was opened.")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    failure_mode = models.CharField(max_length=16, choices=FailureMode, default=FailureMode.UNKNOWN)
    category = models.CharField(max_length=32, blank=True)
    cause = models.CharField(max_length=80, blank=True)
    certainty = models.CharField(max_length=10, blank=True)
    verdict = models.CharField(max_length=300, blank=True, help_text="The cause's title: no patient data.")
    journey = models.JSONField(default=list, help_text="[{stage, state}] of the last run.")
    confirmed_category = models.CharField(max_length=32, blank=True, help_text="What a person confirmed on resolving.")
    confirmed_cause = models.CharField(max_length=80, blank=True, help_text="Empty where no declared cause fits.")
    idempotency_key = models.CharField(max_length=64, unique=True)
    version = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Counts every change; who edits says which one he saw."
    )
    opened_via = models.CharField(max_length=8, choices=OpenedVia, default=OpenedVia.PASTE, db_default="paste")
    reference = models.CharField(
        max_length=80, blank=True, db_default="", help_text="The number it has in the system it came from."
    )
    parent = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="children",
        help_text="The incident it is part of.",
    )
    merged_into = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="merged")
    paused_left_s = models.IntegerField(null=True, help_text="Seconds of target left when its clock was paused.")
    departments = ArrayField(
        models.UUIDField(),
        default=list,
        db_default=models.Value([], output_field=ArrayField(models.UUIDField())),
        editable=False,
        help_text="Those of its notes. The database keeps it by itself, so that lists need not look at notes.",
    )
    confirmation = models.CharField(max_length=12, choices=Confirmation, blank=True, db_default="")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    confirming_run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("-opened_at", "-id")
        constraints = (
            models.CheckConstraint(
                condition=models.Q(state=TicketState.WAITING, waiting_since__isnull=False)
                | (~models.Q(state=TicketState.WAITING) & models.Q(waiting_for="")),
                name="waiting_says_for_whom",
            ),
        )
        indexes = (
            models.Index(fields=("facility", "state", "severity", "target_at"), name="ticket_queue"),
            models.Index(fields=("integration", "cause"), name="ticket_by_cause"),
            # The queue: open tickets by each of its orders, the first holding all that its filters count; finished
            # ones by when they were. Open tickets stay few however long the past grows.
            models.Index(
                fields=("facility", "severity", "target_at", "id"),
                include=(
                    "state",
                    "owner",
                    "waiting_for",
                    "cause",
                    "integration",
                    "failure_mode",
                    "paused_left_s",
                ),
                condition=models.Q(state__in=OPEN_STATES),
                name="ticket_open_gravest",
            ),
            models.Index(
                fields=("facility", "target_at", "id"),
                condition=models.Q(state__in=OPEN_STATES),
                name="ticket_open_due",
            ),
            models.Index(
                fields=("facility", "opened_at", "id"),
                condition=models.Q(state__in=OPEN_STATES),
                name="ticket_open_newest",
            ),
            models.Index(
                models.F("facility"),
                Coalesce("resolved_at", "opened_at").desc(),
                models.F("id").desc(),
                condition=models.Q(state__in=(TicketState.RESOLVED, TicketState.CLOSED)),
                name="ticket_done",
            ),
            # What is searched for: a word of a title, and the number that another system gave it.
            GinIndex(OpClass(Upper("title"), name="gin_trgm_ops"), name="ticket_title_words"),
            models.Index(Upper("reference"), condition=~models.Q(reference=""), name="ticket_by_reference"),
        )

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"

    @property
    def is_open(self) -> bool:
        """Tell whether its clock runs."""
        return self.state in OPEN_STATES

    @property
    def is_late(self) -> bool:
        """Tell whether it is open past its target; a clock that is paused has time left."""
        return self.is_open and self.paused_left_s is None and timezone.now() > self.target_at


class TicketNote(models.Model):
    """A note of a ticket, and how it ended: none is forgotten."""

    class End(models.TextChoices):
        """How a note ended."""

        WAITING = "waiting", "Waiting"
        IN_CHART = "in_chart", "In chart"
        BY_HAND = "by_hand", "Entered by hand"
        NOT_NEEDED = "not_needed", "Not needed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="ticket_notes")
    note = models.ForeignKey(Note, on_delete=models.PROTECT, related_name="ticket_notes")
    department = models.ForeignKey(Department, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    end = models.CharField(max_length=12, choices=End, default=End.WAITING)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    added_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("added_at", "id")
        constraints = (models.UniqueConstraint(fields=("ticket", "note"), name="note_once_a_ticket"),)
        # Every list of tickets asks whether a note lies in a department that is closed to the reader.
        indexes = (
            models.Index(
                fields=("ticket", "department"), condition=models.Q(department__isnull=False), name="note_by_department"
            ),
        )

    def __str__(self) -> str:
        return f"note {self.note_id}: {self.end}"


class TicketEvent(models.Model):
    """Something that happened to a ticket: every report is computed from these rows."""

    class Kind(models.TextChoices):
        """What happened."""

        OPENED = "opened", "Opened"
        STATE = "state", "State changed"
        OWNER = "owner", "Owner changed"
        SEVERITY = "severity", "Severity changed"
        RUN_REQUESTED = "run_requested", "Diagnosis requested"
        RUN_CONCLUDED = "run_concluded", "Diagnosis concluded"
        COMMENT = "comment", "Comment"
        ATTACHMENT = "attachment", "File attached"
        ANSWER = "answer", "Question answered"
        CHECKLIST = "checklist", "Checklist item changed"
        DISAGREED = "disagreed", "Verdict disputed"
        NOTE_ADDED = "note_added", "Note added"
        NOTE_ENDED = "note_ended", "Note ended"
        PAYLOAD_OPENED = "payload_opened", "Payload opened"
        CAUSE_CONFIRMED = "cause_confirmed", "Root cause confirmed"
        OUTCOME = "outcome", "Outcome said"
        PACKET_SENT = "packet_sent", "Packet sent to vendor"
        ARTICLE = "article", "Article drafted"
        ALERT = "alert", "Alert joined"
        ACTION = "action", "Action started"
        ACTION_ENDED = "action_ended", "Action ended"
        CONFIRMED = "confirmed", "Fix confirmed"
        RESEND = "resend", "Resend"
        NOTE_REMOVED = "note_removed", "Note moved away"
        MERGED = "merged", "Tickets merged"
        SPLIT = "split", "Ticket split"
        PARENT = "parent", "Parent incident changed"
        WATCH = "watch", "Watcher changed"
        HANDOVER = "handover", "Handed over"
        PROVIDER_TOLD = "provider_told", "Provider told"
        VENDOR_ANSWER = "vendor_answer", "Vendor answered"
        UNDONE = "undone", "Change undone"
        PAUSED = "paused", "Target paused"
        TITLE = "title", "Title changed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=16, choices=Kind)
    at = models.DateTimeField(default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    before = models.CharField("from", max_length=120, blank=True)
    after = models.CharField("to", max_length=120, blank=True)
    reference = models.UUIDField(null=True, help_text="The comment, attachment, run or note that it is about.")

    class Meta:
        ordering = ("at", "id")
        indexes = (models.Index(fields=("ticket", "at"), name="event_by_ticket"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.before} → {self.after}"


class Comment(models.Model):
    """What somebody wrote on a ticket."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="comments")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    text = SealedTextField()

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"comment {self.id}"


class Attachment(models.Model):
    """A file on a ticket; name and content may hold patient data, so both are sealed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="attachments")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    name = SealedTextField()
    content_type = models.CharField(max_length=80)
    size = models.PositiveIntegerField()
    content = SealedField()

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"attachment {self.id}"


class Disagreement(models.Model):
    """Somebody's objection to a verdict: what they say the cause is, and why."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="disagreements")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    said_cause = models.CharField(max_length=80, blank=True, help_text="The cause that the verdict named.")
    own_category = models.CharField(max_length=32, blank=True, help_text="What the person holds to be right.")
    text = SealedTextField()

    class Meta:
        ordering = ("at", "id")

    def __str__(self) -> str:
        return f"disagreement {self.id}"
