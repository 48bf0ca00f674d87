"""The durable work frame: one holder at a time, late ones refused, the lost found again."""

import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from console.diagnoses.models import Run
from console.diagnoses.services import request_run
from console.shared.work import WorkState, claim, finish, held, lease, sweep, try_again, work_models
from tests.console.builders import a_facility, a_ticket, an_integration

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run() -> Run:
    return request_run(integration=an_integration(a_facility()), offline=True)


def let_the_lease_end(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_only_one_of_many_claims_at_once_gets_the_row(run) -> None:
    got = []
    start = threading.Barrier(8)

    def take() -> None:
        start.wait()
        got.append(claim(Run, run.pk))
        connection.close()

    threads = [threading.Thread(target=take) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(row is not None for row in got) == 1


def test_a_held_row_is_given_to_nobody_else_until_its_lease_ends(run) -> None:
    first = claim(Run, run.pk)
    assert first is not None and claim(Run, run.pk) is None
    let_the_lease_end(run)
    second = claim(Run, run.pk)
    assert second is not None and second.fence > first.fence


def test_the_late_one_cannot_finish_what_another_holds(run) -> None:
    late = claim(Run, run.pk)
    let_the_lease_end(run)
    holder = claim(Run, run.pk)
    assert not finish(late, WorkState.DONE)
    assert finish(holder, WorkState.DONE)
    assert not finish(holder, WorkState.FAILED), "a row ends once"
    assert Run.objects.get(pk=run.pk).state == WorkState.DONE


def test_a_done_row_is_never_claimed_again(run) -> None:
    finish(claim(Run, run.pk), WorkState.DONE)
    assert claim(Run, run.pk) is None


def test_a_row_given_back_waits_for_its_time(run) -> None:
    assert try_again(claim(Run, run.pk), after_s=60, error="Away")
    assert claim(Run, run.pk) is None
    Run.objects.filter(pk=run.pk).update(due_at=timezone.now())
    assert claim(Run, run.pk) is not None


def test_the_lease_is_renewed_while_the_work_goes_on(run, settings) -> None:
    settings.WORK_LEASE_S = 0.4
    row = claim(Run, run.pk)
    first = row.lease_until
    with lease(row, budget_s=30):
        deadline = timezone.now() + timedelta(seconds=20)
        while Run.objects.get(pk=run.pk).lease_until == first:
            assert timezone.now() < deadline, "the lease was never renewed"
    from django.db import transaction

    with transaction.atomic():
        assert held(row)


def test_losing_the_lease_is_told_to_the_worker(run, settings) -> None:
    settings.WORK_LEASE_S = 0.4
    row = claim(Run, run.pk)
    with lease(row, budget_s=30) as lost:
        Run.objects.filter(pk=run.pk).update(fence=row.fence + 1)
        assert lost.wait(20)


def test_the_sweeper_rings_for_a_row_whose_worker_died(run) -> None:
    claim(Run, run.pk)
    assert sweep()["rung"] == 0, "a held row is left alone"
    let_the_lease_end(run)
    Run.objects.filter(pk=run.pk).update(rung_at=None, created_at=timezone.now() - timedelta(minutes=1))
    assert sweep()["rung"] == 1
    assert sweep()["rung"] == 0, "a bell just rung is not rung again at once"


def test_a_row_in_a_long_queue_is_rung_ever_more_rarely_and_never_forgotten(run) -> None:
    def rung(*, waited_s: float, since_s: float) -> int:
        now = timezone.now()
        rung_at = now - timedelta(seconds=since_s)
        Run.objects.filter(pk=run.pk).update(rung_at=rung_at, due_at=rung_at - timedelta(seconds=waited_s))
        return sweep()["rung"]

    assert rung(waited_s=0.5, since_s=3) == 1, "its first bell may have been lost"
    assert rung(waited_s=20, since_s=3) == 0, "it stands in a queue"
    assert rung(waited_s=20, since_s=21) == 1
    assert rung(waited_s=3600, since_s=61) == 1, "a minute is the longest"


def test_work_that_always_kills_its_worker_ends_and_its_ticket_moves_on() -> None:
    integration = an_integration(a_facility())
    ticket = a_ticket(integration, diagnose=True)
    assert ticket.run is not None or Run.objects.filter(ticket_id=ticket.id).exists()
    run = Run.objects.get(ticket_id=ticket.id)
    for _ in range(run.max_attempts):
        assert claim(Run, run.pk) is not None
        let_the_lease_end(run)
    assert claim(Run, run.pk) is None
    assert sweep()["gave_up"] == 1
    run.refresh_from_db()
    ticket.refresh_from_db()
    assert (run.state, ticket.state) == (WorkState.GAVE_UP, "diagnosed")


def test_a_broker_that_is_away_loses_no_work() -> None:
    integration = an_integration(a_facility())
    # In a process of its own, because this one has a connection to its broker already.
    code = (
        "from console.integrations.models import Integration\n"
        "from console.diagnoses.services import request_run\n"
        f"request_run(integration=Integration.objects.get(pk='{integration.pk}'), offline=True)\n"
    )
    environment = {"DJANGO_SETTINGS_MODULE": "console.settings", "BROKER_URL": "amqp://127.0.0.1:1//"}
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    row = Run.objects.get(integration=integration)
    assert (row.state, row.rung_at) == (WorkState.QUEUED, None)


def test_the_sweeper_command_sweeps_once_and_ends(run) -> None:
    Run.objects.filter(pk=run.pk).update(rung_at=None, created_at=timezone.now() - timedelta(minutes=1))
    call_command("sweeper", "--once")
    assert Run.objects.get(pk=run.pk).rung_at is not None


def test_every_work_model_names_a_task_that_exists() -> None:
    from console.celery import app

    app.loader.import_default_modules()  # as a worker does: every app's tasks
    assert work_models()
    for model in work_models():
        assert model.task_name in app.tasks
