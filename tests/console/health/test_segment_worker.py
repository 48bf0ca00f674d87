"""A test made by the worker that stands in a segment."""

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.diagnoses.models import Heartbeat, Run
from console.diagnoses.workers import note_heartbeat
from console.health.places import FHIR_ANSWER, places_of
from console.integrations.models import Segment as Station
from console.shared.work import WorkState
from diagnostics.evidence.fhir import Metadata
from diagnostics.evidence.network import (
    HttpAnswer,
)
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.health.looks import TARGET, a_run, from_here, page_of, text
from tests.console.pages.documents import logged_in
from tests.faults.stack import Process, sweeper, wait_for

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def line(facility):
    return an_integration(facility, settings={"fhir_base_url": "https://ehr.example/fhir", "timeout_s": 2.0})


@pytest.fixture
def stands(facility):
    """Open a segment in which a worker was seen just now."""
    call_command("open_segment", facility.slug, "pier", name="Pier", stdout=StringIO())
    note_heartbeat("segment_pier")
    return Station.objects.get(facility=facility)


def asked(person, line, place: str) -> Any:
    return logged_in(person).post(f"{page_of(line)}test/", {"from": place}, follow=True).content.decode()


def test_a_test_is_made_by_the_worker_that_stands_there(facility, line, stands) -> None:
    desk = a_person(facility)
    assert '<option value="pier">Pier</option>' in text(desk, line)
    assert "Waiting for a worker in Pier." in asked(desk, line, "pier")
    run = Run.objects.get()
    assert (run.segment, run.queue) == ("pier", "segment_pier")
    assert AuditEntry.objects.get(action="integration.tested").detail["segment"] == "pier"
    assert "Test now" in text(desk, line), "a test that waits elsewhere holds none up here"
    asked(desk, line, "")
    asked(desk, line, "pier")
    assert sorted(Run.objects.values_list("segment", flat=True)) == ["", "pier"]


def test_a_place_without_a_living_worker_of_this_facility_is_not_offered_and_refused(facility, line, stands) -> None:
    desk = a_person(facility)
    Heartbeat.objects.update(at=timezone.now() - timedelta(minutes=5))
    assert 'name="from"' not in text(desk, line)
    assert "no worker was seen in Pier lately" in asked(desk, line, "pier")
    note_heartbeat("segment_pier")
    foreign = an_integration(a_facility())
    assert "this facility has no such segment" in asked(a_person(foreign.facility), foreign, "pier")
    assert "this facility has no such segment" in asked(desk, line, "attic")
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("address", "way", "made"),
    [
        ("http://ehr.example/fhir", {"proxy": "http://proxy.example:3128"}, False),
        ("http://ehr.example/fhir", {"resolver": "10.0.0.53:53"}, False),
        ("http://ehr.example/fhir", {"source_address": "10.0.0.5"}, True),
        ("https://ehr.example/fhir", {"proxy": "http://proxy.example:3128"}, True),
    ],
)
def test_a_segments_proxy_is_no_way_to_read_the_secrets(facility, line, stands, address, way, made) -> None:
    line.settings = {"fhir_base_url": address, "segments": [{"name": "Pier", **way}]}
    line.secrets = {"auth.client_secret": "planted"}
    line.save()
    page = asked(a_person(facility), line, "pier")
    assert ("secrets would be readable" not in page) == made
    assert Run.objects.exists() == made


def test_what_its_own_worker_saw_stands_beside_what_was_seen_from_here(facility, line, stands) -> None:
    answer = HttpAnswer("GET", "https://ehr.example/fhir/metadata", 200)
    a_run(line, *from_here(), Metadata(answer=answer), finished_at=timezone.now() - timedelta(hours=2))
    assert places_of(line, Run.objects.all()) is None
    blocked = Metadata(answer=HttpAnswer("GET", "https://ehr.example/fhir/metadata", 407))
    there = a_run(line, *from_here(), blocked, segment="pier")
    found = places_of(line, Run.objects.all())
    assert found is not None
    assert [(each.name, each.own_worker) for each in found.columns] == [("here", False), ("Pier", True)]
    assert found.columns[1].at == there.finished_at
    last = found.lines[-1]
    assert (last.asked, last.host, last.differs) == (FHIR_ANSWER, TARGET, True)
    assert [cell.word for cell in last.cells] == ["ok", "status 407"]
    assert "The places differ on 1 line." in text(a_person(facility), line)


@pytest.mark.fault
@pytest.mark.django_db(transaction=True)
def test_a_real_worker_of_a_segment_is_seen_takes_its_test_and_leaves_others_alone(
    facility, line, stands, tmp_path: Path
) -> None:
    Heartbeat.objects.all().delete()
    line.settings = {"fhir_base_url": "http://127.0.0.1:9/fhir"}
    line.save()
    desk = a_person(facility)
    process = Process(tmp_path / "worker.log", "worker", "--concurrency", "1", "--queues", "segment_pier")
    try:
        wait_for("its sign of life", lambda: Heartbeat.objects.filter(queue="segment_pier").exists())
        asked(desk, line, "")
        asked(desk, line, "pier")
        with sweeper(tmp_path):
            wait_for("its test", lambda: Run.objects.filter(segment="pier", state=WorkState.DONE).exists())
    finally:
        process.end()
    assert Run.objects.get(segment="").state == WorkState.QUEUED
    document = Run.objects.get(segment="pier").document
    assert document["seen_from"] == "pier"
