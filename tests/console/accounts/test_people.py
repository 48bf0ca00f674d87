"""People: inviting, roles, passwords, sessions, and what an administrator cannot do."""

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from console.accounts.access import grants
from console.accounts.mail import deliver
from console.accounts.models import AuditEntry, OutgoingMail, User
from console.accounts.roles import Right, Role
from console.accounts.services import give_role
from console.shared.work import WorkState
from tests.console.builders import a_department, a_facility, a_person

pytestmark = pytest.mark.django_db
NEW = "a-long-new-sentence"


@pytest.fixture
def facility() -> Any:
    return a_facility()


@pytest.fixture
def admin(facility) -> User:
    return a_person(facility, Role.ADMINISTRATOR)


def logged_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def invite(admin: User, facility: Any, **fields: Any) -> Any:
    data = {
        "email": "new@hospital.example",
        "name": "Nia Berg",
        "facility": facility.id,
        "roles": ["help-desk"],
        **fields,
    }
    return logged_in(admin).post(reverse("accounts:invite"), data)


def link_in(text: str) -> str:
    found = re.search(r"http://127\.0\.0\.1:8000(/password/\S+)", text)
    assert found
    return found[1]


def sent_mails() -> list[Any]:
    for row in OutgoingMail.objects.filter(state=WorkState.QUEUED):
        deliver(row.pk)
    return mail.outbox


def test_an_invited_person_gets_a_mail_chooses_a_password_and_works(facility, admin) -> None:
    assert invite(admin, facility).status_code == 302
    [letter] = sent_mails()
    assert letter.to == ["new@hospital.example"]
    stranger = Client()
    page = stranger.get(link_in(letter.body), follow=True)
    where = page.redirect_chain[-1][0]
    assert "set-password" in where  # the token is out of the address before anything is shown
    assert stranger.post(where, {"new_password1": NEW, "new_password2": NEW}).url == reverse("account_login")
    assert stranger.login(email="new@hospital.example", password=NEW)
    assert stranger.get("/", follow=True).redirect_chain[-1][0] == reverse("tickets:queue")
    again = Client().get(link_in(letter.body), follow=True).content.decode()
    assert "does not work any more" in again


def test_a_sent_mail_leaves_no_link_behind(facility, admin) -> None:
    invite(admin, facility)
    assert "/password/" in OutgoingMail.objects.get().body
    sent_mails()
    row = OutgoingMail.objects.get()
    assert (row.state, row.body) == (WorkState.DONE, None)


def test_a_mail_server_that_is_away_costs_time_not_the_mail(facility, admin, settings) -> None:
    invite(admin, facility)
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    row = OutgoingMail.objects.get()
    assert deliver(row.pk) is False
    row.refresh_from_db()
    assert (row.state, row.error, row.attempt) == (WorkState.QUEUED, "ConnectionRefusedError", 1)
    assert row.due_at > row.created_at


def test_a_known_address_gets_further_roles_and_no_second_account(facility, admin) -> None:
    person = a_person(a_facility(), Role.MANAGER)
    person.set_password(NEW)
    person.save()
    assert invite(admin, facility, email=person.email.upper()).status_code == 302
    assert grants(User.objects.get(pk=person.pk)).has(Right.WORK_TICKETS, facility.id)
    assert not OutgoingMail.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("email", "nobody", "This is no e-mail address."),
        ("name", "", "Enter the person&#x27;s name."),
        ("roles", [], "Choose at least one role."),
    ],
)
def test_a_wrong_invitation_says_what_is_wrong(facility, admin, field, value, says) -> None:
    answer = invite(admin, facility, **{field: value})
    assert answer.status_code == 422
    assert says in answer.content.decode()


def test_nobody_is_invited_into_anothers_facility(facility, admin) -> None:
    other = a_facility()
    answer = invite(admin, other)
    assert answer.status_code == 422
    assert not User.objects.filter(email="new@hospital.example").exists()


def test_roles_and_departments_are_given_and_taken_at_ones_own_facility_only(facility, admin) -> None:
    shut = a_department(facility, restricted=True)
    person = a_person(facility, Role.HELP_DESK)
    elsewhere = a_facility()
    give_role(user=person, facility=elsewhere, role=Role.MANAGER, by=None)
    client = logged_in(admin)
    where = reverse("accounts:grants", args=[person.id, facility.slug])
    client.post(where, {"roles": ["informatics"], "departments": [shut.id]})
    held = grants(User.objects.get(pk=person.pk))
    assert held.has(Right.REVIEW_KNOWLEDGE, facility.id)
    assert held.has(Right.SEE_REPORTS, elsewhere.id)
    assert shut.id in held.departments
    assert client.post(reverse("accounts:grants", args=[person.id, elsewhere.slug]), {}).status_code == 404
    assert client.post(where, {}).url == reverse("accounts:people")  # without any role he is nobody here
    assert not grants(User.objects.get(pk=person.pk)).has(Right.SEE_TICKETS, facility.id)
    told = set(AuditEntry.objects.filter(object_id=str(person.pk)).values_list("action", flat=True))
    assert told >= {"role.given", "role.taken", "department.opened", "department.shut"}


def test_the_last_administrator_stays(facility, admin) -> None:
    answer = logged_in(admin).post(reverse("accounts:grants", args=[admin.id, facility.slug]), {"roles": ["manager"]})
    assert answer.status_code == 422
    assert "last administrator" in answer.content.decode()
    assert logged_in(admin).post(reverse("accounts:act", args=[admin.id]), {"act": "close"}).status_code == 422


def test_signing_somebody_out_ends_his_sessions_and_closing_keeps_him_out(facility, admin) -> None:
    person = a_person(facility)
    client, office = logged_in(person), logged_in(admin)
    where = reverse("accounts:act", args=[person.id])
    assert client.get(reverse("tickets:queue")).status_code == 200
    office.post(where, {"act": "sign_out"})
    assert client.get(reverse("tickets:queue")).status_code == 302
    client.force_login(User.objects.get(pk=person.pk))
    office.post(where, {"act": "close"})
    assert client.get(reverse("tickets:queue")).status_code == 302
    office.post(where, {"act": "open"})
    assert User.objects.get(pk=person.pk).is_active


def test_somebody_who_works_elsewhere_too_is_not_ones_own_to_close(facility, admin) -> None:
    person = a_person(facility)
    give_role(user=person, facility=a_facility(), role=Role.HELP_DESK, by=None)
    client = logged_in(admin)
    assert "Close the account" not in client.get(reverse("accounts:person", args=[person.id])).content.decode()
    assert client.post(reverse("accounts:act", args=[person.id]), {"act": "close"}).status_code == 422
    assert User.objects.get(pk=person.pk).is_active


def test_people_of_other_facilities_do_not_exist(facility, admin) -> None:
    stranger = a_person(a_facility())
    client = logged_in(admin)
    assert stranger.email not in client.get(reverse("accounts:people")).content.decode()
    assert client.get(reverse("accounts:person", args=[stranger.id])).status_code == 404


def test_the_list_costs_the_same_however_many_people(facility, admin, django_assert_max_num_queries) -> None:
    for _ in range(12):
        a_person(facility)
    client = logged_in(admin)
    client.get(reverse("accounts:people"))
    with django_assert_max_num_queries(20):
        assert client.get(reverse("accounts:people")).content.decode().count("person") > 12


def test_a_forgotten_password_tells_nobody_which_addresses_are_known(facility) -> None:
    person = a_person(facility)
    person.set_password(NEW)
    person.save()
    answers = {
        Client().post(reverse("accounts:forgotten"), {"email": address}).content
        for address in (person.email, "nobody@hospital.example")
    }
    assert len({re.sub(rb'value="[^"]*"', b"", answer) for answer in answers}) == 1
    assert OutgoingMail.objects.get().to == person.email
    Client().post(reverse("accounts:forgotten"), {"email": person.email})
    assert OutgoingMail.objects.count() == 1  # one link in five minutes


def test_the_profile_changes_name_zone_and_password_and_ends_other_sessions(facility) -> None:
    person = a_person(facility)
    person.set_password("the-present-sentence")
    person.save()
    here, there = logged_in(person), logged_in(person)
    where = reverse("accounts:profile")
    assert here.post(where, {"name": "Noa Lind", "time_zone": "Europe/Berlin"}).status_code == 302
    assert here.post(where, {"name": "Noa Lind", "time_zone": "Mars/Base"}).status_code == 422
    wrong = {"old_password": "no", "new_password1": NEW, "new_password2": NEW}
    assert "not your present password" in here.post(where, wrong).content.decode()
    assert here.post(where, {**wrong, "old_password": "the-present-sentence"}).status_code == 302
    assert here.get(where).status_code == 200
    assert there.get(where).status_code == 302
    person.refresh_from_db()
    assert (person.name, person.time_zone) == ("Noa Lind", "Europe/Berlin")
    third = logged_in(person)
    here.post(reverse("accounts:end_sessions"))
    assert here.get(where).status_code == 200
    assert third.get(where).status_code == 302


def test_the_facility_switcher_narrows_lists_and_a_foreign_choice_counts_as_all(facility) -> None:
    person = a_person(facility)
    second = a_facility()
    give_role(user=person, facility=second, role=Role.HELP_DESK, by=None)
    client = logged_in(person)
    client.post(reverse("place"), {"facility": str(second.id)})
    assert f"Lists show {second.name} only." in client.get(reverse("tickets:queue")).content.decode()
    client.post(reverse("place"), {"facility": str(a_facility().id)})
    assert "Lists show" not in client.get(reverse("tickets:queue")).content.decode()


def test_the_audit_trail_shows_ones_own_facilities_and_filters(facility, admin) -> None:
    officer = a_person(facility, Role.PRIVACY_OFFICER)
    person = a_person(facility)
    other = a_facility()
    a_person(other)
    logged_in(admin).post(reverse("accounts:act", args=[person.id]), {"act": "sign_out"})
    client = logged_in(officer)
    text = client.get(reverse("accounts:audit")).content.decode()
    assert "Person signed out" in text
    assert other.name not in text
    narrowed = client.get(reverse("accounts:audit"), {"action": "person.signed_out"}).content.decode()
    assert narrowed.count("<tr>") == 2
    empty = client.get(reverse("accounts:audit"), {"from": "2031-01-01"}).content.decode()
    assert "Nothing recorded under this filter" in empty
    assert client.get(reverse("accounts:audit"), {"from": "2031-99-01", "who": "x", "page": "z"}).status_code == 200
