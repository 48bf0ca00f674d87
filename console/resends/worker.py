"""What a worker does for a resend: one note a claim, its intent stored before the write, its outcome after.

A worker that is killed leaves a row whose lease ends. The next one sees the intent and only reads back; a note
without an intent was not sent, and has its turn again.
"""

import asyncio
import logging
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from console.accounts.access import grants
from console.accounts.roles import Right
from console.accounts.services import record
from console.diagnoses.cases import build_case
from console.diagnoses.probing import open_door
from console.integrations.models import Integration
from console.notes.ends import ends_of
from console.notes.models import End
from console.resends.ending import end_batch, give_up, halt, settle
from console.resends.models import (
    ENDED_STAGES,
    HELD_BY_EHR,
    PROBLEMS,
    ItemState,
    ResendAct,
    ResendBatch,
    ResendItem,
    ResendPass,
    Stage,
)
from console.resends.preparing import prepare_step
from console.resends.telling import tell
from console.shared.work import LeaseLost, WorkState, claim, finish, held, lease, ring, try_again
from diagnostics.case import Case
from diagnostics.resend import SETTLED, Fate, ResendPlan, Sent, look, plan, resend, survey

log = logging.getLogger(__name__)
EXCHANGES_A_NOTE = 6  # token, capability, encounter, search, write, reading back: what counts against a rate limit


class HeldBack(Exception):
    """Somebody paused or stopped the resend, or ended the note, before the write began: nothing was sent."""


def go_on(pass_id: uuid.UUID | str) -> None:
    """Do the next piece of a resend's work if it is due and nobody has it; may be called twice without harm."""
    row = claim(ResendPass, pass_id)
    if row is None:
        return
    step = {"prepare": prepare_step, "send": send_step, "look": look_step}[row.kind]
    try:
        with lease(row, budget_s=settings.CELERY_TASK_SOFT_TIME_LIMIT) as lost:
            wait_s = step(row, lost)
        if wait_s is not None:
            hand_back(row, wait_s)
    except LeaseLost:
        log.info("%s goes on elsewhere", row)
    except Exception as problem:
        log.exception("%s failed in attempt %s", row, row.attempt)
        with transaction.atomic():
            if row.attempt < row.max_attempts:
                try_again(row, after_s=min(30, 2**row.attempt), error=type(problem).__name__)
            elif finish(row, WorkState.FAILED, error=type(problem).__name__):
                give_up(row)


@transaction.atomic
def hand_back(row: ResendPass, wait_s: float) -> None:
    """Give the row to whoever is free next: one note is done, so that the attempts begin anew."""
    due = timezone.now() + timedelta(seconds=wait_s)
    changed = ResendPass.objects.filter(pk=row.pk, fence=row.fence, state=WorkState.RUNNING).update(
        state=WorkState.QUEUED, lease_until=None, attempt=0, due_at=due, rung_at=None
    )
    if changed and wait_s <= 0:
        ring(row)  # a later one is rung by the sweeper


# -- sending -----------------------------------------------------------------------------------------------------


def send_step(row: ResendPass, lost: threading.Event) -> float | None:
    """Send the next note, or read back the one that a killed worker left; give when to go on, None at the end."""
    item = _take(row)
    if item is None:
        return None
    began = time.monotonic()
    keeper = _Keeper(row, item, lost)
    sent: Sent | Changed
    try:
        sent = _carry_out(item, keeper)
    except HeldBack:
        _put_back(row, item)
        return 0.0
    except Changed as change:
        sent = change
    finally:
        keeper.close()
    if lost.is_set():
        raise LeaseLost
    _keep(row, item, sent)
    limit = item.batch.integration.settings.get("rate_limit_per_minute")
    due = 60 / limit * EXCHANGES_A_NOTE if limit else 0.0
    return max(0.0, due - (time.monotonic() - began))


@transaction.atomic
def _take(row: ResendPass) -> ResendItem | None:
    """Choose whose turn it is under the resend's lock; end the pass where it is nobody's."""
    batch = _locked(row)
    under_way = batch.items.filter(state=ItemState.SENDING).select_related("note").first()
    if under_way is not None:
        under_way.batch = batch
        return under_way
    if batch.stage == Stage.SENDING:
        why = _forbidden(batch)
        if why:
            halt(batch, why)
    if batch.stage != Stage.SENDING:
        finish(row, WorkState.DONE)
        return None
    item = batch.items.filter(state=ItemState.WAITING).select_related("note").order_by("position", "id").first()
    if item is None:
        end_batch(batch, Stage.DONE, "", None)
        finish(row, WorkState.DONE)
        return None
    item.batch, item.state, item.started_at = batch, ItemState.SENDING, timezone.now()
    item.save(update_fields=["state", "started_at"])
    return item


def _locked(row: ResendPass) -> ResendBatch:
    rows = ResendBatch.objects.select_for_update(of=("self",)).select_related("ticket", "integration", "requested_by")
    batch = rows.get(pk=row.batch_id)
    if not held(row):
        raise LeaseLost
    return batch


def _forbidden(batch: ResendBatch) -> str:
    """Say why nothing more may go out now, whatever was approved: settings and rights count at each note's turn."""
    one = batch.integration
    if not one.resend_allowed:
        return "Resending was switched off for this integration."
    if not one.active:
        return "The integration is not in use any more."
    if one.environment == Integration.Environment.PRODUCTION and batch.decided_by_id is None:
        return "The integration became a production one: prepare it anew, so that a second person can approve it."
    if batch.requested_by is None or not grants(batch.requested_by).has(Right.RESEND_NOTES, batch.facility_id):
        return "Who asked for it may not resend notes any more."
    return ""


def _carry_out(item: ResendItem, keeper: "_Keeper") -> Sent:
    """Look whether the plan still holds, then send; where an intent stands already, only read back."""
    case = _case(item)
    if not ResendAct.objects.filter(item=item).exists():
        return asyncio.run(_send(case, item, keeper))
    sent = asyncio.run(_look(case))
    return replace(
        sent, says=f"The worker was cut off while this note was sent, so it was only looked for. {sent.says}"
    )


async def _look(case: Case) -> Sent:
    door = open_door(case)
    now = plan(case, await survey(case, door=door))
    return await look(case, now, door=door)


async def _send(case: Case, item: ResendItem, keeper: "_Keeper") -> Sent:
    door = open_door(case)
    now = plan(case, await survey(case, door=door))
    if now.digest == item.digest:
        return await resend(case, now, approved=item.digest, door=door, once=keeper.once)
    seen = await look(case, now, door=door)
    if seen.found:
        return replace(seen, fate=Fate.ALREADY, says=f"Nothing was sent. {seen.says}")
    raise Changed(now)


class Changed(Exception):
    """What would be sent now is not what was prepared; nothing was sent."""

    def __init__(self, now: ResendPlan) -> None:
        self.says = now.refused or (
            "The note, its encounter or the settings changed since this was prepared, so that something else would be "
            "sent now. Prepare it anew and look at the differences."
        )
        super().__init__("changed")


class _Keeper:
    """Store a write's intent for the engine, from the event loop through one thread."""

    def __init__(self, row: ResendPass, item: ResendItem, lost: threading.Event) -> None:
        self.row, self.item, self.lost = row, item, lost
        self.rows = ThreadPoolExecutor(max_workers=1, thread_name_prefix="resend-rows")

    def once(self, act: str) -> bool:
        """Allow the write by storing its intent first; one that stands, of this or another resend, says no."""
        return self.rows.submit(self._intend, act).result()

    def close(self) -> None:
        """End the thread and its connection."""
        self.rows.submit(_close_connection).result()
        self.rows.shutdown()

    def _intend(self, act: str) -> bool:
        try:
            with transaction.atomic():
                batch = _locked(self.row)
                if batch.stage != Stage.SENDING or _forbidden(batch):
                    raise HeldBack
                if ends_of([self.item.note_id]).get(self.item.note_id, End.OPEN) != End.OPEN:
                    raise HeldBack
                ResendAct.objects.create(item=self.item, note_id=self.item.note_id, digest=act.rpartition(":")[2][:64])
                detail = {"ticket": batch.ticket.number, "resend": str(batch.pk)}
                record(by=None, action="resend.sent", subject=self.item, facility=batch.facility_id, detail=detail)
        except LeaseLost:
            self.lost.set()
            return False
        except IntegrityError:
            return False
        return True


def _close_connection() -> None:
    """Close the calling thread's own connection: the attribute must be looked up in that thread."""
    connection.close()


@transaction.atomic
def _put_back(row: ResendPass, item: ResendItem) -> None:
    """Let a note that was not sent wait again, or leave it where the resend or the note has ended."""
    batch = _locked(row)
    over = ends_of([item.note_id]).get(item.note_id, End.OPEN)
    if over != End.OPEN:
        says = f"Meanwhile somebody said how this note ended ({over.label.lower()}), so it was not sent."
        settle(item, batch, ItemState.LEFT, says)
        return
    back = ItemState.LEFT if batch.stage in ENDED_STAGES else ItemState.WAITING
    ResendItem.objects.filter(pk=item.pk).update(state=back, started_at=None)


@transaction.atomic
def _keep(row: ResendPass, item: ResendItem, sent: "Sent | Changed") -> None:
    """Keep what became of a note; a problem pauses the resend where that was asked for."""
    batch = _locked(row)
    if isinstance(sent, Changed):
        settle(item, batch, ItemState.CHANGED, sent.says)
    else:
        _settle(item, batch, ItemState(str(sent.fate)), sent)
    if wrong := _wrong(item, sent):
        halt(batch, wrong, always=isinstance(sent, Sent) and sent.elsewhere)


def _wrong(item: ResendItem, sent: "Sent | Changed") -> str:
    """Say what is wrong with a note's turn; empty where it went well."""
    where = f"Note {item.position}"
    if isinstance(sent, Sent) and sent.elsewhere:
        return f"{where} stands under another patient. Tell the EHR team at once."
    if isinstance(sent, Sent) and sent.found and sent.found > 1:
        return f"{where} stands at the EHR {sent.found} times. Have the extra ones withdrawn."
    return f"{where}: {ItemState(item.state).within}." if item.state in PROBLEMS else ""


def _settle(item: ResendItem, batch: ResendBatch, state: ItemState, sent: Sent) -> None:
    settle(
        item, batch, state, sent.says,
        in_chart=state in HELD_BY_EHR and bool(sent.found) and not sent.elsewhere, found=sent.found, at=sent.at,
        status=sent.status, ack=sent.ack, document_id=sent.document_id, request_id=sent.request_id, reason=sent.reason,
    )  # fmt: skip


def _case(item: ResendItem) -> Case:
    batch = item.batch
    return build_case(integration=batch.integration, note=item.note, ticket_id=batch.ticket_id)


# -- looking again -----------------------------------------------------------------------------------------------


def look_step(row: ResendPass, lost: threading.Event) -> float | None:
    """Look for one note again; nothing is written at the EHR, however often."""
    item = ResendItem.objects.select_related("note", "batch__integration", "batch__ticket").get(pk=row.item_id)
    case = _case(item)
    sent = asyncio.run(_look(case))
    if lost.is_set():
        raise LeaseLost
    with transaction.atomic():
        batch = _locked(row)
        item = ResendItem.objects.select_for_update(of=("self",)).select_related("note").get(pk=item.pk)
        item.looked_at = timezone.now()
        state = _after_look(item, sent)
        _settle(item, batch, state, sent)
        if state not in PROBLEMS:
            words = "looked for a resent note again: " + ("seen in the chart" if item.in_chart else "not seen yet")
            tell(batch, "looked", words, None, reference=item.note_id, item=str(item.pk))
        finish(row, WorkState.DONE)
    return None


def _after_look(item: ResendItem, sent: Sent) -> ItemState:
    """Give what a look says: what the EHR took stays taken, what was uncertain is found, absent or still unknown."""
    if item.state in HELD_BY_EHR:
        return ItemState(item.state)
    if sent.fate in SETTLED or sent.found:
        return ItemState.FOUND
    return ItemState.ABSENT if sent.fate == Fate.ABSENT else ItemState.UNKNOWN
