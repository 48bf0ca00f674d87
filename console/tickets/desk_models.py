"""What the desk keeps beside its tickets: who watches and looks, views, drafts, undo, actions, packets, calendars."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.accounts.models import Facility
from console.accounts.sealed import SealedField, SealedTextField
from console.diagnoses.models import Run
from console.shared.identifiers import new_id


class Watcher(models.Model):
    """Somebody who wants to hear of a ticket without having taken it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="watchers")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    seen_at = models.DateTimeField(default=timezone.now, help_text="Up to when the watcher has read the ticket.")
    by_mail = models.BooleanField(default=True, db_default=True, help_text="Whether a mail tells of each change.")

    class Meta:
        ordering = ("at", "id")
        constraints = (models.UniqueConstraint(fields=("ticket", "user"), name="watches_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} watches {self.ticket_id}"


class Presence(models.Model):
    """Somebody who has a ticket's page open; a sign that is older than a minute says nothing."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="present")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    writing = models.BooleanField(default=False, help_text="Whether something is being typed there.")

    class Meta:
        ordering = ("user", "id")
        constraints = (models.UniqueConstraint(fields=("ticket", "user"), name="present_once"),)

    def __str__(self) -> str:
        return f"{self.user_id} at {self.ticket_id}"


class SavedView(models.Model):
    """A filter of the queue with a name and an address of its own; a shared one is seen by a facility's people."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views")
    facility = models.ForeignKey(
        Facility,
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
        help_text="Whose people see it; empty: its owner.",
    )
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=400, help_text="The queue's own query string, holding no patient data.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(fields=("owner", "name"), name="view_name_once_an_owner"),)

    def __str__(self) -> str:
        return self.name


class Draft(models.Model):
    """What somebody has typed and not yet sent, kept over a lost connection or an ended session."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="drafts")
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, null=True, related_name="+")
    place = models.CharField(max_length=40, help_text="Which form: comment, objection, open …")
    text = SealedTextField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-at", "id")
        constraints = (
            models.UniqueConstraint(fields=("user", "ticket", "place"), name="draft_once_a_form", nulls_distinct=False),
        )

    def __str__(self) -> str:
        return f"draft {self.place}"


class Undoable(models.Model):
    """A change that can be taken back for a short while by whoever made it: what each ticket was before."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16, help_text="owner, severity, checklist, note_ended, watch …")
    before = models.JSONField(help_text="[{ticket, version, …}]: ids and state names only.")
    at = models.DateTimeField(default=timezone.now, editable=False)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-at", "id")

    def __str__(self) -> str:
        return f"{self.kind} at {self.at:%H:%M}"


class TicketAction(models.Model):
    """Something the console did for a remedy's step: asked for a token, wrote a canary, confirmed the fix.

    The work itself is a run of its own; the ticket's verdict stays what its diagnosis said.
    """

    class Kind(models.TextChoices):
        """What was done."""

        TOKEN = "token", "Ask for a token"
        SEGMENT = "segment", "Run from another segment"
        CANARY = "canary", "Write to the test patient and read it back"
        CONFIRM = "confirm", "Confirm the fix"

    class Outcome(models.TextChoices):
        """How it went."""

        RUNNING = "running", "Running"
        GOOD = "good", "Works"
        BAD = "bad", "Does not work"
        OPEN = "open", "Could not be decided"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="actions")
    kind = models.CharField(max_length=12, choices=Kind)
    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField(default=timezone.now, editable=False)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.RUNNING)
    says = models.CharField(max_length=300, blank=True, help_text="One sentence of outcome: no patient data.")
    notes = models.JSONField(default=list, help_text="Ids of the ticket's notes when it was started: a frozen set.")
    ended_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-at", "-id")
        indexes = (models.Index(fields=("ticket", "-at"), name="action_by_ticket"),)
        constraints = (
            models.UniqueConstraint(
                fields=("ticket",), condition=models.Q(outcome="running"), name="one_action_at_a_time"
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind}: {self.outcome}"


class PacketSending(models.Model):
    """A vendor packet that left the house: to whom, as what, and exactly what it said."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="packets")
    at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    how = models.CharField(max_length=8, help_text="mail, pdf, text or json")
    to = models.CharField(max_length=200, blank=True)
    content = SealedField(help_text="The packet's JSON as it was sent.")

    class Meta:
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"packet {self.how} {self.at:%Y-%m-%d %H:%M}"


class VendorAnswer(models.Model):
    """What a vendor answered to a packet, entered by whoever got the answer."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.CASCADE, related_name="vendor_answers")
    sending = models.ForeignKey(PacketSending, on_delete=models.PROTECT, null=True, related_name="answers")
    case_number = models.CharField(max_length=60, blank=True)
    answered_at = models.DateTimeField(default=timezone.now)
    at = models.DateTimeField(default=timezone.now, editable=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    text = SealedTextField()

    class Meta:
        ordering = ("answered_at", "id")

    def __str__(self) -> str:
        return f"answer {self.id}"


class BusinessCalendar(models.Model):
    """A facility's working hours, holidays and targets, by which its tickets' clocks run."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.OneToOneField(Facility, on_delete=models.CASCADE, related_name="calendar")
    hours = models.JSONField(
        default=dict, help_text='{"1": ["08:00", "18:00"], …}: Monday is 1, local time; none: day and night.'
    )
    holidays = models.JSONField(default=list, help_text='["2026-12-25", …]')
    targets = models.JSONField(default=dict, help_text="{severity: hours}; what is not named keeps the house's own.")
    round_the_clock = models.JSONField(
        default=list, help_text="Severities whose clock runs at night and on holidays too."
    )
    pausing = models.JSONField(default=list, help_text="For whom waiting pauses the target: vendor, ehr_team …")
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ("facility", "id")

    def __str__(self) -> str:
        return f"calendar of {self.facility_id}"


class InboundMail(models.Model):
    """A forwarded message that came in by mail, and what became of it; its text is kept by the ticket alone."""

    class State(models.TextChoices):
        """What became of it."""

        OPENED = "opened", "Ticket opened"
        JOINED = "joined", "Joined a ticket"
        REFUSED = "refused", "Refused"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    message_hash = models.BinaryField(
        unique=True, help_text="Keyed hash of the Message-ID: the same mail is taken once."
    )
    at = models.DateTimeField(default=timezone.now, editable=False)
    sender = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    state = models.CharField(max_length=8, choices=State)
    why = models.CharField(max_length=200, blank=True)
    ticket = models.ForeignKey("tickets.Ticket", on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ("-at", "id")

    def __str__(self) -> str:
        return f"mail {self.state}"
