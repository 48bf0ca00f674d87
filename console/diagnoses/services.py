"""Ask for runs and carry them out."""

import logging
import uuid

from django.conf import settings
from django.db import transaction

from console.accounts.models import User
from console.diagnoses.conclusions import tell
from console.diagnoses.models import Purpose, Run
from console.integrations.models import Integration
from console.notes.models import Note
from console.shared.work import LeaseLost, WorkState, claim, finish, lease, ring, try_again

log = logging.getLogger(__name__)


@transaction.atomic
def request_run(
    *,
    integration: Integration,
    note: Note | None = None,
    ticket_id: uuid.UUID | None = None,
    by: User | None = None,
    steps: list[int] | None = None,
    segment: str = "",
    offline: bool = False,
    writes: bool = True,
    purpose: Purpose = Purpose.DIAGNOSIS,
) -> Run:
    """Queue a run; its worker is rung when the transaction commits. Without `writes` no canary is written.

    A run that only tries one thing (`purpose`) makes the probes of its steps and what they need, all of them anew.
    """
    run = Run.objects.create(
        facility_id=integration.facility_id,
        integration=integration,
        note=note,
        ticket_id=ticket_id,
        requested_by=by,
        steps=sorted(set(steps or [])),
        segment=segment,
        queue=f"segment_{segment}" if segment else "default",
        offline=offline,
        writes=writes,
        purpose=purpose,
    )
    ring(run)
    return run


def execute(run_id: uuid.UUID | str) -> bool:
    """Carry out a run if it is due and nobody has it; tell whether this call ended it.

    May be called twice, at once or after a crash: the claim decides, stored evidence is used again, and an act that
    was begun is never repeated.
    """
    from console.diagnoses.engine_run import diagnose_run  # the engine is for workers: web processes never load it

    run = claim(Run, run_id)
    if run is None:
        return False
    try:
        with lease(run, budget_s=settings.RUN_BUDGET_S * 2) as lost:
            return diagnose_run(run, lost)
    except LeaseLost:
        log.info("run %s goes on elsewhere", run.id)
        return False
    except Exception as problem:
        # The message may quote the case; only the kind of failure leaves this process.
        log.exception("run %s failed in attempt %s", run.id, run.attempt)
        return _after_failure(run, type(problem).__name__)


@transaction.atomic
def _after_failure(run: Run, error: str) -> bool:
    if run.attempt < run.max_attempts:
        try_again(run, after_s=min(30, 2**run.attempt), error=error)
        return False
    ended = finish(run, WorkState.FAILED, error=error)
    if ended:
        run.refresh_from_db()
        tell(run)
    return ended
