"""A resend from the dry run to the chart, against the practice EHR over real sockets: what goes out, and how often."""

import json
from dataclasses import replace

import pytest

from console.accounts.models import AuditEntry
from console.notes.ends import end_notes
from console.notes.models import NoteEnd
from console.resends import services
from console.resends.models import ResendAct, ResendBatch, ResendItem, ResendPass
from console.shared.work import sweep
from console.tickets.models import TicketEvent
from tests.console.resends.stage import TENANT, Stage, step, work

pytestmark = pytest.mark.django_db(transaction=True)


def states(batch: ResendBatch) -> list[str]:
    return list(batch.items.order_by("position").values_list("state", flat=True))


def written(stage: Stage, batch: ResendBatch) -> list[int]:
    return [stage.documents(item.note) for item in batch.items.order_by("position").select_related("note")]


def said(batch: ResendBatch) -> list[str]:
    events = TicketEvent.objects.filter(ticket=batch.ticket, kind="resend").order_by("at", "id")
    return list(events.values_list("after", flat=True))


def test_the_dry_run_plans_every_note_and_sends_nothing(stage) -> None:
    before = len(stage.ehr.ledger.creates(TENANT))
    batch = stage.prepared()
    assert (batch.stage, states(batch)) == ("ready", ["planned", "planned"])
    for item in batch.items.all():
        assert item.plan["method"] == "POST"
        assert item.plan["url"].endswith("/DocumentReference")
        assert item.plan["differences"]
        assert item.body == item.note.payload
        assert len(item.digest) == 64
    assert len(stage.ehr.ledger.creates(TENANT)) == before
    assert written(stage, batch) == [0, 0]


def test_each_note_goes_out_once_and_ends_in_the_chart(stage) -> None:
    batch = stage.started()
    work()
    batch.refresh_from_db()
    assert (batch.stage, batch.why) == ("done", "")
    for item in batch.items.select_related("note"):
        assert (item.state, item.in_chart, item.found, item.status) == ("created", True, 1, 201)
        assert item.body is None, "what was sent is kept no longer than the resend lasts"
        assert item.transaction == item.note.identifiers["transaction_id"]
        assert bytes(item.transaction_hash) == bytes(item.note.transaction_hash)
    assert written(stage, batch) == [1, 1]
    assert not stage.ticket.ticket_notes.filter(end="waiting").exists()
    assert said(batch)[-1] == "done the resend: 2 in the chart"


def test_a_cut_answer_is_read_back_and_told(stage) -> None:
    batch = stage.started()
    stage.ehr.set_faults(TENANT, {"resend-answer-cut", "resend-no-conditional-create"})
    work()
    batch.refresh_from_db()
    # The server stopped advertising the conditional create after the plan was approved.
    assert states(batch)[0] == "changed"
    assert batch.stage == "paused"
    services.stop(batch=batch, by=stage.desk)
    again = stage.started()
    work()
    assert states(again) == ["found", "found"]
    assert written(stage, again) == [1, 1]
    assert all(item.in_chart and "lost" in item.get_state_display() for item in again.items.all())


def test_what_was_sent_and_not_seen_is_never_repeated_by_itself(stage) -> None:
    stage.ehr.set_faults(TENANT, {"resend-request-cut"})
    batch = stage.started()
    work()
    batch.refresh_from_db()
    assert (batch.stage, states(batch)) == ("paused", ["absent", "waiting"])
    assert "Note 1" in batch.why
    assert "resent a note: not certain: sent, not seen" in said(batch)
    stage.ehr.set_faults(TENANT, ())
    services.go_on(batch=batch, by=stage.desk)
    work()
    batch.refresh_from_db()
    assert (batch.stage, states(batch)) == ("done", ["absent", "created"])
    assert written(stage, batch) == [0, 1]

    # Another attempt is refused until somebody looked again …
    refused = stage.prepared().items.get()
    assert refused.state == "not_possible"
    assert "Look for it again there first" in refused.plan["refused"]
    lost = batch.items.get(state="absent")
    services.look_again(item=lost, by=stage.desk)
    work()
    lost.refresh_from_db()
    assert (lost.state, lost.looked_at is not None) == ("absent", True)
    assert written(stage, batch)[0] == 0

    # … and then goes out only with a second person's word, in a sandbox too.
    repeat = stage.prepared()
    services.start(batch=repeat, by=stage.desk)
    repeat.refresh_from_db()
    assert (repeat.stage, repeat.items.get().repeats_id) == ("asked", lost.pk)
    services.approve(batch=repeat, by=stage.engineer)
    work()
    assert states(repeat) == ["created"]
    assert stage.documents(lost.note) == 1

    # Looked for once more, the first attempt's identifier is there now; that opens no write again.
    services.look_again(item=lost, by=stage.desk)
    work()
    lost.refresh_from_db()
    assert (lost.state, stage.documents(lost.note)) == ("found", 1)
    assert list(ResendAct.objects.filter(note=lost.note, open=True).values_list("item__batch", flat=True)) == [
        repeat.pk
    ]


def test_looking_again_finds_what_arrived_late(stage) -> None:
    batch = stage.started()
    tenant = stage.ehr.tenant(TENANT)
    tenant.behaviour = replace(tenant.behaviour, cut="answer", readback="absent")
    step()
    item = batch.items.get(position=1)
    assert item.state == "absent"
    tenant.behaviour = replace(tenant.behaviour, cut="none", readback="ok")
    tenant.store._hidden.clear()  # now the EHR shows what it stored
    services.look_again(item=item, by=stage.desk)
    while ResendPass.objects.filter(kind="look", state__in=("queued", "running")).exists():
        step()
    item.refresh_from_db()
    assert (item.state, item.in_chart) == ("found", True)
    assert stage.documents(item.note) == 1
    assert stage.ticket.ticket_notes.get(note=item.note).end == "in_chart"


def test_an_intent_of_a_killed_worker_is_only_read_back(stage) -> None:
    batch = stage.started()
    item = batch.items.get(position=1)
    ResendItem.objects.filter(pk=item.pk).update(state="sending")
    ResendAct.objects.create(item=item, note=item.note, digest=item.digest)
    step()
    item.refresh_from_db()
    assert (item.state, item.found) == ("absent", 0)
    assert "only looked for" in item.answer["says"]
    assert stage.documents(item.note) == 0


def test_a_killed_worker_without_an_intent_left_nothing_behind(stage) -> None:
    batch = stage.started()
    ResendItem.objects.filter(batch=batch, position=1).update(state="sending")
    work()
    assert states(batch) == ["created", "created"]
    assert written(stage, batch) == [1, 1]


def test_an_open_write_of_the_same_note_forbids_another_whoever_asks(stage) -> None:
    batch = stage.started()
    first, second = batch.items.order_by("position").select_related("note")
    ResendAct.objects.create(item=second, note=first.note, digest=first.digest)
    step()
    first.refresh_from_db()
    assert first.state == "absent", "the note may be on its way already: it is only looked for"
    assert stage.documents(first.note) == 0


def test_what_changed_since_the_approval_is_not_sent(stage) -> None:
    batch = stage.started()
    note = batch.items.get(position=1).note
    note.payload = note.payload.replace(b'"final"', b'"amended"')
    note.save()
    work()
    batch.refresh_from_db()
    assert (batch.stage, states(batch)) == ("paused", ["changed", "waiting"])
    assert "changed since this was prepared" in batch.items.get(position=1).answer["says"]
    assert written(stage, batch) == [0, 0]


def test_what_came_into_the_chart_meanwhile_is_not_sent(stage) -> None:
    other = stage.a_ticket()
    note = other.ticket_notes.get().note
    batch = stage.started(other)
    store = stage.ehr.tenant(TENANT).store
    store.create("DocumentReference", json.loads(note.payload), "2026-11-23T10:00:00Z")
    work()
    item = batch.items.get()
    assert (item.state, item.in_chart) == ("already", True)
    assert stage.held(note) == 1


def test_a_note_under_another_patient_pauses_it_always_and_is_not_in_the_chart(stage) -> None:
    batch = stage.started(stop_at_first_problem=False)
    note = batch.items.get(position=1).note
    store = stage.ehr.tenant(TENANT).store
    another = batch.items.get(position=2).note.identifiers["patient_id"]
    told = {**json.loads(note.payload), "subject": {"reference": f"Patient/{another}"}}
    store.create("DocumentReference", told, "2026-11-23T10:00:00Z")
    work()
    batch.refresh_from_db()
    item = batch.items.get(position=1)
    assert (batch.stage, item.state, item.in_chart) == ("paused", "already", False)
    assert "under another patient" in batch.why
    assert stage.ticket.ticket_notes.get(note=note).end == "waiting"


def test_a_note_that_somebody_entered_by_hand_meanwhile_is_not_sent(stage) -> None:
    batch = stage.started()
    note = batch.items.get(position=1).note
    end_notes(notes=[note], how="by_hand", by=stage.desk)
    work()
    assert states(batch) == ["left", "created"]
    assert "entered by hand" in batch.items.get(position=1).answer["says"]
    assert NoteEnd.objects.filter(note=note).count() == 1


def test_a_refusal_pauses_it_unless_people_said_otherwise(stage) -> None:
    tenant = stage.ehr.tenant(TENANT)
    batch = stage.started()
    tenant.behaviour = replace(tenant.behaviour, encounter_rule="owner")
    for one in tenant.store.all("Encounter"):
        one["participant"] = []
    step()
    batch.refresh_from_db()
    assert (batch.stage, states(batch)) == ("paused", ["refused", "waiting"])
    assert written(stage, batch) == [0, 0]


def test_pause_go_on_and_stop(stage) -> None:
    batch = stage.started()
    step()
    services.pause(batch=batch, by=stage.desk)
    work()
    assert states(batch) == ["created", "waiting"]
    services.go_on(batch=batch, by=stage.desk)
    services.stop(batch=batch, by=stage.desk)
    work()
    batch.refresh_from_db()
    assert (batch.stage, states(batch)) == ("stopped", ["created", "left"])
    assert written(stage, batch) == [1, 0]


def test_a_note_whose_turn_has_begun_is_held_back_when_it_stops_before_the_write(stage) -> None:
    batch = stage.started()
    ResendItem.objects.filter(batch=batch, position=1).update(state="sending")
    services.stop(batch=batch, by=stage.desk)
    work()
    assert states(batch) == ["left", "left"]
    assert written(stage, batch) == [0, 0]


def test_switching_resends_off_stops_what_is_under_way(stage) -> None:
    batch = stage.started()
    step()
    services.allow(integration=stage.integration, allowed=False, by=stage.engineer)
    work()
    batch.refresh_from_db()
    assert (batch.stage, states(batch)) == ("paused", ["created", "waiting"])
    assert "switched off" in batch.why


def test_a_worker_that_comes_to_nothing_leaves_an_uncertain_note_and_says_so(stage) -> None:
    batch = stage.started()
    item = batch.items.get(position=1)
    ResendItem.objects.filter(pk=item.pk).update(state="sending")
    ResendAct.objects.create(item=item, note=item.note, digest=item.digest)
    ResendPass.objects.filter(batch=batch, kind="send").update(attempt=5, due_at=item.batch.prepared_at)
    sweep()
    batch.refresh_from_db()
    item.refresh_from_db()
    assert (batch.stage, item.state) == ("paused", "unknown")
    assert "may have arrived" in item.answer["says"]
    work()
    item.refresh_from_db()
    assert (item.state, item.looked_at is not None) == ("absent", True), "it is looked for without being asked"
    assert stage.documents(item.note) == 0


def test_nothing_of_a_patient_stands_in_events_and_the_audit_trail(stage) -> None:
    batch = stage.started()
    work()
    secret = set()
    for item in batch.items.select_related("note"):
        secret |= {item.note.external_id, *map(str, (item.note.identifiers or {}).values())}
    told = " ".join(said(batch)) + " ".join(str(one.detail) for one in AuditEntry.objects.all())
    assert not [each for each in secret if each in told]
