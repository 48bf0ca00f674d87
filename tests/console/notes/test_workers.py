"""Several processes that share a large correlation tell what one tells, wherever they find the database."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import transaction

from console.notes.correlation import correlate_all, slices
from console.notes.models import ClockOffset, CorrelationState, LogBatch, Note, Trace
from tests.benchmarks.two_logs import easy
from tests.console.builders import a_facility, an_integration
from tests.console.notes.logs import differences, rows_in, store, told

pytestmark = pytest.mark.django_db(transaction=True)
ROOT = Path(__file__).resolve().parents[3]
NOTES, A_DAY = 150, 50


@pytest.fixture
def integration(tmp_path: Path, monkeypatch):
    """Give an integration with the rows of three days, and what one process tells of them."""
    integration = an_integration(a_facility())
    monkeypatch.setattr(easy, "NOTES_A_DAY", A_DAY)
    easy.write(NOTES, tmp_path)
    store(integration, rows_in(tmp_path))
    return integration


@pytest.fixture
def by_one(integration):
    """Give what one process tells, and let it be forgotten again."""
    assert correlate_all(integration=integration).notes >= NOTES
    found = told(integration)
    for model in (Trace, Note, ClockOffset, CorrelationState):
        model.objects.all().delete()
    LogBatch.objects.update(correlated_at=None)
    return found


@pytest.fixture
def others_work(monkeypatch) -> None:
    """Let this process tell no part itself."""

    def never(*_: object) -> None:
        raise AssertionError("this process tells a part itself")

    monkeypatch.setattr(slices, "tell_part", never)


def test_two_workers_tell_what_one_tells(integration, by_one, others_work) -> None:
    assert correlate_all(integration=integration, workers=2).notes >= NOTES
    assert differences(by_one, told(integration)) == []
    note = Note.objects.order_by("generated_at").first()
    assert note.external_id.startswith("N-"), "made by another process, with this facility's keys"


def test_the_command_shares_its_work_too(integration, by_one) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    command = [sys.executable, str(ROOT / "manage.py"), "correlate", "--workers", "2", "--json"]
    ran = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, timeout=300, check=False)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert json.loads(ran.stdout)["notes"] >= NOTES
    assert differences(by_one, told(integration)) == []


def test_rows_that_are_not_committed_are_told_by_the_process_that_holds_them(integration, by_one) -> None:
    with transaction.atomic():
        assert correlate_all(integration=integration, workers=2).notes >= NOTES
    assert differences(by_one, told(integration)) == []
