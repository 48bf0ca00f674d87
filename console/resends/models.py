"""Resends: the frozen set of notes, what each would send, who approved it, each write's intent, what became of it.

Three promises are the database's own: a note is in one live resend at a time, at most one write of a note is open
(may have arrived, and nobody knows that it did not), and nothing that needs a second person goes out without one.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone

from console.accounts.models import Facility
from console.accounts.sealed import SealedField, SealedJSONField
from console.integrations.models import Integration
from console.notes.models import Note
from console.shared.identifiers import new_id
from console.shared.work import WorkRow
from console.tickets.models import Ticket


class Stage(models.TextChoices):
    """Where a resend stands."""

    PREPARING = "preparing", "Being prepared"
    READY = "ready", "Prepared, nothing sent"
    ASKED = "asked", "Waits for a second person"
    SENDING = "sending", "Sending"
    PAUSED = "paused", "Paused"
    STOPPED = "stopped", "Stopped"
    DECLINED = "declined", "Declined"
    DONE = "done", "Done"


LIVE_STAGES = (Stage.ASKED, Stage.SENDING, Stage.PAUSED)
ENDED_STAGES = (Stage.STOPPED, Stage.DECLINED, Stage.DONE)


class ItemState(models.TextChoices):
    """Where one note of a resend stands; the last eight are the engine's fates."""

    PLANNING = "planning", "Being prepared"
    PLANNED = "planned", "Ready to send"
    NOT_POSSIBLE = "not_possible", "Cannot be resent"
    WAITING = "waiting", "Waits its turn"
    SENDING = "sending", "Under way"
    LEFT = "left", "Not sent"
    CHANGED = "changed", "Changed since it was prepared, not sent"
    ALREADY = "already", "Was there already, nothing sent"
    CREATED = "created", "Taken by the EHR"
    MATCHED = "matched", "Recognised by the EHR, not filed twice"
    REFUSED = "refused", "Refused by the EHR"
    FOUND = "found", "Answer lost, found by reading back"
    UNKNOWN = "unknown", "Not certain: may have arrived"
    ABSENT = "absent", "Not certain: sent, not seen"
    NOT_SENT = "not_sent", "Not sent: no connection"

    @property
    def within(self) -> str:
        """Give the label for the middle of a sentence; names of systems keep their capitals."""
        return self.label[:1].lower() + self.label[1:]


LIVE_ITEMS = (ItemState.WAITING, ItemState.SENDING)
HELD_BY_EHR = (ItemState.ALREADY, ItemState.CREATED, ItemState.MATCHED, ItemState.FOUND)
UNCERTAIN_ITEMS = (ItemState.UNKNOWN, ItemState.ABSENT)
PROBLEMS = (*UNCERTAIN_ITEMS, ItemState.REFUSED, ItemState.NOT_SENT, ItemState.CHANGED)
SURELY_NOT_THERE = (ItemState.REFUSED, ItemState.NOT_SENT)


class ResendBatch(models.Model):
    """A frozen set of a ticket's notes on their way to the EHR once more. Nothing joins it after it was prepared."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="resends")
    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="resends")
    stage = models.CharField(max_length=9, choices=Stage, default=Stage.PREPARING)
    why = models.CharField(max_length=200, blank=True, help_text="Why it paused or ended: no patient data.")
    left_out = models.PositiveIntegerField(default=0, help_text="Waiting notes beyond the most a resend takes.")
    stop_at_first_problem = models.BooleanField(default=True)
    needs_second = models.BooleanField(default=True, help_text="Whether it goes out only with a second person's word.")
    prepared_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    prepared_at = models.DateTimeField(default=timezone.now, editable=False)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    requested_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    idempotency_key = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ("-prepared_at", "-id")
        verbose_name = "resend"
        indexes = (
            models.Index(fields=("ticket", "-prepared_at"), name="resend_by_ticket"),
            models.Index(fields=("facility", "requested_at"), name="resend_asked", condition=models.Q(stage="asked")),
        )
        constraints = (
            models.CheckConstraint(
                condition=models.Q(decided_by__isnull=True)
                | models.Q(requested_by__isnull=True)
                | ~models.Q(decided_by=models.F("requested_by")),
                name="second_person_is_another",
            ),
            models.CheckConstraint(
                condition=models.Q(needs_second=False)
                | models.Q(decided_by__isnull=False)
                | ~models.Q(stage__in=("sending", "paused", "done")),
                name="sent_only_with_second_person",
            ),
        )

    def __str__(self) -> str:
        return f"resend {self.id}"


class ResendItem(models.Model):
    """One note of a resend: what would be sent, and what became of it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="+")
    batch = models.ForeignKey(ResendBatch, on_delete=models.CASCADE, related_name="items")
    note = models.ForeignKey(Note, on_delete=models.PROTECT, related_name="resend_items")
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=12, choices=ItemState, default=ItemState.PLANNING)
    way = models.CharField(max_length=20, blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="What the approval binds: a hash of all of it.")
    transaction_hash = models.BinaryField(null=True, help_text="Keyed hash of the original's transaction id.")
    transaction = SealedJSONField(null=True, help_text="The original's transaction id.")
    plan = SealedJSONField(null=True, help_text="What would be sent, without the body, and the differences.")
    body = SealedField(null=True, help_text="Exactly what would be sent; gone once the resend has ended.")
    answer = SealedJSONField(null=True, help_text="says, reason, document_id, request_id.")
    status = models.PositiveSmallIntegerField(null=True)
    ack = models.CharField(max_length=2, blank=True)
    found = models.PositiveIntegerField(null=True, help_text="Documents at the EHR that carry the note's identifier.")
    in_chart = models.BooleanField(default=False, help_text="It was read back and seen there.")
    repeats = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+",
        help_text="The earlier attempt that was sent and not seen, which a second person allowed to repeat.",
    )  # fmt: skip
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    looked_at = models.DateTimeField(null=True, help_text="When it was last looked for at the EHR again.")

    class Meta:
        ordering = ("position", "id")
        verbose_name = "resent note"
        indexes = (models.Index(fields=("note", "-started_at"), name="resent_by_note"),)
        constraints = (
            models.UniqueConstraint(fields=("batch", "note"), name="note_once_a_resend"),
            models.UniqueConstraint(
                fields=("note",),
                condition=models.Q(state__in=("waiting", "sending")),
                name="note_in_one_live_resend",
            ),
        )

    def __str__(self) -> str:
        return f"resent note {self.id}: {self.state}"


class ResendAct(models.Model):
    """A write's intent, stored before the write: whoever comes after a killed worker sees it and only reads back.

    It is open until the EHR has surely not taken the note. Two open ones of a note cannot be.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    item = models.OneToOneField(ResendItem, on_delete=models.CASCADE, related_name="act")
    note = models.ForeignKey(Note, on_delete=models.PROTECT, related_name="+")
    digest = models.CharField(max_length=64)
    open = models.BooleanField(default=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("at", "id")
        constraints = (
            models.UniqueConstraint(fields=("note",), condition=models.Q(open=True), name="one_open_write_a_note"),
        )

    def __str__(self) -> str:
        return f"write of {self.item_id}"


class ResendPass(WorkRow):
    """A worker's way through a resend: prepare it, send it note by note, or look for one note again."""

    class Kind(models.TextChoices):
        """What the worker does."""

        PREPARE = "prepare", "Prepare"
        SEND = "send", "Send"
        LOOK = "look", "Look again"

    task_name: ClassVar[str] = "console.resends.tasks.go"

    kind = models.CharField(max_length=8, choices=Kind)
    batch = models.ForeignKey(ResendBatch, on_delete=models.CASCADE, related_name="passes")
    integration = models.ForeignKey(Integration, on_delete=models.PROTECT, related_name="+")
    item = models.ForeignKey(ResendItem, on_delete=models.CASCADE, null=True, related_name="looks")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+")

    class Meta:
        ordering = ("created_at", "id")
        verbose_name_plural = "resend passes"
        indexes = (
            models.Index(
                fields=("state", "due_at"), name="resend_due", condition=models.Q(state__in=("queued", "running"))
            ),
        )
        constraints = (
            models.UniqueConstraint(
                fields=("integration",),
                condition=models.Q(kind="send", state__in=("queued", "running")),
                name="one_resend_an_integration",
            ),
            models.UniqueConstraint(
                fields=("batch",),
                condition=models.Q(kind="prepare", state__in=("queued", "running")),
                name="one_preparing_a_resend",
            ),
            models.UniqueConstraint(
                fields=("item",),
                condition=models.Q(kind="look", state__in=("queued", "running")),
                name="one_look_a_note",
            ),
        )

    def __str__(self) -> str:
        return f"{self.kind} of {self.batch_id}"

    @classmethod
    def gave_up(cls, row_id: uuid.UUID) -> None:
        """Say on the resend that its worker came to nothing; what was under way is told as uncertain."""
        from console.resends.ending import give_up

        give_up(cls.objects.get(pk=row_id))
