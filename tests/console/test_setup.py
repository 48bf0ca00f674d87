"""An empty installation: `manage.py setup`, and pages that say what to do first."""

import io
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from console.accounts.models import Facility, User
from console.accounts.roles import Role
from console.accounts.services import roles_of
from console.integrations.models import Integration

pytestmark = pytest.mark.django_db

ANSWERS = {
    "facility": "St. Brigid's",
    "time_zone": "America/Chicago",
    "email": "ada@brigid.example",
    "name": "Ada Lind",
    "integration": "Main FHIR",
    "vendor": "epic",
    "protocol": "fhir",
    "address": "https://ehr.brigid.example/fhir/R4",
}
PASSWORD = "a-sentence-of-ones-own"


def set_up(monkeypatch: Any, password: str = PASSWORD, **answers: str) -> str:
    monkeypatch.setattr(sys, "stdin", io.StringIO(password + "\n"))
    said = io.StringIO()
    call_command("setup", stdout=said, **{**ANSWERS, **answers})
    return said.getvalue()


def test_setup_makes_facility_administrator_and_integration(monkeypatch) -> None:
    said = set_up(monkeypatch)
    facility, person, integration = Facility.objects.get(), User.objects.get(), Integration.objects.get()
    assert (facility.slug, facility.time_zone) == ("st-brigid-s", "America/Chicago")
    assert roles_of(person, facility) == {Role.ADMINISTRATOR, Role.INTEGRATION_ENGINEER}
    assert integration.settings == {"fhir_base_url": "https://ehr.brigid.example/fhir/R4"}
    assert "ada@brigid.example" in said
    assert PASSWORD not in said
    assert Client().login(email="ada@brigid.example", password=PASSWORD)


def test_an_hl7_interface_is_entered_by_host_and_port(monkeypatch) -> None:
    set_up(monkeypatch, protocol="hl7v2", vendor="generic", address="engine.brigid.example:2575")
    assert Integration.objects.get().settings == {"hl7": {"host": "engine.brigid.example", "port": 2575}}


def test_the_integration_may_come_later(monkeypatch) -> None:
    set_up(monkeypatch, integration="")
    assert not Integration.objects.exists()
    assert Facility.objects.exists()


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"time_zone": "Chicago"}, "--time-zone is no time zone"),
        ({"email": "ada"}, "--email is no e-mail address"),
        ({"name": " "}, "--name needs an answer"),
        ({"vendor": "acme"}, "--vendor is none of"),
        ({"address": "ehr/fhir"}, "--address is no address"),
        ({"protocol": "hl7v2", "address": "engine"}, "--address is not of the form host:port"),
        ({"password": "short"}, "The password .* will not do"),
    ],
)
def test_a_wrong_answer_is_named_and_nothing_is_made(monkeypatch, answers, says) -> None:
    with pytest.raises(CommandError, match=says):
        set_up(monkeypatch, **answers)
    assert not Facility.objects.exists()
    assert not User.objects.exists()


def test_setup_is_for_an_empty_installation_only(monkeypatch) -> None:
    set_up(monkeypatch)
    with pytest.raises(CommandError, match="set up already"):
        set_up(monkeypatch)


def test_the_login_page_of_an_empty_installation_says_what_to_do(monkeypatch) -> None:
    assert "python3 manage.py setup" in Client().get("/login/").content.decode()
    set_up(monkeypatch)
    assert "manage.py setup" not in Client().get("/login/").content.decode()


PAGES = (
    "/tickets/",
    "/tickets/open/",
    "/integrations/",
    "/monitoring/",
    "/monitoring/logs/",
    "/monitoring/rules/",
    "/templates/",
    "/knowledge/",
    "/knowledge/review/",
    "/reports/",
    "/people/",
    "/people/invite/",
    "/audit/",
    "/profile/",
    "/explain/",
    "/checklists/",
)


@pytest.mark.parametrize("where", PAGES)
def test_every_page_of_an_empty_installation_works(monkeypatch, where) -> None:
    set_up(monkeypatch, integration="")
    person, facility = User.objects.get(), Facility.objects.get()
    from console.accounts.services import give_role

    for role in Role:
        give_role(user=person, facility=facility, role=role, by=None)
    client = Client()
    client.force_login(person)
    answer = client.get(where)
    assert answer.status_code == 200
    text = answer.content.decode()
    assert "None" not in text.split("<main", 1)[1]
