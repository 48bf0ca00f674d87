"""Every fault of the practice EHR, from its ticket through a Celery worker's real network calls to the stored cause."""

from pathlib import Path

import pytest

from console.shared.work import WorkState
from diagnostics import case_folder
from diagnostics.practice import FAULTS, VARIATIONS, PracticeEhr, build_case, running_practice
from tests.faults.stack import sweeper, worker
from tests.journeys.stage import a_place, ended, open_for

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

PLAIN_HEALTH = "plain-health"
STORIES = (*FAULTS, PLAIN_HEALTH, *VARIATIONS)
SEEDS = {"plain": None, "randomised": 20261123}


def expected(story: str) -> tuple[str, str, str]:
    """Say what the run must have stored: cause, category, failure mode."""
    fault = FAULTS.get(story)
    return (fault.cause, fault.category, fault.failure_mode) if fault else ("", "", "delivered")


def played(ehr: PracticeEhr, story: str, folder: Path) -> case_folder.Case:
    """Play a story in a tenant of its own, so that no fault disturbs another's diagnosis."""
    build_case(ehr, story, None if story == PLAIN_HEALTH else story, folder)
    return case_folder.load(folder)


@pytest.mark.parametrize("texts", SEEDS)
def test_every_fault_is_found_by_a_worker_and_health_is_left_alone(texts: str, tmp_path: Path, capsys) -> None:
    assert len(FAULTS) >= 45
    with running_practice(STORIES, randomize=SEEDS[texts]) as ehr, sweeper(tmp_path), worker(tmp_path, concurrency=2):
        place = a_place()
        tickets, before = [], {}
        for story in STORIES:
            case = played(ehr, story, tmp_path / story)
            before[story] = len(ehr.ledger.entries(story))
            tickets.append(open_for(place, case, story))
        runs = ended(tickets)
        reached = {story for story in STORIES if len(ehr.ledger.entries(story)) > before[story]}
    wrong = {}
    for story, ticket, run in zip(STORIES, tickets, runs, strict=True):
        ticket.refresh_from_db()
        found = (run.cause, run.category, run.failure_mode)
        shown = (ticket.cause, ticket.category, ticket.failure_mode)
        if run.state != WorkState.DONE or found != expected(story) or shown != found:
            wrong[story] = (run.state, run.error, found, shown, expected(story))
    right = sum(story not in wrong for story in FAULTS)
    healthy = len(STORIES) - len(FAULTS)
    causes = sum(bool(run.cause) for story, run in zip(STORIES, runs, strict=True) if story not in FAULTS)
    with capsys.disabled():
        print(f"\nFAULTS {right} of {len(FAULTS)} ({texts}); causes on {healthy} healthy variations: {causes}")
    assert not wrong, wrong
    well = {name for name, variation in VARIATIONS.items() if variation.protocol == "fhir"}
    assert well <= reached, f"the workers never called {sorted(well - reached)}"
