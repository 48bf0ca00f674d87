"""Kill the worker with -9 in the middle of a dropped file and of a pull: every row is stored, and once."""

import json
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from console.accounts.roles import Role
from console.integrations.tokens import source_of
from console.monitoring.audit_pulls import switch_on
from console.monitoring.drop_folder import look
from console.monitoring.models import AuditPull, DropFile
from console.notes.case_import import set_integration
from console.notes.models import LogEntry, LogImport
from console.shared.work import WorkState
from diagnostics import case_folder
from diagnostics.practice import build_case, running_practice
from tests.console.builders import a_facility, a_person, an_integration
from tests.faults.stack import sweeper, wait_for, worker

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
KILLS = 3
ROWS, BAD = 120_000, 120
EVENTS = 5000


def a_big_file(path: Path) -> None:
    at = timezone.now().replace(microsecond=0) - timedelta(days=1)
    with path.open("w", encoding="utf-8") as file:
        for number in range(ROWS):
            if number % (ROWS // BAD) == 7:
                file.write('{"at": "never", "event": "sent"}\n')
                continue
            row = {"at": (at + timedelta(milliseconds=number)).isoformat(), "event": "sent", "note_id": f"N-{number}",
                   "transaction_id": f"TX-{number}", "request_id": f"req-{number}", "site": "north"}  # fmt: skip
            file.write(json.dumps(row) + "\n")


def test_a_dropped_file_survives_its_workers(tmp_path: Path, monkeypatch: Any, settings: Any, capsys: Any) -> None:
    drop = tmp_path / "drop"
    for name, value in {"LOG_DROP_FOLDER": str(drop), "LOG_DROP_STEADY_S": "0"}.items():
        monkeypatch.setenv(name, value)
    settings.LOG_DROP_FOLDER, settings.LOG_DROP_STEADY_S = str(drop), 0.0
    source = source_of(an_integration(a_facility()))
    folder = drop / source.name / "scribe"
    folder.mkdir(parents=True)
    a_big_file(folder / "big.ndjson")
    look()
    told = []
    with sweeper(tmp_path):
        reached = 0
        for _ in range(KILLS):
            with worker(tmp_path) as doomed:
                wait_for("a further batch", lambda: LogImport.objects.filter(offset__gt=reached).exists())  # noqa: B023
                doomed.kill()
            made = LogImport.objects.get()
            assert made.state != LogImport.State.DONE, "the file was read before the worker could be killed"
            reached = made.offset
            told.append(f"killed at line {made.line}: {made.stored} stored, {made.quarantined} set aside")
        with worker(tmp_path):
            wait_for("the end of the import", lambda: DropFile.objects.get().state == WorkState.DONE)
    made = LogImport.objects.get()
    assert (made.rows, made.stored, made.duplicate, made.quarantined) == (ROWS, ROWS - BAD, 0, BAD)
    assert LogEntry.objects.count() == ROWS - BAD
    assert made.quarantined_lines.count() == BAD
    assert DropFile.objects.get().end == DropFile.End.SET_ASIDE
    assert sorted(path.name for path in (folder / "set-aside").iterdir()) == ["big.ndjson", "big.ndjson.reason.txt"]
    with capsys.disabled():
        print("\n" + "\n".join(told))


def test_a_pull_survives_its_workers(tmp_path: Path, capsys: Any) -> None:
    told = []
    with running_practice(("north",)) as ehr, sweeper(tmp_path), ExitStack() as alive:
        build_case(ehr, "north", None, tmp_path / "case")
        case = case_folder.load(tmp_path / "case")
        tenant = ehr.tenant("north")
        tenant.audit.clear()
        ehr.ledger.clear("north")
        for number in range(EVENTS):
            tenant.audit.write("filed", after_s=number - 3.0 * EVENTS, transaction_id=f"TX-{number}")
        integration = an_integration(a_facility())
        auth = replace(case.integration.auth, scopes=("system/AuditEvent.read",))
        set_integration(integration, replace(case, integration=replace(case.integration, auth=auth, timeout_s=20.0)))
        engineer = a_person(integration.facility, Role.INTEGRATION_ENGINEER)
        switch_on(integration=integration, every_minutes=60, by=engineer)
        ehr.latency_s = 0.1  # leaves time to kill between two pages
        doomed = alive.enter_context(worker(tmp_path))
        for _ in range(KILLS - 1):
            asked = len(tenant.ledger.entries("north", "fhir"))
            wait_for("some pages", lambda: len(tenant.ledger.entries("north", "fhir")) >= asked + 12)  # noqa: B023
            doomed.kill()
            row = AuditPull.objects.get()
            assert row.worked_at is None, "the pull ended before the worker could be killed"
            told.append(
                f"killed after {asked + 12} pages: {LogEntry.objects.count()} rows up to {row.last_seen:%H:%M:%S}"
            )
            doomed = alive.enter_context(worker(tmp_path))
        wait_for("the end of the pull", lambda: AuditPull.objects.get().worked_at is not None)
        assert {entry.method for entry in tenant.ledger.entries("north", "fhir")} == {"GET"}
    stored = [row.sealed["transaction_id"] for row in LogEntry.objects.filter(log="ehr")]
    assert len(stored) == EVENTS and set(stored) == {f"TX-{number}" for number in range(EVENTS)}
    row = AuditPull.objects.get()
    assert (row.state, row.failures, row.resume_at) == (WorkState.QUEUED, 0, None)
    assert sum(LogImport.objects.values_list("stored", flat=True)) == EVENTS
    with capsys.disabled():
        print("\n" + "\n".join(told))
