"""Running one step again asks the EHR only for what that step looks at; what the others saw still stands."""

from pathlib import Path

import pytest

from console.diagnoses.services import execute
from console.shared.work import WorkState
from console.tickets.services import request_run
from diagnostics import case_folder
from diagnostics.practice import build_case, running_practice
from tests.journeys.stage import a_place, open_for

pytestmark = pytest.mark.django_db(transaction=True)


def test_only_the_probes_of_that_step_are_made_again(tmp_path: Path) -> None:
    with running_practice(("north",)) as ehr:
        build_case(ehr, "north", "auth-key-not-published", tmp_path)
        ticket = open_for(a_place(), case_folder.load(tmp_path), "North")
        assert execute(ticket.run_id)
        ticket.refresh_from_db()
        assert ticket.cause == "auth.assertion.kid"

        ehr.set_faults("north", set())
        before = {entry.service for entry in ehr.ledger.entries("north")}
        count = len(ehr.ledger.entries("north"))
        again = request_run(ticket=ticket, by=None, steps=[1])
        assert execute(again.pk)
        again.refresh_from_db()
        asked = ehr.ledger.entries("north")[count:]

    assert again.state == WorkState.DONE
    assert again.document is not None
    assert before
    looked_at = {entry.target.split("?")[0].rsplit("/", 1)[-1] for entry in asked if entry.target}
    assert any("token" in name for name in looked_at)
    assert "metadata" not in looked_at, "step 2 was asked again although only step 1 was wanted"
    checks = {check["id"]: check["status"] for step in again.document["steps"] for check in step["checks"]}
    assert checks["auth.assertion.kid"] == "passed"
