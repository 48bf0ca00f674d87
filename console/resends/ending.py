"""How a note's turn and a resend end: the outcome kept, the note's end told where it was seen, the rest left alone."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from console.accounts.models import User
from console.notes.ends import end_notes
from console.notes.models import End
from console.resends.models import (
    ENDED_STAGES,
    HELD_BY_EHR,
    PROBLEMS,
    SURELY_NOT_THERE,
    UNCERTAIN_ITEMS,
    ItemState,
    ResendAct,
    ResendBatch,
    ResendItem,
    ResendPass,
    Stage,
)
from console.resends.telling import notes_words, tell
from console.shared.work import ring

_NOT_TOLD = "The worker came to nothing before it could read back. The note may have arrived; it is looked for again."


def end_batch(batch: ResendBatch, stage: Stage, why: str, by: User | None) -> None:
    """End a resend whose row is locked: what still waits is left, bodies are forgotten, the ticket is told."""
    left = batch.items.filter(state=ItemState.WAITING).update(state=ItemState.LEFT)
    batch.items.exclude(state=ItemState.SENDING).update(body=None)
    batch.stage, batch.why, batch.ended_at = stage, why, timezone.now()
    batch.save()
    if batch.requested_at is None:
        return  # it was only prepared
    tell(batch, str(stage), f"{stage.label.lower()} the resend: {summary(batch)}", by, left=left)


def summary(batch: ResendBatch) -> str:
    """Count what became of the notes, in words."""
    states = list(batch.items.exclude(state=ItemState.NOT_POSSIBLE).values_list("state", "in_chart"))
    counts = {
        "in the chart": sum(seen for _, seen in states),
        "taken by the EHR, not seen in the chart": sum(s in HELD_BY_EHR and not seen for s, seen in states),
        "not certain": sum(s in UNCERTAIN_ITEMS for s, _ in states),
        "refused": sum(s == ItemState.REFUSED for s, _ in states),
        "not sent": sum(s in (ItemState.LEFT, ItemState.CHANGED, ItemState.NOT_SENT) for s, _ in states),
    }
    told = [f"{count} {words}" for words, count in counts.items() if count]
    return ", ".join(told) or notes_words(0)


def halt(batch: ResendBatch, why: str, *, always: bool = True) -> None:
    """Pause a resend whose row is locked, by itself, and say so; not always where people let it go on."""
    if batch.stage == Stage.SENDING and (always or batch.stop_at_first_problem):
        batch.stage, batch.why = Stage.PAUSED, why[:200]
        batch.save()
        tell(batch, "halted", "paused the resend by itself after a problem", None)


def settle(
    item: ResendItem, batch: ResendBatch, state: str, says: str, *, by: User | None = None,
    in_chart: bool = False, found: int | None = None, at: datetime | None = None, **answer: Any,
) -> None:  # fmt: skip
    """Keep what became of a note, in the caller's transaction, with the resend's row locked.

    `answer`: status, ack, document_id, request_id, reason. A note that was read back and seen ends as in the chart.
    """
    item.state, item.in_chart, item.found = state, in_chart, found
    item.status = answer.pop("status", None) or item.status
    item.ack = answer.pop("ack", "")[:2] or item.ack
    item.answer = {**(item.answer or {}), "says": says, **{name: value for name, value in answer.items() if value}}
    item.ended_at = item.ended_at or at or timezone.now()
    if batch.stage in ENDED_STAGES:
        item.body = None
    item.save()
    if state in SURELY_NOT_THERE:
        ResendAct.objects.filter(item=item).update(open=False)
    if in_chart:
        end_notes(notes=[item.note], how=End.IN_CHART, by=None, only_waiting=True)
    if state in PROBLEMS:
        words = f"resent a note: {ItemState(state).within}"
        tell(batch, str(state), words, by, reference=item.note_id, item=str(item.pk))


@transaction.atomic
def give_up(row: ResendPass) -> None:
    """Say that a worker's way through a resend came to nothing; what was under way is uncertain, not forgotten."""
    batch = ResendBatch.objects.select_for_update(of=("self",)).select_related("ticket").get(pk=row.batch_id)
    if row.kind == ResendPass.Kind.PREPARE and batch.stage == Stage.PREPARING:
        batch.items.filter(state=ItemState.PLANNING).update(state=ItemState.LEFT)
        end_batch(batch, Stage.STOPPED, "It could not be prepared. Prepare it anew.", None)
    if row.kind != ResendPass.Kind.SEND:
        return
    for item in batch.items.filter(state=ItemState.SENDING).select_related("note"):
        if ResendAct.objects.filter(item=item).exists():
            settle(item, batch, ItemState.UNKNOWN, _NOT_TOLD)
            look = ResendPass.objects.create(
                kind=ResendPass.Kind.LOOK, batch=batch, integration_id=batch.integration_id, item=item
            )
            ring(look)  # only reads: nobody has to ask for that
        else:
            back = ItemState.WAITING if batch.stage not in ENDED_STAGES else ItemState.LEFT
            ResendItem.objects.filter(pk=item.pk).update(state=back, started_at=None)
    halt(batch, "The worker came to nothing several times.")
