"""The segments of an integration: kept as the engine reads them, refused with a reason."""

import pytest

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.diagnoses.cases import build_case
from console.integrations.models import Integration
from console.integrations.segments import MOST
from diagnostics.case import Segment
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.health.looks import add, page_of, text
from tests.console.pages.documents import logged_in

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


def kept(line) -> list[dict[str, str]]:
    return Integration.objects.get(pk=line.pk).settings.get("segments", [])


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
