"""The template register and the change review: what they show, to whom, and what they refuse."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.changes.models import ChangeReview
from console.changes.queries import in_force
from console.changes.services import ChangeError, decide
from console.diagnoses.cases import build_case
from console.integrations.models import Mapping, TemplateVersion
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.changes.builders import a_review, a_template, as_text, in_use, renamed
from tests.console.pages.documents import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return a_facility()


@pytest.fixture
def informatics(facility):
    return a_person(facility, Role.INFORMATICS)


@pytest.fixture
def line(facility):
    return in_use(an_integration(facility))


def text(client, where: str, status: int = 200) -> str:
    answer = client.get(where)
    assert answer.status_code == status
    return answer.content.decode()


def entered(line, **more):
    day = (timezone.localdate() + timedelta(days=3)).isoformat()
    return {"step": "propose", "text": as_text(renamed()), "integrations": [str(line.id)], "goes_live_on": day} | more


# -- the register ------------------------------------------------------------------------------------------------------


def test_the_register_shows_the_version_in_force_and_whether_the_rules_fit(facility, informatics, line) -> None:
    page = text(logged_in(informatics), "/templates/")
    assert "PROG-14" in page
    assert "2 rules fit" in page
    Mapping.objects.create(integration=line, content={"rules": [{"section": "plan", "field": "NOWHERE"}]})
    assert "1 of 1 rule misses" in text(logged_in(informatics), "/templates/")


def test_an_empty_register_says_what_to_do_first(facility) -> None:
    assert "Add an integration" in text(logged_in(a_person(facility, Role.INTEGRATION_ENGINEER)), "/templates/")
    assert "adds the first one" in text(logged_in(a_person(facility)), "/templates/")


def test_nobody_sees_another_facilitys_templates(line, informatics) -> None:
    review = a_review(line, by=informatics)
    stranger = logged_in(a_person(a_facility(), Role.INFORMATICS))
    page = text(stranger, "/templates/")
    assert "PROG-14" not in page
    assert line.name not in page
    text(stranger, f"/templates/reviews/{review.id}/", 404)
    text(stranger, f"/templates/versions/{line.template_versions.get().id}/", 404)


def test_the_number_of_queries_does_not_grow_with_integrations_and_reviews(facility, informatics, line) -> None:
    a_review(line, by=informatics)

    def count() -> int:
        client = logged_in(informatics)
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/templates/").status_code == 200
        return len(queries)

    few = count()
    for number in range(6):
        more = in_use(an_integration(facility))
        a_review(more, by=informatics, content=renamed(20 + number))
    assert count() == few


def test_the_badge_counts_for_those_who_decide_only(facility, informatics, line) -> None:
    a_review(line, by=informatics)
    assert "waiting for review" in text(logged_in(informatics), "/templates/")
    assert "waiting for review" not in text(logged_in(a_person(facility)), "/templates/")


def test_a_version_shows_fields_rules_and_what_differs_from_the_one_before(facility, informatics, line) -> None:
    later = TemplateVersion.objects.create(integration=line, template_id="PROG-14", version=8, content=renamed())
    page = text(logged_in(informatics), f"/templates/versions/{later.id}/")
    assert "PLAN_TXT is now PLAN_SECTION" in page
    assert "no such field" in page
    assert "its label is on <code>PLAN_SECTION</code> now" in page
    assert "in force" in page


# -- proposing ---------------------------------------------------------------------------------------------------------


def test_a_pasted_template_shows_whom_it_concerns_with_those_that_use_it_chosen(facility, informatics, line) -> None:
    other = an_integration(facility)
    answer = logged_in(informatics).post("/templates/propose/", {"step": "look", "text": as_text(renamed())})
    page = answer.content.decode()
    assert answer.status_code == 200
    assert f'value="{line.id}" checked' in page
    assert f'value="{other.id}">' in page
    assert "Breaks 1 of 1 mapping" in page
    assert not ChangeReview.objects.exists()


def test_proposing_leads_to_the_impact_and_is_recorded(facility, informatics, line) -> None:
    client = logged_in(informatics)
    answer = client.post("/templates/propose/", entered(line))
    review = ChangeReview.objects.get()
    assert answer.url == f"/templates/reviews/{review.id}/"
    page = text(client, answer.url)
    assert "Breaks 1 of 1 mapping" in page
    assert "PLAN_SECTION carries its label, Plan: point the rule there." in page
    assert AuditEntry.objects.filter(action="template.proposed", object_id=str(review.id)).exists()
    assert not TemplateVersion.objects.filter(version=8).exists()


@pytest.mark.parametrize(
    ("pasted", "says"),
    [
        ("", "Paste the template"),
        ('{"template_id": "A",\n "version": }', "Line 2, column 13: this is not valid JSON"),
        ("[1]", "expected object, got array"),
        (
            '{"template_id": "A", "version": 1, "fields": [{"label": "HPI"}]}',
            "fields[0]: object missing required field id",
        ),
        (
            '{"template_id": "A", "version": 1, "fields": [{"id": "A", "odd": 1}]}',
            "fields[0].odd: is not a key of this format",
        ),
        ('{"template_id": "A", "version": 1, "fields": [{"id": "A"}, {"id": "A"}]}', "fields[1].id: A stands"),
        ('{"template_id": "A", "version": 1, "fields": [{"id": "A"}, {"id": 2}]}', "fields[1].id: expected str"),
        ('{"template_id": "A", "version": 1, "fields": [{"id": "A", "kind": "odd"}]}', "fields[0].kind: expected"),
        ('{"template_id": "A", "version": 1, "fields": [{"id": "A", "max_length": 0}]}', "fields[0].max_length"),
        ('{"template_id": "A", "version": "x", "fields": [{"id": "A"}]}', "version: expected a whole number"),
        ('{"version": 1, "fields": [{"id": "A"}]}', "template_id: is missing"),
        ('{"template_id": "A", "version": 1}', "fields: is missing"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_template_that_cannot_be_read_names_the_place_and_nothing_is_lost(informatics, line, pasted, says) -> None:
    answer = logged_in(informatics).post("/templates/propose/", {"step": "look", "text": pasted})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert says in page.replace("&quot;", '"')
    assert answer.context["page"].text == pasted


def test_a_file_is_read_and_one_that_is_no_text_is_refused(informatics, line) -> None:
    client = logged_in(informatics)
    file = SimpleUploadedFile("template.json", as_text(renamed()).encode())
    assert "version 8" in client.post("/templates/propose/", {"step": "look", "file": file}).content.decode()
    odd = client.post("/templates/propose/", {"step": "look", "file": SimpleUploadedFile("t.json", b"\xff\xfe{}")})
    assert odd.status_code == 422
    assert "not UTF-8 text" in odd.content.decode()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"goes_live_on": "2020-01-01"}, "This day has passed"),
        ({"goes_live_on": "soon"}, "Write a day such as"),
        ({"integrations": []}, "Choose at least one integration"),
        ({"integrations": ["0193b3a0-0000-7000-8000-000000000000"]}, "Choose from the integrations listed"),
        ({"text": as_text(a_template(7))}, "is at version 7 already"),
    ],
)
def test_what_cannot_be_proposed_is_refused_with_a_reason(informatics, line, change, says) -> None:
    answer = logged_in(informatics).post("/templates/propose/", entered(line, **change))
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert not ChangeReview.objects.exists()


def test_the_same_version_does_not_wait_twice_and_a_foreign_integration_is_no_choice(informatics, line) -> None:
    client = logged_in(informatics)
    assert client.post("/templates/propose/", entered(line)).status_code == 302
    again = client.post("/templates/propose/", entered(line))
    assert again.status_code == 422
    assert "waits for a decision already" in again.content.decode()
    foreign = in_use(an_integration(a_facility()))
    assert client.post("/templates/propose/", entered(foreign, text=as_text(renamed(9)))).status_code == 422


# -- deciding ----------------------------------------------------------------------------------------------------------


def test_a_colleague_approves_and_the_version_is_in_force_from_its_day_on(facility, informatics, line) -> None:
    review = a_review(line, by=informatics)
    colleague = a_person(facility, Role.INFORMATICS)
    answer = logged_in(colleague).post(f"/templates/reviews/{review.id}/decide/", {"decision": "approve"})
    assert answer.status_code == 302
    review.refresh_from_db()
    assert (review.state, review.decided_by) == ("approved", colleague)
    assert review.impact_then[str(line.id)]["troubles"][0]["what"] == "renamed"
    assert in_force([line.id])[line.id].version == 7
    assert build_case(integration=line, note=None).template["version"] == 7
    then = timezone.now() + timedelta(days=8)
    assert in_force([line.id], at=then)[line.id].version == 8
    page = text(logged_in(colleague), f"/templates/reviews/{review.id}/")
    assert "Impact as it was when it was decided" in page
    assert "Breaks 1 of 1 mapping" in page
    assert 'name="decision"' not in page


def test_a_version_that_goes_live_today_is_in_force_at_once(facility, informatics, line) -> None:
    review = a_review(line, by=informatics, goes_live_on=timezone.localdate())
    decide(review=review, approve=True, reason="", by=a_person(facility, Role.INFORMATICS))
    assert build_case(integration=line, note=None).template["version"] == 8


def test_the_proposer_leaves_the_approval_to_a_colleague_where_there_is_one(facility, informatics, line) -> None:
    review = a_review(line, by=informatics)
    own = logged_in(informatics)
    where = f"/templates/reviews/{review.id}/"
    assert 'value="approve"' in text(own, where)
    a_person(facility, Role.INFORMATICS)
    page = text(own, where)
    assert 'value="approve"' not in page
    assert "a colleague who reviews template changes approves it" in page
    refused = own.post(f"{where}decide/", {"decision": "approve"})
    assert refused.status_code == 422
    assert "a colleague" in refused.content.decode()
    assert not TemplateVersion.objects.filter(version=8).exists()


def test_a_lone_reviewer_approves_his_own(informatics, line) -> None:
    review = a_review(line, by=informatics)
    assert decide(review=review, approve=True, reason="", by=informatics).state == "approved"


def test_sending_back_needs_a_reason(facility, informatics, line) -> None:
    review = a_review(line, by=informatics)
    client, where = logged_in(informatics), f"/templates/reviews/{review.id}/decide/"
    bare = client.post(where, {"decision": "send_back", "reason": " "})
    assert bare.status_code == 422
    assert "Say why it goes back" in bare.content.decode()
    assert client.post(where, {"decision": "send_back", "reason": "Keep PLAN_TXT."}).status_code == 302
    page = text(client, f"/templates/reviews/{review.id}/")
    assert "Sent back" in page
    assert "Keep PLAN_TXT." in page
    assert not TemplateVersion.objects.filter(version=8).exists()


def test_a_decision_is_made_once(facility, informatics, line) -> None:
    review = a_review(line, by=informatics)
    decide(review=review, approve=False, reason="No.", by=informatics)
    late = logged_in(informatics).post(f"/templates/reviews/{review.id}/decide/", {"decision": "approve"})
    assert late.status_code == 422
    assert "sent back already" in late.content.decode()
    with pytest.raises(ChangeError):
        decide(review=review, approve=True, reason="", by=a_person(facility, Role.INFORMATICS))


# -- the mapping -------------------------------------------------------------------------------------------------------


def rules(*pairs: tuple[str, str], **more):
    data = {"rule-TOTAL_FORMS": str(len(pairs)), "rule-INITIAL_FORMS": "0", "output": ["narrative"]}
    for index, (section, field) in enumerate(pairs):
        data |= {f"rule-{index}-section": section, f"rule-{index}-field": field, f"rule-{index}-mode": "append"}
    return data | more


def test_an_engineer_puts_new_rules_in_force_and_the_earlier_ones_are_kept(facility, line) -> None:
    engineer = logged_in(a_person(facility, Role.INTEGRATION_ENGINEER))
    where, held = f"/templates/mappings/{line.id}/", line.mappings.get()
    assert 'value="HPI_TXT"' in text(engineer, where)
    sent = rules(("hpi", "HPI_TXT"), ("", ""), ("assessment_plan", "PLAN_TXT"), seen=str(held.id), adopt="yes")
    assert engineer.post(where, sent).status_code == 302
    newest = line.mappings.first()
    assert newest.content["rules"][1] == {"section": "assessment_plan", "field": "PLAN_TXT", "mode": "append"}
    assert newest.content["template_version"] == 7
    assert line.mappings.count() == 2
    assert AuditEntry.objects.filter(action="mapping.changed").count() == 1


def test_half_a_rule_is_refused_and_shown_again(facility, line) -> None:
    engineer = logged_in(a_person(facility, Role.INTEGRATION_ENGINEER))
    answer = engineer.post(f"/templates/mappings/{line.id}/", rules(("hpi", ""), ("", "PLAN_TXT")))
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Say to which field this section goes." in page
    assert "Say which section goes there." in page
    assert line.mappings.count() == 1


def test_the_second_of_two_editors_loses_nothing(facility, line) -> None:
    engineer = logged_in(a_person(facility, Role.INTEGRATION_ENGINEER))
    where, held = f"/templates/mappings/{line.id}/", line.mappings.get()
    assert engineer.post(where, rules(("hpi", "A"), seen=str(held.id))).status_code == 302
    second = engineer.post(where, rules(("hpi", "MINE_TXT"), seen=str(held.id)))
    assert second.status_code == 422
    page = second.content.decode()
    assert "Somebody changed these rules" in page
    assert 'value="MINE_TXT"' in page
    assert engineer.post(where, rules(("hpi", "MINE_TXT"), seen=second.context["page"].seen)).status_code == 302
