"""Who sees which ticket, over the services and queries that every page uses."""

import pytest
from django.core.exceptions import PermissionDenied
from django.http import Http404

from console.accounts.access import forget_grants, grants
from console.accounts.roles import RIGHTS, Right, Role
from console.accounts.services import admit, shut_out, take_role
from console.notes.queries import find
from console.tickets.access import ticket_or_404, visible
from console.tickets.services import add_note, change_state, comment, open_payload, request_run, tick
from tests.console.builders import a_department, a_facility, a_note, a_person, a_ticket, an_integration

pytestmark = pytest.mark.django_db


@pytest.fixture
def world():
    class World:
        facility = a_facility()
        other = a_facility()
        integration = an_integration(facility)
        unit = a_department(facility, restricted=True)
        ward = a_department(facility)
        open_note = a_note(integration, department=ward, external_id="N-open-1", payload=b"{}")
        shut_note = a_note(integration, department=unit, external_id="N-shut-1")
        ordinary = a_ticket(integration, open_note)
        restricted = a_ticket(integration, open_note, shut_note)

    return World


@pytest.mark.parametrize("role", [role for role in Role if Right.SEE_TICKETS in RIGHTS[role]])
def test_every_role_of_staff_sees_ordinary_tickets_of_its_facility_and_no_restricted_one(world, role) -> None:
    person = a_person(world.facility, role)
    assert set(visible(person)) == {world.ordinary}
    assert ticket_or_404(person, world.ordinary.number) == world.ordinary
    with pytest.raises(Http404):
        ticket_or_404(person, world.restricted.number)


@pytest.mark.parametrize("role", list(Role))
def test_another_facilitys_ticket_does_not_exist(world, role) -> None:
    stranger = a_person(world.other, role)
    assert not visible(stranger).exists()
    with pytest.raises(Http404):
        ticket_or_404(stranger, world.ordinary.number)
    assert not find(stranger, "N-open-1").exists()


def test_a_superuser_without_grants_sees_nothing(world) -> None:
    from console.accounts.models import User

    root = User.objects.create_superuser("root@test.example", None, name="Root")
    assert not visible(root).exists()


def test_a_grant_on_the_department_shows_the_restricted_ticket_until_it_is_taken_back(world) -> None:
    person = a_person(world.facility)
    admit(user=person, department=world.unit, by=None)
    assert set(visible(person)) == {world.ordinary, world.restricted}
    shut_out(user=person, department=world.unit, by=None)
    assert set(visible(person)) == {world.ordinary}


def test_a_department_grant_alone_opens_no_facility(world) -> None:
    outsider = a_person(world.other)
    admit(user=outsider, department=world.unit, by=None)
    assert not visible(outsider).exists()


def test_a_role_taken_away_ends_the_sight(world) -> None:
    person = a_person(world.facility)
    take_role(user=person, facility=world.facility, role=Role.HELP_DESK, by=None)
    assert not visible(person).exists()


def test_an_inactive_person_has_no_grants(world) -> None:
    person = a_person(world.facility)
    person.is_active = False
    forget_grants(person)
    assert grants(person).where(Right.SEE_TICKETS) == frozenset()


ACTS = {
    "comment": (Right.WORK_TICKETS, lambda t, n, p: comment(ticket=t, text="Called the desk.", by=p)),
    "state": (Right.WORK_TICKETS, lambda t, n, p: change_state(ticket=t, to="in_progress", by=p)),
    "tick": (Right.WORK_TICKETS, lambda t, n, p: tick(ticket=t, item="DONE.2", state="done", by=p)),
    "run": (Right.RUN_DIAGNOSIS, lambda t, n, p: request_run(ticket=t, by=p)),
    "payload": (Right.OPEN_PAYLOAD, lambda t, n, p: open_payload(ticket=t, note=n, by=p)),
}


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("act", sorted(ACTS))
def test_each_act_asks_for_its_right(world, role, act) -> None:
    right, do = ACTS[act]
    person = a_person(world.facility, role)
    if right in RIGHTS[role]:
        do(world.ordinary, world.open_note, person)
    else:
        with pytest.raises(PermissionDenied):
            do(world.ordinary, world.open_note, person)


def test_a_payload_view_is_recorded_with_who_saw_it(world) -> None:
    from console.accounts.models import AuditEntry

    person = a_person(world.facility)
    payload, _narrative = open_payload(ticket=world.ordinary, note=world.open_note, by=person)
    assert payload == b"{}"
    entry = AuditEntry.objects.get(action="payload.opened")
    assert (entry.who, entry.object_id, entry.facility_id) == (person, str(world.open_note.id), world.facility.id)


def test_a_note_of_another_integration_cannot_join(world) -> None:
    from console.tickets.services import TicketError

    stray = a_note(an_integration(world.facility))
    with pytest.raises(TicketError):
        add_note(ticket=world.ordinary, note=stray, by=a_person(world.facility))


def test_a_note_is_found_by_any_of_its_ids_in_any_writing(world) -> None:
    person = a_person(world.facility)
    note = a_note(world.integration, external_id="N-7", encounter_id="Encounter/E-77", transaction_id="TX-9")
    for pasted in ("N-7", " N-7 ", "E-77", "Encounter/E-77", "TX-9"):
        assert list(find(person, pasted)) == [note], pasted
    assert not find(person, "N-8").exists()
