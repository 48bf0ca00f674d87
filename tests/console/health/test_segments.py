"""The segments of an integration: kept, refused with a reason, looked from, and laid side by side."""

import socket
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.diagnoses.cases import build_case
from console.diagnoses.models import EvidenceRow, FindingRow, Run
from console.diagnoses.services import execute
from console.health.places import CERTIFICATE, CONNECTION, NAME, places_of
from console.integrations.models import Integration
from console.integrations.segments import MOST
from console.shared.work import WorkState
from diagnostics import case_folder
from diagnostics.case import Segment
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.codec import encode
from diagnostics.evidence.network import DnsAnswer, FaultSeen, Reached, SegmentReach, TcpConnect, TlsHandshake
from diagnostics.practice import PracticeEhr
from diagnostics.practice import build_case as play
from tests.console.builders import a_department, a_facility, a_note, a_person, an_integration
from tests.console.pages.documents import logged_in
from tests.journeys.stage import take_over

pytestmark = pytest.mark.django_db

TARGET = "ehr.example:443"
AT = {"host": "ehr.example", "port": 443, "roles": ("fhir", "token")}
SILENT = FaultSeen("timeout_connect", "tcp", "no answer to the connection attempt")


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def engineer(facility):
    return a_person(facility, Role.INTEGRATION_ENGINEER)


@pytest.fixture
def line(facility):
    return an_integration(facility, settings={"fhir_base_url": "https://ehr.example/fhir", "timeout_s": 2.0})


def page_of(line) -> str:
    return f"/integrations/{line.id}/"


def text(person, line) -> str:
    answer = logged_in(person).get(page_of(line))
    assert answer.status_code == 200
    return answer.content.decode()


def add(person, line, **entered: str) -> Any:
    return logged_in(person).post(f"{page_of(line)}segments/add/", {"name": "Satellite", **entered})


def kept(line) -> list[dict[str, str]]:
    return Integration.objects.get(pk=line.pk).settings.get("segments", [])


# -- kept and refused --------------------------------------------------------------------------------------------------


def test_a_segment_is_added_reaches_the_case_and_is_removed(engineer, line) -> None:
    entered = {"source_address": " 10.20.0.5 ", "proxy": "proxy.example:3128", "resolver": "10.20.0.53"}
    assert add(engineer, line, name="  Satellite   site ", **entered).status_code == 302
    wanted = Segment("Satellite site", "10.20.0.5", "http://proxy.example:3128", "10.20.0.53:53")
    line.refresh_from_db()
    assert build_case(integration=line, note=None).integration.segments == (wanted,)
    assert line.settings["timeout_s"] == 2.0
    page = text(engineer, line)
    for shown in ("Satellite site", "10.20.0.5", "http://proxy.example:3128", "10.20.0.53:53"):
        assert shown in page
    gone = logged_in(engineer).post(f"{page_of(line)}segments/remove/", {"name": "Satellite site"})
    assert gone.status_code == 302
    line.refresh_from_db()
    assert "segments" not in line.settings
    assert line.settings["fhir_base_url"] == "https://ehr.example/fhir"
    again = logged_in(engineer).post(f"{page_of(line)}segments/remove/", {"name": "Satellite site"})
    assert again.status_code == 302
    rows = list(AuditEntry.objects.filter(action__startswith="segment.").order_by("at", "id"))
    assert [(row.action, row.who) for row in rows] == [("segment.added", engineer), ("segment.removed", engineer)]
    assert rows[0].detail == {"segment": "Satellite site", "set": ["source_address", "proxy", "resolver"]}


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        ("source_address", "::1", "::1"),
        ("proxy", "http://10.0.0.9", "http://10.0.0.9:3128"),
        ("proxy", "http://[fd00::9]:8080/", "http://[fd00::9]:8080"),
        ("resolver", "10.0.0.53:5353", "10.0.0.53:5353"),
        ("resolver", "fd00::53", "[fd00::53]:53"),
        ("resolver", "[fd00::53]", "[fd00::53]:53"),
        ("resolver", "[fd00::53]:5353", "[fd00::53]:5353"),
    ],
)
def test_a_way_out_is_stored_as_the_engine_reads_it(engineer, line, field, value, stored) -> None:
    assert add(engineer, line, **{field: value}).status_code == 302
    assert kept(line) == [{"name": "Satellite", field: stored}]


@pytest.mark.parametrize(
    ("entered", "says"),
    [
        ({"name": ""}, "Name: give the segment a name."),
        ({"name": "x" * 61, "source_address": "10.0.0.5"}, "Name: at most 60 characters."),
        ({}, "Say how this segment leaves"),
        ({"name": "Here", "source_address": "10.0.0.5"}, "Name: “here” is the place NoteTrace itself stands in."),
        ({"source_address": "10.0.0.256"}, "Source address: write an IP address"),
        ({"source_address": "satellite.example"}, "Source address: write an IP address"),
        ({"source_address": "0.0.0.0"}, "Source address: no machine can send from this address."),
        ({"source_address": "224.0.0.1"}, "Source address: no machine can send"),
        ({"proxy": "socks5://proxy.example:1080"}, "Proxy: write an address such as"),
        ({"proxy": "https://proxy.example:3128"}, "Proxy: NoteTrace speaks http to a proxy"),
        ({"proxy": "http://nurse:planted-pw@proxy.example:3128"}, "Proxy: write no user or password"),
        ({"proxy": "http://proxy.example:99999"}, "Proxy: write an address such as"),
        ({"proxy": "http://proxy.example:3128/path"}, "Proxy: write an address such as"),
        ({"proxy": "http://"}, "Proxy: write an address such as"),
        ({"resolver": "dns.example:53"}, "DNS server: write its IP address and port"),
        ({"resolver": "10.0.0.53:0"}, "DNS server: a port is a number from 1 to 65535."),
        ({"resolver": "10.0.0.53:dns"}, "DNS server: a port is a number"),
        ({"resolver": "[10.0.0.53"}, "DNS server: "),
    ],
)
def test_what_cannot_be_is_refused_by_the_name_of_its_field_and_nothing_entered_is_lost(
    engineer, line, entered, says
) -> None:
    entered = {"name": "Kept name"} | entered
    answer = add(engineer, line, **entered)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert says in page
    assert f'value="{entered["name"]}"' in page
    assert kept(line) == []
    assert not AuditEntry.objects.filter(action="segment.added").exists()


@pytest.mark.parametrize("second", ["Satellite site", "satellite SITE", "Satellite-Site", "Satellite_site"])
def test_a_name_is_given_once_because_its_worker_is_found_by_it(engineer, line, second) -> None:
    add(engineer, line, name="Satellite site", source_address="10.0.0.5")
    again = add(engineer, line, name=second, source_address="10.0.0.6")
    assert again.status_code == 422
    assert "Name: " in again.content.decode()
    assert len(kept(line)) == 1


def test_there_are_only_as_many_as_a_test_can_look_from(engineer, line) -> None:
    for number in range(MOST):
        assert add(engineer, line, name=f"Site {number}", source_address=f"10.0.0.{number}").status_code == 302
    assert add(engineer, line, source_address="10.0.1.1").status_code == 422
    assert len(kept(line)) == MOST
    assert "Add a segment" not in text(engineer, line)


@pytest.mark.parametrize("act", ["add", "remove"])
def test_only_those_who_manage_connections_of_that_facility_do_this(facility, line, act) -> None:
    sent = {"name": "Satellite", "source_address": "10.0.0.5"}
    for person, status in [
        (a_person(facility), 403),
        (a_person(facility, Role.MANAGER), 403),
        (a_person(a_facility(), Role.INTEGRATION_ENGINEER), 404),
        (a_person(facility, Role.ADMINISTRATOR), 302),
    ]:
        assert logged_in(person).post(f"{page_of(line)}segments/{act}/", sent).status_code == status
        assert bool(kept(line)) == (status == 302 and act == "add")


def test_a_name_is_shown_as_text(engineer, line) -> None:
    add(engineer, line, name="<b>Satellite</b>", source_address="10.0.0.5")
    assert "<b>Satellite</b>" not in text(engineer, line)


# -- side by side ------------------------------------------------------------------------------------------------------


def a_run(line, *evidence: Evidence, **fields: Any) -> Run:
    """Give an integration a finished run that gathered this."""
    fields = {"state": WorkState.DONE, "finished_at": timezone.now()} | fields
    run = Run.objects.create(facility_id=line.facility_id, integration=line, attempt=1, **fields)
    for each in evidence:
        EvidenceRow.objects.create(facility_id=line.facility_id, run=run, key=str(each.key), content=encode(each))
    return run


def looks_from(line, *names: str) -> None:
    line.settings = {**line.settings, "segments": [{"name": n, "source_address": "10.0.0.5"} for n in names]}
    line.save()


def from_here(**shake: Any) -> tuple[Evidence, ...]:
    return (
        DnsAnswer(**AT, outcome="found", addresses=("192.0.2.10",)),
        TcpConnect(**AT, address="192.0.2.10"),
        TlsHandshake(**AT, **{"verified": True, "protocol": "TLSv1.3"} | shake),
    )


def reached(segment: str, layer: str = "ok", fault: FaultSeen | None = None, outcome: str = "found", **more) -> Reached:
    addresses = ("192.0.2.10",) if outcome == "found" else ()
    return Reached(segment, TARGET, layer, fault, outcome, more.pop("addresses", addresses), **more)


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
    assert (found.at, found.names, found.since) == (first.finished_at, ("here", "w"), ("later",))
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
    assert found.names == ("here", "satellite", "attic")
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
