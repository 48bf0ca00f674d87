"""What a run saw from several places, side by side."""

import socket
from pathlib import Path

import pytest

from console.accounts.roles import Role
from console.diagnoses.models import FindingRow, Run
from console.diagnoses.services import execute
from console.health.places import CERTIFICATE, CONNECTION, NAME, places_of
from console.shared.work import WorkState
from diagnostics import case_folder
from diagnostics.evidence.network import (
    DnsAnswer,
    FaultSeen,
    SegmentReach,
    TcpConnect,
)
from diagnostics.practice import PracticeEhr
from diagnostics.practice import build_case as play
from tests.console.builders import a_department, a_facility, a_note, a_person, an_integration
from tests.console.health.looks import AT, SILENT, TARGET, a_run, add, from_here, looks_from, page_of, reached, text
from tests.console.pages.documents import logged_in
from tests.journeys.stage import take_over

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def engineer(facility):
    return a_person(facility, Role.INTEGRATION_ENGINEER)


@pytest.fixture
def line(facility):
    return an_integration(facility, settings={"fhir_base_url": "https://ehr.example/fhir", "timeout_s": 2.0})


def words(line) -> dict[str, list[tuple[str, str]]]:
    found = places_of(line, Run.objects.all())
    assert found is not None
    return {each.asked: [(cell.state, cell.word) for cell in each.cells] for each in found.lines}


def test_without_a_segment_the_page_says_how_to_get_one(facility, engineer, line) -> None:
    a_run(line, *from_here())
    assert "All probes ran from one place." in text(engineer, line)
    assert "an integration engineer does that" in text(a_person(facility), line)
    add(engineer, line, source_address="10.0.0.5")
    assert "No test has looked from the segments yet." in text(engineer, line)


def test_what_differs_is_marked_and_the_finding_quoted(engineer, line) -> None:
    looks_from(line, "satellite")
    run = a_run(line, *from_here(), SegmentReach(results=(reached("satellite", "tcp", SILENT),)))
    FindingRow.objects.create(
        facility_id=line.facility_id, run=run, step=4, position=0, check_id="net.segment.divergence", status="failed",
        title="x", content={"says": "Seen from here, it is reached; seen from satellite, the connection fails."},
    )  # fmt: skip
    assert words(line) == {NAME: [OK, OK], CONNECTION: [OK, ("failed", "timed out")], CERTIFICATE: [OK, OFF]}
    page = text(engineer, line)
    for shown in (
        "seen from satellite, the connection fails", "net.segment.divergence", TARGET, "FHIR server, token server",
        "no answer to the connection attempt", "there is no connection", "192.0.2.10", "TLSv1.3",
    ):  # fmt: skip
        assert shown in page, shown
    assert page.count('class="differs"') == 1


OK, OFF = ("passed", "ok"), ("not_applicable", "not looked")


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (reached("w"), [OK, OK, OK]),
        (reached("w", "dns", outcome="nxdomain"), [("failed", "no such name"), OFF, OFF]),
        (reached("w", "dns", outcome="timeout"), [("failed", "timed out"), OFF, OFF]),
        (reached("w", "tcp", FaultSeen("refused", "tcp")), [OK, ("failed", "refused"), OFF]),
        (reached("w", "tls", FaultSeen("tls", "tls", verify_code=19)), [OK, OK, ("failed", "not trusted")]),
        (reached("w", "tls", FaultSeen("tls", "tls", alert_received=True)), [OK, OK, ("failed", "refused")]),
        (reached("w", "policy", FaultSeen("policy", "policy")), [OK, OFF, OFF]),
        (reached("w", "place", FaultSeen("unreachable", "policy", "no such address here")), [OK, OFF, OFF]),
    ],
)
def test_each_end_has_its_word(line, seen, wanted) -> None:
    looks_from(line, "w")
    a_run(line, *from_here(), SegmentReach(results=(seen,)))
    found = words(line)
    assert [found[asked][1] for asked in (NAME, CONNECTION, CERTIFICATE)] == wanted


def test_a_fault_on_this_side_alone_is_marked_as_well(line) -> None:
    looks_from(line, "w")
    here = (
        DnsAnswer(**AT, outcome="found", addresses=("192.0.2.10",)),
        TcpConnect(**AT, fault=FaultSeen("refused", "tcp", "connection refused")),
    )
    a_run(line, *here, SegmentReach(results=(reached("w"),)))
    found = places_of(line, Run.objects.all())
    assert found is not None
    assert {each.asked: each.differs for each in found.lines} == {NAME: False, CONNECTION: True, CERTIFICATE: False}


def test_an_endpoint_in_the_clear_has_no_line_for_a_certificate(line) -> None:
    looks_from(line, "w")
    a_run(line, *from_here(used=False), SegmentReach(results=(reached("w"),)))
    assert set(words(line)) == {NAME, CONNECTION}


def test_the_newest_look_that_came_from_several_places_counts(line) -> None:
    looks_from(line, "w", "later")
    first = a_run(line, *from_here(), SegmentReach(results=(reached("w"),)))
    a_run(line, *from_here())
    a_run(line, SegmentReach(results=()))
    a_run(line, SegmentReach(results=(reached("later"),)), state=WorkState.RUNNING)
    found = places_of(line, Run.objects.all())
    assert found is not None
    assert [(each.name, each.at) for each in found.columns] == [(name, first.finished_at) for name in ("here", "w")]
    assert found.since == ("later",)
    looks_from(line)
    assert places_of(line, Run.objects.all()) is None


def test_a_look_made_for_a_closed_departments_note_is_not_shown(facility, line) -> None:
    looks_from(line, "satellite")
    note = a_note(line, department=a_department(facility, restricted=True))
    a_run(line, *from_here(), SegmentReach(results=(reached("satellite"),)), note=note)
    assert "No test has looked from the segments yet." in text(a_person(facility), line)


def test_evidence_of_another_release_costs_no_page(engineer, line) -> None:
    looks_from(line, "satellite")
    run = a_run(line, *from_here(), SegmentReach(results=(reached("satellite"),)))
    row = run.evidence.get(key="SegmentReach")
    row.content = {"kind": "diagnostics.evidence.network:SegmentReach", "data": {"results": 7}}
    row.save()
    assert "No test has looked" in text(engineer, line)


def _closed_udp() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@pytest.mark.django_db(transaction=True)
def test_a_real_test_looks_from_two_places_at_the_practice_ehr(facility, engineer, tmp_path: Path) -> None:
    with PracticeEhr(["north"]) as ehr:
        play(ehr, "north", None, tmp_path)
        case = case_folder.load(tmp_path)
        line, _ = take_over(facility, case, "North")
        add(engineer, line, name="satellite", source_address="127.0.0.2")
        add(engineer, line, name="attic", resolver=f"127.0.0.1:{_closed_udp()}")
        logged_in(engineer).post(f"{page_of(line)}test/")
        assert execute(Run.objects.get().id)
    line.refresh_from_db()
    found = places_of(line, Run.objects.all())
    assert found is not None
    assert [each.name for each in found.columns] == ["here", "satellite", "attic"]
    lines = {(each.asked, each.role): each for each in found.lines}
    assert {role for asked, role in lines if asked == CERTIFICATE} == {
        "token server, authorization server", "FHIR server", "key set",
    }  # fmt: skip
    for (asked, role), each in lines.items():
        if role:
            assert [cell.state for cell in each.cells[:2]] == ["passed", "passed"], each
            assert each.cells[2].word == ("timed out" if asked == NAME else "not looked"), each
            assert each.differs == (asked == NAME)
    assert found.finding is not None
    assert found.finding.status == "failed"
    page = text(engineer, line)
    assert f"{found.finding.content['says']} <code>net.segment.divergence</code>" in page.replace("&#x27;", "'")
    assert "Answer of the FHIR server" in page
    assert "from a segment only the way there is looked at" in page
