"""The dry run: find out for each note what would be sent, by reading alone, and keep it for people to look at."""

import asyncio
import threading
import time

from django.db import transaction

from console.diagnoses.cases import build_case
from console.diagnoses.probing import open_door
from console.resends.earlier import Earlier, earlier_of
from console.resends.models import ItemState, ResendBatch, ResendItem, ResendPass, Stage
from console.resends.shape import shape_of
from console.shared.work import LeaseLost, WorkState, finish, held
from diagnostics.case import Case
from diagnostics.resend import ResendPlan, plan, survey

SLICE_S = 15.0  # a task that goes on longer hands the rest to whoever is free


def prepare_step(row: ResendPass, lost: threading.Event) -> float | None:
    """Plan notes for a while; give when to go on, None once all are planned."""
    batch = ResendBatch.objects.select_related("integration", "ticket").get(pk=row.batch_id)
    began = time.monotonic()
    while time.monotonic() - began < SLICE_S:
        item = batch.items.filter(state=ItemState.PLANNING).select_related("note").order_by("position", "id").first()
        if item is None or batch.stage != Stage.PREPARING:
            _end(row)
            return None
        before = earlier_of([item.note_id]).get(item.note_id)
        if before is None or not before.refused:
            case = build_case(integration=batch.integration, note=item.note, ticket_id=batch.ticket_id)
            planned = asyncio.run(_plan(case))
        else:
            planned = ResendPlan(None, refused=before.refused)
        if lost.is_set():
            raise LeaseLost
        _keep(row, item, planned, before)
        batch.refresh_from_db(fields=["stage"])
    return 0.0


async def _plan(case: Case) -> ResendPlan:
    return plan(case, await survey(case, door=open_door(case)))


@transaction.atomic
def _keep(row: ResendPass, item: ResendItem, planned: ResendPlan, before: Earlier | None) -> None:
    if not held(row):
        raise LeaseLost
    possible = planned.way is not None
    item.state = ItemState.PLANNED if possible else ItemState.NOT_POSSIBLE
    item.way, item.digest = str(planned.way or ""), planned.digest
    item.repeats = before.item if before is not None and possible else None
    item.body = planned.body if possible else None
    item.plan = {
        "refused": planned.refused,
        "method": planned.method,
        "url": planned.url,
        "headers": [list(pair) for pair in planned.headers],
        "content_type": planned.content_type,
        "size": len(planned.body),
        "shape": shape_of(planned.body) if possible else "",
        "differences": [
            {"where": each.where, "before": each.before, "after": each.after, "why": each.why}
            for each in planned.differences
        ],
        "looks_for": planned.looks_for,
        "warning": planned.warning,
    }
    item.save()


@transaction.atomic
def _end(row: ResendPass) -> None:
    batch = ResendBatch.objects.select_for_update(of=("self",)).get(pk=row.batch_id)
    if not held(row):
        raise LeaseLost
    if batch.stage == Stage.PREPARING:
        batch.stage = Stage.READY
        batch.save(update_fields=["stage"])
    finish(row, WorkState.DONE)
