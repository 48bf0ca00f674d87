"""Whose word a resend needs, and that nothing gets around it: rights, the second person, two presses, two resends."""

import threading
import uuid

import pytest
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, connection, transaction

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.resends import services
from console.resends.models import ItemState, ResendAct, ResendBatch, ResendItem, ResendPass, Stage
from console.resends.services import ResendError
from tests.console.builders import a_facility, a_note, a_person, a_ticket, an_integration


class World:
    """A ticket of a production integration, planned as a worker would have done."""

    def __init__(self, environment: str = "production", notes: int = 2) -> None:
        self.facility = a_facility()
        self.integration = an_integration(self.facility, environment=environment, resend_allowed=True)
        self.notes = [a_note(self.integration) for _ in range(notes)]
        self.ticket = a_ticket(self.integration, *self.notes)
        self.desk = a_person(self.facility)
        self.engineer = a_person(self.facility, Role.INTEGRATION_ENGINEER)

    def ready(self, ticket=None) -> ResendBatch:
        batch = services.prepare(ticket=ticket or self.ticket, by=self.desk, key=uuid.uuid4().hex)
        batch.items.update(state=ItemState.PLANNED, digest="d" * 64)
        batch.passes.update(state="done")
        ResendBatch.objects.filter(pk=batch.pk).update(stage=Stage.READY)
        return ResendBatch.objects.get(pk=batch.pk)

    def asked(self) -> ResendBatch:
        batch = self.ready()
        services.start(batch=batch, by=self.desk)
        batch.refresh_from_db()
        return batch


@pytest.fixture
def world(db) -> World:
    return World()


def test_resending_is_off_until_somebody_with_the_right_allows_it(world) -> None:
    services.allow(integration=world.integration, allowed=False, by=world.engineer)
    world.ticket.integration.refresh_from_db()
    with pytest.raises(ResendError, match="off for this integration"):
        services.prepare(ticket=world.ticket, by=world.desk, key="k")
    with pytest.raises(PermissionDenied):
        services.allow(integration=world.integration, allowed=True, by=world.desk)
    services.allow(integration=world.integration, allowed=True, by=world.engineer)
    services.allow(integration=world.integration, allowed=True, by=world.engineer)
    actions = list(AuditEntry.objects.filter(action__startswith="resend.").values_list("action", flat=True))
    assert sorted(actions) == ["resend.allowed", "resend.forbidden"], "what changes nothing is not recorded"


def test_a_new_integration_has_it_off(db) -> None:
    assert an_integration(a_facility()).resend_allowed is False


@pytest.mark.parametrize("role", [Role.MANAGER, Role.PRIVACY_OFFICER, Role.ADMINISTRATOR])
def test_other_roles_neither_prepare_nor_approve(world, role) -> None:
    somebody = a_person(world.facility, role)
    with pytest.raises(PermissionDenied):
        services.prepare(ticket=world.ticket, by=somebody, key="k")
    batch = world.asked()
    for act in (services.approve, services.decline, services.stop, services.pause, services.go_on):
        with pytest.raises(PermissionDenied):
            act(batch=batch, by=somebody)


def test_production_waits_for_a_second_person_and_a_sandbox_does_not(world) -> None:
    batch = world.asked()
    assert (batch.stage, batch.needs_second) == ("asked", True)
    assert not batch.passes.filter(kind="send").exists()
    sandbox = World("sandbox").asked()
    assert (sandbox.stage, sandbox.decided_by) == ("sending", None)
    assert sandbox.passes.filter(kind="send").count() == 1


def test_nobody_approves_his_own(world) -> None:
    batch = world.ready()
    services.start(batch=batch, by=world.engineer)
    with pytest.raises(ResendError, match="somebody else"):
        services.approve(batch=batch, by=world.engineer)
    with pytest.raises(IntegrityError), transaction.atomic():
        ResendBatch.objects.filter(pk=batch.pk).update(decided_by=world.engineer)


def test_the_database_refuses_to_send_without_the_second_person(world) -> None:
    batch = world.asked()
    with pytest.raises(IntegrityError), transaction.atomic():
        ResendBatch.objects.filter(pk=batch.pk).update(stage=Stage.SENDING)


def test_two_open_writes_of_a_note_cannot_be(world) -> None:
    batch = world.ready()
    first, second = batch.items.order_by("position")
    ResendAct.objects.create(item=first, note=first.note, digest="a")
    with pytest.raises(IntegrityError), transaction.atomic():
        ResendAct.objects.create(item=second, note=first.note, digest="b")


def test_a_second_word_starts_it_and_a_second_press_changes_nothing(world) -> None:
    batch = world.asked()
    services.approve(batch=batch, by=world.engineer)
    services.approve(batch=batch, by=world.engineer)
    services.start(batch=batch, by=world.desk)
    batch.refresh_from_db()
    assert (batch.stage, batch.decided_by, batch.passes.filter(kind="send").count()) == ("sending", world.engineer, 1)


def test_what_is_declined_or_taken_back_sends_nothing(world) -> None:
    batch = world.asked()
    services.decline(batch=batch, by=world.engineer)
    batch.refresh_from_db()
    assert (batch.stage, batch.decided_by) == ("declined", world.engineer)
    with pytest.raises(ResendError, match="does not wait"):
        services.approve(batch=batch, by=a_person(world.facility, Role.INTEGRATION_ENGINEER))
    again = world.asked()
    services.decline(batch=again, by=world.desk)
    again.refresh_from_db()
    assert (again.stage, again.decided_by) == ("stopped", None)
    assert not ResendPass.objects.filter(kind="send").exists()
    assert set(ResendItem.objects.values_list("state", flat=True)) == {"left"}


def test_only_one_resend_goes_out_through_an_integration_at_a_time(db) -> None:
    world = World("sandbox")
    world.asked()
    other = world.ready(a_ticket(world.integration, a_note(world.integration)))
    with pytest.raises(ResendError, match="only one goes out at a time"):
        services.start(batch=other, by=world.desk)
    other.refresh_from_db()
    assert (other.stage, other.items.get().state) == ("ready", "planned")


def test_a_note_of_two_tickets_goes_into_one_resend(world) -> None:
    twin = world.ready(a_ticket(world.integration, world.notes[0]))
    world.asked()
    with pytest.raises(ResendError, match="another resend meanwhile"):
        services.start(batch=twin, by=world.desk)


def test_failures_that_come_later_never_join(world) -> None:
    from console.tickets.services import add_note

    batch = world.ready()
    add_note(ticket=world.ticket, note=a_note(world.integration), by=world.desk)
    services.start(batch=batch, by=world.desk)
    assert batch.items.count() == 2


def test_the_same_key_prepares_once_and_a_new_one_sets_the_old_aside(world) -> None:
    first = services.prepare(ticket=world.ticket, by=world.desk, key="same")
    assert services.prepare(ticket=world.ticket, by=world.desk, key="same").pk == first.pk
    services.prepare(ticket=world.ticket, by=world.desk, key="other")
    first.refresh_from_db()
    assert (first.stage, first.why) == ("stopped", "It was prepared anew.")


def test_what_was_prepared_long_ago_is_looked_at_anew(world) -> None:
    batch = world.ready()
    ResendBatch.objects.filter(pk=batch.pk).update(prepared_at=batch.prepared_at - services.STALE_AFTER * 2)
    with pytest.raises(ResendError, match="more than a day ago"):
        services.start(batch=batch, by=world.desk)


def test_a_ticket_without_waiting_notes_has_nothing_to_resend(world) -> None:
    world.ticket.ticket_notes.update(end="by_hand")
    with pytest.raises(ResendError, match="nothing to resend"):
        services.prepare(ticket=world.ticket, by=world.desk, key="k")


def test_more_notes_than_one_resend_takes_are_counted(world, monkeypatch) -> None:
    monkeypatch.setattr(services, "MOST_NOTES", 1)
    batch = services.prepare(ticket=world.ticket, by=world.desk, key="k")
    assert (batch.items.count(), batch.left_out) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_two_tabs_and_two_people_at_once_start_one_resend() -> None:
    for _ in range(5):
        world = World()
        batch = world.asked()
        people = [world.engineer, world.engineer, a_person(world.facility, Role.INFORMATICS)]
        gate, wrong = threading.Barrier(len(people)), []

        def press(person, batch=batch, gate=gate, wrong=wrong) -> None:
            gate.wait()
            try:
                services.approve(batch=batch, by=person)
            except ResendError:
                pass
            except Exception as problem:
                wrong.append(problem)
            finally:
                connection.close()

        threads = [threading.Thread(target=press, args=(person,)) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        batch.refresh_from_db()
        assert not wrong
        assert (batch.stage, batch.passes.filter(kind="send").count()) == ("sending", 1)
        assert batch.ticket.events.filter(kind="resend", before="approved").count() == 1
