"""A planted name and a planted secret reach neither the queue's tables nor a worker's log nor the document."""

import json
import os
import random
import subprocess
import sys

import psycopg
import pytest

from console.accounts.services import open_facility
from console.diagnoses.models import Run
from console.diagnoses.services import request_run
from console.integrations.models import Integration
from console.notes.case_import import keep_case_note, keep_logs, keep_snapshots, set_integration
from console.shared.work import WorkState
from diagnostics import case_folder
from diagnostics.practice.case_builder import build_case
from diagnostics.practice.server import running_practice
from tests.faults.stack import ROOT, sweeper, wait_for, worker

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

NAME = "Ottoline Featherstonehaugh"


def dump(url: str) -> str:
    """Give every row of a database as text."""
    told = []
    with psycopg.connect(url) as owner:
        names = owner.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for (name,) in names:
            told += [str(row) for row in owner.execute(f"SELECT t::text FROM {name} t".encode()).fetchall()]
    return "\n".join(told)


def test_a_run_leaves_ids_only_behind(tmp_path, postgres) -> None:
    with running_practice(("north",)) as ehr:
        build_case(ehr, "north", "auth-client-secret-wrong", tmp_path / "case", seed=4)
        path = tmp_path / "case" / "case.json"
        told = json.loads(path.read_text(encoding="utf-8"))
        secret = told["integration"]["auth"]["client_secret"] = "planted-secret-90210"
        told["note"]["patient_id"] = NAME
        path.write_text(json.dumps(told), encoding="utf-8")
        (tmp_path / "case" / told["note"]["narrative"]).write_text(f"Plan: call {NAME} tomorrow.", encoding="utf-8")
        case = case_folder.load(tmp_path / "case")
        facility = open_facility(slug=f"planted-{random.getrandbits(32):08x}", name="Planted")
        integration = Integration.objects.create(facility=facility, name="P", vendor="generic", protocol="fhir")
        set_integration(integration, case)
        keep_snapshots(integration, case)
        keep_logs(integration, case)
        note = keep_case_note(integration, case, department=None)
        run = request_run(integration=integration, note=note)

        # Rung into the real queue while nobody listens: the message stays where it can be read.
        code = "from console.diagnoses.models import Run; from console.shared.work import ring\n"
        code += f"ring(Run.objects.get(pk='{run.pk}'))"
        environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "console.settings"}
        subprocess.run(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", code], cwd=ROOT, env=environment, check=True
        )
        message = dump(postgres.url("postgres", "queue"))
        assert str(run.pk) in message
        assert NAME not in message and secret not in message

        with sweeper(tmp_path), worker(tmp_path):
            wait_for("the end of the run", lambda: Run.objects.get(pk=run.pk).state == WorkState.DONE)
    document = json.dumps(Run.objects.get(pk=run.pk).document)
    assert Run.objects.get(pk=run.pk).cause == "auth.client.invalid"
    logs = "".join(log.read_text(encoding="utf-8", errors="replace") for log in tmp_path.glob("*.log"))
    everything = dump(postgres.url("postgres"))
    for planted in (NAME, secret):
        for place, text in {"document": document, "logs": logs, "tables": everything, "queue": message}.items():
            assert planted not in text, place
            assert planted.encode().hex() not in text, place
