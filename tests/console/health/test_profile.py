"""A vendor's profile per integration: shown with its sources, changed with a reason, put back, used by the engine."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.diagnoses.cases import build_case
from console.health.profile_page import ProfilePage
from console.integrations.case_parts import join, split
from console.integrations.models import Integration, ProfileChange
from console.integrations.profile_forms import FactForm, text_of
from console.integrations.vendor_copy import own_facts, state_of
from diagnostics.case import Integration as EngineIntegration
from diagnostics.vendors import profile, slugs
from diagnostics.vendors.facts import BY_NAME, FACTS, Kind
from diagnostics.vendors.model import Surface
from tests.console.builders import a_facility, a_note, a_person, an_integration
from tests.console.health.test_settings import entered
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
    return a_line(facility, "epic")


def a_line(facility, vendor: str, **fields: Any) -> Integration:
    line = an_integration(facility, **fields)
    line.vendor = vendor
    line.save(update_fields=["vendor"])
    return line


def page_of(line) -> str:
    return f"/integrations/{line.id}/profile/"


def change(person, line, fact: str, value: str, **more: Any):
    data = {"value": value, "why": "The EHR team said so."} | more
    return logged_in(person).post(f"{page_of(line)}{fact}/", data)


def own(line) -> Any:
    return own_facts(Integration.objects.get(pk=line.pk))


def test_each_fact_stands_with_its_source_and_date(engineer, line) -> None:
    page = logged_in(engineer).get(page_of(line)).content.decode()
    for fact in FACTS:
        assert fact.label.replace("'", "&#x27;") in page
    assert "Epic on FHIR: error code registry" in page
    assert "2026-08" in page
    assert "not the vendor's own text" in page
    assert "fhir.epic.com/" in page
    assert "<code>4135</code>" in page
    assert "uploaded keys end with May 2026" in page and "Ask the site." in page


@pytest.mark.parametrize("slug", slugs())
def test_the_page_of_every_vendor_is_whole(facility, engineer, slug) -> None:
    answer = logged_in(engineer).get(page_of(a_line(facility, slug)))
    assert answer.status_code == 200
    assert profile(slug).name in answer.content.decode()


def test_a_change_is_kept_with_who_when_and_why_and_the_engine_uses_it(engineer, line) -> None:
    answer = change(engineer, line, "usual_filing_minutes", "45")
    assert answer.url == f"{page_of(line)}#usual_filing_minutes"
    row = ProfileChange.objects.get(integration=line)
    assert (row.fact, row.value, row.by, row.why) == ("usual_filing_minutes", 45, engineer, "The EHR team said so.")
    entry = AuditEntry.objects.get(action="integration.profile_changed")
    assert entry.detail == {"fact": "usual_filing_minutes"}
    held = Integration.objects.get(pk=line.pk)
    case = build_case(integration=held, note=a_note(held), offline=True)
    assert case.vendor.usual_filing_minutes == 45
    assert profile("epic").usual_filing_minutes == 15
    page = logged_in(engineer).get(page_of(line)).content.decode()
    assert "45 minutes" in page
    assert "profile says: 15 minutes" in page
    assert "The EHR team said so." in page
    assert "1 different here" in page


@pytest.mark.parametrize(
    ("fact", "text", "value"),
    [
        ("rate_per_minute", "120", 120),
        ("token_ttl_s", "", None),
        ("conditional_create", "yes", True),
        ("content_types", "text/plain\n\n application/PDF ", ["text/plain", "application/PDF"]),
        ("note_types", "http://loinc.org|11506-3\nurn:site|17", ["http://loinc.org|11506-3", "urn:site|17"]),
        ("required", "subject = the patient\ncontext.encounter",
         {"subject": "the patient", "context.encounter": "context.encounter"}),
        ("codes", "fhir 77001 = the desk is closed | ops.vendor.maintenance\nwriteback 9 = nothing",
         [{"surface": "fhir", "code": "77001", "says": "the desk is closed", "cause": "ops.vendor.maintenance"},
          {"surface": "writeback", "code": "9", "says": "nothing"}]),
    ],
)  # fmt: skip
def test_every_kind_of_fact_can_be_entered(engineer, line, fact, text, value) -> None:
    assert change(engineer, line, fact, text).status_code == 302
    assert own(line) == {fact: value}
    assert FactForm(fact=BY_NAME[fact], value=value, seen="").initial["value"] == text_of(BY_NAME[fact], value)
    assert logged_in(engineer).get(page_of(line)).status_code == 200


@pytest.mark.parametrize("slug", slugs())
def test_what_a_form_begins_with_is_what_the_vendor_says(slug) -> None:
    for fact in FACTS:
        if fact.editable and fact.kind is not Kind.CODES:
            plain = fact.plain(fact.of(profile(slug)))
            form = FactForm({"value": text_of(fact, plain), "why": "x"}, fact=fact, value=None, seen="")
            assert form.is_valid(), (fact.name, form.errors)
            assert form.cleaned_data["value"] == plain


@pytest.mark.parametrize(
    ("fact", "text", "says"),
    [
        ("rate_per_minute", "many", "Write a whole number"),
        ("rate_per_minute", "0", "Expected a whole number from 1"),
        ("usual_filing_minutes", "", "Expected a whole number from 1"),
        ("conditional_create", "perhaps", "Select a valid choice"),
        ("required", "context[0] = x", "no path of plain steps"),
        ("codes", "139 the encounter is locked", "Line 1: expected something like"),
        ("codes", "fax 139 = locked", "A surface is one of"),
        ("codes", "fhir 139 = locked | no.such.cause", "is no cause of the catalogue"),
        ("usual_filing_minutes", "15", "This is what the vendor&#x27;s profile says already"),
    ],
)
def test_a_wrong_value_is_named_beside_its_fact_and_nothing_is_kept(engineer, line, fact, text, says) -> None:
    answer = change(engineer, line, fact, text)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert own(line) == {}
    assert not ProfileChange.objects.exists()
    assert not AuditEntry.objects.filter(action__startswith="integration.profile").exists()


def test_a_change_needs_a_reason(engineer, line) -> None:
    answer = change(engineer, line, "usual_filing_minutes", "45", why=" ")
    assert answer.status_code == 422
    assert "Say why it is different here" in answer.content.decode()


def test_a_fact_can_be_put_back(engineer, line) -> None:
    change(engineer, line, "usual_filing_minutes", "45")
    change(engineer, line, "rate_per_minute", "60")
    client = logged_in(engineer)
    answer = client.post(f"{page_of(line)}usual_filing_minutes/back/", follow=True)
    assert "The vendor&#x27;s value holds again" in answer.content.decode()
    assert own(line) == {"rate_per_minute": 60}
    client.post(f"{page_of(line)}rate_per_minute/back/")
    assert "vendor_profile" not in Integration.objects.get(pk=line.pk).settings
    again = client.post(f"{page_of(line)}rate_per_minute/back/", follow=True)
    assert "Nothing was different" in again.content.decode()
    assert AuditEntry.objects.filter(action="integration.profile_put_back").count() == 2
    assert "put back to the vendor&#x27;s" in again.content.decode()


def test_the_second_of_two_editors_overwrites_nothing(engineer, line) -> None:
    seen = state_of(Integration.objects.get(pk=line.pk))
    assert change(engineer, line, "rate_per_minute", "60", seen=seen).status_code == 302
    answer = change(engineer, line, "rate_per_minute", "90", seen=seen)
    assert answer.status_code == 422
    assert "Somebody changed this profile while you edited" in answer.content.decode()
    assert own(line) == {"rate_per_minute": 60}
    again = change(engineer, line, "rate_per_minute", "90", seen=answer.context["page"].wrong["seen"].value())
    assert again.status_code == 302


def test_a_rule_cannot_be_changed_and_an_unknown_fact_is_none(engineer, line) -> None:
    assert change(engineer, line, "key_rule", "x").status_code == 404
    assert change(engineer, line, "colour", "x").status_code == 404


def test_who_may_not_manage_sees_no_form(facility, line) -> None:
    page = logged_in(a_person(facility)).get(page_of(line)).content.decode()
    assert "Keep for this integration" not in page
    assert change(a_person(facility), line, "usual_filing_minutes", "45").status_code == 403
    stranger = a_person(a_facility(), Role.INTEGRATION_ENGINEER)
    assert change(stranger, line, "usual_filing_minutes", "45").status_code == 404


def test_the_copy_survives_the_settings_form_and_ends_with_another_vendor(engineer, line) -> None:
    change(engineer, line, "usual_filing_minutes", "45")
    client = logged_in(engineer)
    settings = f"/integrations/{line.id}/settings/"
    assert client.post(settings, entered(line, auth_client_id="other")).status_code == 302
    assert own(line) == {"usual_filing_minutes": 45}
    answer = client.post(settings, entered(line, vendor="meditech"), follow=True)
    assert own(line) == {}
    assert "old vendor&#x27;s profile was put back (1)" in answer.content.decode()
    entry = AuditEntry.objects.filter(action="integration.changed").latest("at")
    assert entry.detail["facts_put_back"] == ["usual_filing_minutes"]
    newest = ProfileChange.objects.filter(integration=line).latest("at")
    assert newest.put_back and "another vendor" in newest.why


def test_a_copy_that_came_with_a_case_is_shown_and_kept_word_for_word(facility, engineer) -> None:
    part = EngineIntegration("Imported", "fhir", vendor="epic", vendor_profile={"token_ttl_s": None, "note_types": []})
    settings, _ = split(part)
    line = a_line(facility, "epic", settings=settings)
    assert join(line).vendor_profile == part.vendor_profile
    page = logged_in(engineer).get(page_of(line)).content.decode()
    assert "It came with an imported case" in page


def test_a_stored_value_that_a_later_release_does_not_take_breaks_no_page(facility, engineer) -> None:
    line = a_line(facility, "epic", settings={"vendor_profile": {"codes": "odd", "single": 4}})
    page = logged_in(engineer).get(page_of(line)).content.decode()
    assert "a value this release does not take" in page


def test_added_codes_stand_among_the_vendor_s(engineer, line) -> None:
    change(engineer, line, "codes", "fhir 77001 = the desk is closed")
    page = ProfilePage(Integration.objects.get(pk=line.pk), engineer)
    codes = [code for _, rows in page.groups for row in rows for code in row.codes]
    assert len(codes) == len(profile("epic").codes) + 1
    assert [code.code for code in codes if code.here] == ["77001"]
    assert profile("epic").code(Surface.FHIR, "77001") is None


def test_the_queries_do_not_grow_with_the_changes(engineer, line) -> None:
    client = logged_in(engineer)
    counts = []
    for value in ("20", "30", "40"):
        change(engineer, line, "usual_filing_minutes", value)
        client.get(page_of(line))
        with CaptureQueriesContext(connection) as held:
            client.get(page_of(line))
        counts.append(len(held))
    assert counts[0] == counts[-1]
