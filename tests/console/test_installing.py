"""The commands with which an operator lets the first people in."""

import io
import sys

import pytest
from django.core.management import CommandError, call_command

from console.accounts.access import grants
from console.accounts.keys import keyring
from console.accounts.models import Facility, User
from console.accounts.roles import RIGHTS, Right, Role
from console.shared.sealing import MasterKeyError

pytestmark = pytest.mark.django_db


def add(monkeypatch, *words: str, password: str = "a-long-enough-pass-phrase") -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{password}\n"))
    call_command("add_person", *words, stdout=io.StringIO())


def test_a_facility_and_its_first_person(monkeypatch) -> None:
    call_command("open_facility", "north", "North", "--time-zone", "America/Chicago", stdout=io.StringIO())
    add(monkeypatch, "Ann@Test.example", "Ann Lee", "north", "help-desk")
    facility, person = Facility.objects.get(slug="north"), User.objects.get(email="ann@test.example")
    assert {right for right in Right if grants(person).has(right, facility.id)} == RIGHTS[Role.HELP_DESK]
    assert person.check_password("a-long-enough-pass-phrase")
    assert keyring(facility.id).facility == facility.id


def test_a_further_role_asks_for_no_password(monkeypatch) -> None:
    for slug in ("one", "two"):
        call_command("open_facility", slug, slug, stdout=io.StringIO())
    add(monkeypatch, "bo@test.example", "Bo", "one", "manager")
    add(monkeypatch, "bo@test.example", "Bo", "two", "help-desk", password="")
    person = User.objects.get(email="bo@test.example")
    assert len(grants(person).where(Right.SEE_TICKETS)) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("c@test.example", "C", "nowhere", "manager"), "no facility"),
        (("not-an-address", "C", "there", "manager"), "valid email"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(monkeypatch, words, says) -> None:
    call_command("open_facility", "there", "There", stdout=io.StringIO())
    with pytest.raises(CommandError, match=says):
        add(monkeypatch, *words)
    assert not User.objects.exists()


def test_a_weak_password_is_refused(monkeypatch) -> None:
    call_command("open_facility", "there", "There", stdout=io.StringIO())
    with pytest.raises(CommandError, match="too short"):
        add(monkeypatch, "c@test.example", "C", "there", "manager", password="short")


@pytest.mark.parametrize("words", [("north", "Again"), ("new", "New", "--time-zone", "Mars/Base")])
def test_a_facility_that_exists_or_has_no_such_time_zone_is_refused(words) -> None:
    call_command("open_facility", "north", "North", stdout=io.StringIO())
    with pytest.raises(CommandError):
        call_command("open_facility", *words)


def test_a_lost_master_key_is_named_not_shown(settings) -> None:
    call_command("open_facility", "north", "North", stdout=io.StringIO())
    settings.MASTER_KEYS = ["other:" + "11" * 32]
    with pytest.raises(MasterKeyError, match="lacks the key test1"):
        keyring(Facility.objects.get(slug="north").id)
