"""What people do with a resend: prepare it, ask for it, approve or decline it, pause, go on, stop, look again."""

from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from console.accounts.access import grants, require
from console.accounts.models import User
from console.accounts.roles import Right
from console.accounts.services import record
from console.integrations.models import Integration
from console.resends.ending import end_batch
from console.resends.models import (
    ENDED_STAGES,
    HELD_BY_EHR,
    UNCERTAIN_ITEMS,
    ItemState,
    ResendAct,
    ResendBatch,
    ResendItem,
    ResendPass,
    Stage,
)
from console.resends.queries import MOST_NOTES, waiting_notes
from console.resends.telling import notes_words, tell
from console.shared.work import OPEN_STATES, ring
from console.tickets.models import Ticket

Kind = ResendPass.Kind
STALE_AFTER = timedelta(hours=24)  # what was prepared longer ago is looked at anew before it is sent
OFF = "Resending is off for this integration. Who manages integrations can allow it on the integration's page."


class ResendError(Exception):
    """What was asked is not possible; the message says why in words for the page."""


@transaction.atomic
def allow(*, integration: Integration, allowed: bool, by: User) -> None:
    """Allow resends through an integration, or forbid them; what is on its way stops before its next note."""
    require(by, Right.MANAGE_INTEGRATIONS, integration.facility_id)
    if Integration.objects.filter(pk=integration.pk, resend_allowed=not allowed).update(resend_allowed=allowed):
        action = "resend.allowed" if allowed else "resend.forbidden"
        record(by=by, action=action, subject=integration, facility=integration.facility_id)


def prepare(*, ticket: Ticket, by: User, key: str) -> ResendBatch:
    """Freeze the ticket's waiting notes and let a worker find out what would be sent; nothing is sent.

    The same `key` gives what the first call made. What was prepared before and never asked for is set aside.
    """
    require(by, Right.RESEND_NOTES, ticket.facility_id)
    try:
        with transaction.atomic():
            return _prepare(ticket, by, key)
    except IntegrityError:
        first = ResendBatch.objects.filter(idempotency_key=key).first()
        if first is None:
            raise
        return first


def _prepare(ticket: Ticket, by: User, key: str) -> ResendBatch:
    if not ticket.integration.resend_allowed:
        raise ResendError(OFF)
    rows = list(waiting_notes(ticket)[: MOST_NOTES + 1])
    if not rows:
        raise ResendError("No note of this ticket waits: there is nothing to resend.")
    total = len(rows) if len(rows) <= MOST_NOTES else waiting_notes(ticket).count()
    for old in ResendBatch.objects.filter(ticket=ticket, stage__in=(Stage.PREPARING, Stage.READY)):
        held = _locked(old)
        if held.stage in (Stage.PREPARING, Stage.READY):
            end_batch(held, Stage.STOPPED, "It was prepared anew.", None)
    batch = ResendBatch.objects.create(
        facility_id=ticket.facility_id,
        integration=ticket.integration,
        ticket=ticket,
        prepared_by=by,
        left_out=total - min(total, MOST_NOTES),
        idempotency_key=key,
    )
    ResendItem.objects.bulk_create(_item(batch, row.note, place) for place, row in enumerate(rows[:MOST_NOTES], 1))
    _send_a_worker(batch, Kind.PREPARE, by)
    tell(batch, "prepared", f"prepared a resend of {notes_words(min(total, MOST_NOTES))}; nothing was sent", by)
    return batch


def _item(batch: ResendBatch, note: Any, position: int) -> ResendItem:
    named = (note.identifiers or {}).get("transaction_id")
    return ResendItem(
        facility_id=batch.facility_id,
        batch=batch,
        note=note,
        position=position,
        transaction=named or None,
        transaction_hash=note.transaction_hash,
    )


@transaction.atomic
def start(*, batch: ResendBatch, by: User, stop_at_first_problem: bool = True) -> None:
    """Send what was prepared, or ask a second person where one is needed. A second press changes nothing."""
    require(by, Right.RESEND_NOTES, batch.facility_id)
    held = _locked(batch)
    if held.stage in (Stage.ASKED, Stage.SENDING, Stage.PAUSED, Stage.DONE):
        return
    if held.stage == Stage.PREPARING:
        raise ResendError("It is still being prepared. Look at what would be sent first.")
    if held.stage != Stage.READY:
        raise ResendError("This resend has ended. Prepare it anew from the ticket.")
    if not held.integration.resend_allowed:
        raise ResendError(OFF)
    if timezone.now() - held.prepared_at > STALE_AFTER:
        raise ResendError("It was prepared more than a day ago. Prepare it anew, so that you see what would go now.")
    ready = held.items.filter(state=ItemState.PLANNED)
    count = ready.count()
    if not count:
        raise ResendError("None of these notes can be resent; beside each stands what to do instead.")
    try:
        with transaction.atomic():
            ready.update(state=ItemState.WAITING)
    except IntegrityError:
        raise ResendError(
            "A note of these went into another resend meanwhile. Prepare it anew: it is then left out here."
        ) from None
    held.requested_by, held.requested_at = by, timezone.now()
    held.stop_at_first_problem = stop_at_first_problem
    held.needs_second = needs_second(held)
    if held.needs_second:
        held.stage = Stage.ASKED
        tell(held, "asked", f"asked for approval of a resend of {notes_words(count)}", by, notes=count)
    else:
        _begin(held, by, count)
    held.save()


def needs_second(batch: ResendBatch) -> bool:
    """Tell whether a second person must approve: in production, and whenever something sent before is repeated."""
    production = batch.integration.environment == Integration.Environment.PRODUCTION
    return production or batch.items.filter(repeats__isnull=False).exclude(state=ItemState.NOT_POSSIBLE).exists()


@transaction.atomic
def approve(*, batch: ResendBatch, by: User) -> None:
    """Let a resend go out as the second person; who asked for it cannot. A second press changes nothing."""
    require(by, Right.APPROVE_RESEND, batch.facility_id)
    held = _locked(batch)
    if held.decided_by_id == by.pk and held.stage != Stage.DECLINED:
        return
    if held.stage != Stage.ASKED:
        raise ResendError("This resend does not wait for approval any more.")
    if held.requested_by_id == by.pk:
        raise ResendError("You asked for this resend yourself: somebody else must approve it.")
    if not held.integration.resend_allowed:
        raise ResendError(OFF)
    held.decided_by, held.decided_at = by, timezone.now()
    waiting = held.items.filter(state=ItemState.WAITING)
    for item in waiting.filter(repeats__isnull=False).select_related("repeats"):
        # The word covers the repetition: the earlier write stands in the way no longer, if it is still not seen.
        ResendAct.objects.filter(item=item.repeats, item__state=ItemState.ABSENT).update(open=False)
    count = waiting.count()
    tell(held, "approved", f"approved a resend of {notes_words(count)}", by, notes=count)
    _begin(held, by, count)
    held.save()


@transaction.atomic
def decline(*, batch: ResendBatch, by: User) -> None:
    """Say no to a resend that waits for approval, or take back one's own."""
    held = _locked(batch)
    own = held.requested_by_id == by.pk
    require(by, Right.RESEND_NOTES if own else Right.APPROVE_RESEND, batch.facility_id)
    if held.stage in ENDED_STAGES:
        return
    if held.stage != Stage.ASKED:
        raise ResendError("This resend does not wait for approval any more. Stop it instead.")
    if own:
        end_batch(held, Stage.STOPPED, "It was taken back before anybody approved it.", by)
    else:
        held.decided_by, held.decided_at = by, timezone.now()
        end_batch(held, Stage.DECLINED, "A second person declined it.", by)


def _begin(held: ResendBatch, by: User, count: int) -> None:
    held.stage, held.started_at = Stage.SENDING, timezone.now()
    held.why = ""
    _send_a_worker(held, Kind.SEND, by)
    tell(held, "started", f"started a resend of {notes_words(count)}", by, notes=count)


@transaction.atomic
def pause(*, batch: ResendBatch, by: User) -> None:
    """Let no further note go out; the one under way is finished."""
    _may_steer(batch, by)
    held = _locked(batch)
    if held.stage == Stage.SENDING:
        held.stage, held.why = Stage.PAUSED, "Somebody paused it."
        held.save()
        tell(held, "paused", "paused the resend", by)


@transaction.atomic
def go_on(*, batch: ResendBatch, by: User) -> None:
    """Let a paused resend go on with the notes that still wait."""
    require(by, Right.RESEND_NOTES, batch.facility_id)
    held = _locked(batch)
    if held.stage == Stage.SENDING:
        return
    if held.stage != Stage.PAUSED:
        raise ResendError("This resend is not paused.")
    if not held.integration.resend_allowed:
        raise ResendError(OFF)
    held.stage, held.why = Stage.SENDING, ""
    held.save()
    if not held.passes.filter(kind=Kind.SEND, state__in=OPEN_STATES).exists():
        _send_a_worker(held, Kind.SEND, by)
    tell(held, "went_on", "let the resend go on", by)


@transaction.atomic
def stop(*, batch: ResendBatch, by: User) -> None:
    """End a resend: no further note goes out. The one under way is finished and told."""
    _may_steer(batch, by)
    held = _locked(batch)
    if held.stage in ENDED_STAGES:
        return
    end_batch(held, Stage.STOPPED, "Somebody stopped it.", by)


@transaction.atomic
def look_again(*, item: ResendItem, by: User) -> None:
    """Look at the EHR for a note whose resend is uncertain; only reads are made."""
    require(by, Right.RESEND_NOTES, item.facility_id)
    batch = _locked(item.batch)
    if not may_be_looked_for(item):
        raise ResendError("What became of this note is certain; there is nothing to look for.")
    if item.looks.filter(kind=Kind.LOOK, state__in=OPEN_STATES).exists():
        return
    _send_a_worker(batch, Kind.LOOK, by, item=item)
    tell(batch, "look", "asked to look for a resent note again", by, reference=item.note_id, item=str(item.pk))


def may_be_looked_for(item: ResendItem) -> bool:
    """Tell whether looking at the EHR again could tell more: it may be there, and was not seen."""
    return item.state in (*UNCERTAIN_ITEMS, *HELD_BY_EHR) and not item.in_chart


def _may_steer(batch: ResendBatch, by: User) -> None:
    """Ask for either right: whoever may let it go out may hold it."""
    if not grants(by).has(Right.APPROVE_RESEND, batch.facility_id):
        require(by, Right.RESEND_NOTES, batch.facility_id)


def _locked(batch: ResendBatch) -> ResendBatch:
    rows = ResendBatch.objects.select_for_update(of=("self",)).select_related("ticket", "integration")
    return rows.get(pk=batch.pk)


def _send_a_worker(batch: ResendBatch, kind: str, by: User | None, item: ResendItem | None = None) -> None:
    try:
        with transaction.atomic():
            row = ResendPass.objects.create(
                kind=kind, batch=batch, integration_id=batch.integration_id, item=item, asked_by=by
            )
    except IntegrityError:
        raise ResendError(
            "Another resend through this integration is under way: only one goes out at a time. Try again when it "
            "has ended."
        ) from None
    ring(row)
