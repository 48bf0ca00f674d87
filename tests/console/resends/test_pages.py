"""What people see of a resend: the ticket's part, the dry run, what waits for their word, a note's attempts."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.resends.models import ItemState, ResendBatch, ResendItem, ResendPass, Stage
from console.resends.shape import shape_of
from tests.console.builders import a_note, a_person, a_ticket
from tests.console.resends.test_words import World

pytestmark = pytest.mark.django_db
PLAN = {
    "refused": "", "method": "POST", "url": "https://ehr.example/fhir/R4/DocumentReference", "size": 20, "warning": "",
    "headers": [["Prefer", "return=minimal"]], "content_type": "application/fhir+json", "shape": "[20 bytes]",
    "looks_for": "A search for the note's own identifier.",
    "differences": [{"where": "Address", "before": "old.example", "after": "ehr.example", "why": "Settings changed."}],
}  # fmt: skip
SECRET = b'{"text": "words of the visit"}'


@pytest.fixture
def world() -> World:
    return World()


def planned(world: World) -> ResendBatch:
    batch = world.ready()
    for item in batch.items.all():
        item.plan, item.body, item.way = PLAN, SECRET, "create"
        item.save()
    return batch


def seen_by(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


def text(client: Client, name: str, *ids, **headers) -> str:
    answer = client.get(reverse(name, args=ids), headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_dry_run_says_what_would_go_where_and_why_it_differs(world) -> None:
    batch = planned(world)
    page = text(seen_by(world.desk), "resends:batch", batch.pk)
    for words in ("POST https://ehr.example/fhir/R4/DocumentReference", "A search for the note&#x27;s own identifier",
                  "old.example", "Settings changed.", "Nothing has been sent.",
                  "Ask for approval to resend 2 notes"):  # fmt: skip
        assert words in page
    assert "words of the visit" not in page


def test_a_sandbox_has_the_exact_count_on_its_button() -> None:
    world = World("sandbox")
    batch = planned(world)
    first = batch.items.order_by("position").first()
    first.state, first.plan = ItemState.NOT_POSSIBLE, {**PLAN, "refused": "Enter it by hand."}
    first.save()
    page = text(seen_by(world.desk), "resends:batch", batch.pk)
    assert "Resend 1 note<" in page
    assert "Left out: 1 note" in page
    assert "Enter it by hand." in page


def test_what_would_be_sent_is_opened_with_the_right_alone_and_recorded(world) -> None:
    batch = planned(world)
    item = batch.items.first()
    where = reverse("resends:content", args=[batch.pk, item.pk])
    assert seen_by(a_person(world.facility, Role.MANAGER)).post(where).status_code == 403
    assert not AuditEntry.objects.filter(action="payload.opened").exists()
    page = seen_by(world.desk).post(where).content.decode()
    assert "words of the visit" in page
    entry = AuditEntry.objects.get(action="payload.opened")
    assert entry.detail["resend"] == str(batch.pk)
    assert world.ticket.events.filter(kind="payload_opened", reference=item.note_id).exists()


def test_who_asked_sees_that_somebody_else_must_approve_and_the_other_sees_the_buttons(world) -> None:
    batch = planned(world)
    seen_by(world.desk).post(reverse("resends:start", args=[batch.pk]))
    own = text(seen_by(world.desk), "resends:batch", batch.pk)
    assert "somebody else has to approve it" in own
    assert "Approve: resend" not in own
    other = text(seen_by(world.engineer), "resends:batch", batch.pk)
    assert "Approve: resend 2 notes" in other
    waiting = text(seen_by(world.engineer), "resends:waiting")
    assert f"#{world.ticket.number}" in waiting
    assert "Asked by you" in text(seen_by(world.desk), "resends:waiting")
    assert "Nothing waits for you." in text(seen_by(a_person(World().facility)), "resends:waiting")


def test_an_engineer_who_asked_gets_his_own_resend_not_to_approve(world) -> None:
    batch = planned(world)
    seen_by(world.engineer).post(reverse("resends:start", args=[batch.pk]))
    assert "Nothing waits for you." in text(seen_by(world.engineer), "resends:waiting")
    answer = seen_by(world.engineer).post(reverse("resends:decide", args=[batch.pk]), {"decision": "approve"})
    assert answer.status_code == 422
    assert "somebody else must approve it" in answer.content.decode()


def test_the_tickets_part_says_why_not(world) -> None:
    desk = seen_by(world.desk)
    part = text(desk, "resends:of_ticket", world.ticket.number, HX_Request="true")
    assert "Prepare a resend" in part
    assert "<html" not in part
    world.integration.resend_allowed = False
    world.integration.save()
    assert "Resending is off" in text(desk, "resends:of_ticket", world.ticket.number)
    world.integration.resend_allowed = True
    world.integration.save()
    manager = seen_by(a_person(world.facility, Role.MANAGER))
    assert "Your role does not resend notes." in text(manager, "resends:of_ticket", world.ticket.number)
    world.ticket.ticket_notes.update(end="not_needed")
    assert "nothing to resend" in text(desk, "resends:of_ticket", world.ticket.number)


def test_a_cause_that_still_shows_is_told_before_the_start(world) -> None:
    from console.diagnoses.models import Run
    from console.shared.work import WorkState

    Run.objects.create(
        facility=world.facility, integration=world.integration, ticket_id=world.ticket.pk, state=WorkState.DONE,
        cause="auth.token.expired", category="authentication",
    )  # fmt: skip
    batch = planned(world)
    for name, key in (("resends:of_ticket", world.ticket.number), ("resends:batch", batch.pk)):
        assert "The newest diagnosis still shows a cause" in text(seen_by(world.desk), name, key)


def test_it_asks_again_only_while_a_worker_has_something_to_do(world) -> None:
    batch = planned(world)
    assert "data-poll" not in text(seen_by(world.desk), "resends:live", batch.pk)
    ResendPass.objects.create(kind="prepare", batch=batch, integration=world.integration)
    ResendBatch.objects.filter(pk=batch.pk).update(stage=Stage.PREPARING)
    part = text(seen_by(world.desk), "resends:live", batch.pk)
    assert "data-poll" in part
    assert "It waits for a worker." in part


def test_an_uncertain_note_offers_to_look_again_and_its_page_tells_of_it(world) -> None:
    batch = planned(world)
    item = batch.items.order_by("position").first()
    item.state, item.started_at, item.answer = ItemState.ABSENT, timezone.now(), {"says": "Reading back shows nothing."}
    item.save()
    ResendBatch.objects.filter(pk=batch.pk).update(
        stage=Stage.STOPPED, requested_by=world.desk, requested_at=timezone.now(), started_at=timezone.now()
    )
    desk = seen_by(world.desk)
    page = text(desk, "resends:batch", batch.pk)
    assert "Look again" in page
    assert "Reading back shows nothing." in page
    assert "Reading back shows nothing." in text(desk, "resends:of_note", item.note_id, HX_Request="true")
    assert "1 not certain" in text(desk, "resends:of_ticket", world.ticket.number)
    where = reverse("resends:look", args=[batch.pk, item.pk])
    assert desk.post(where).status_code == 302
    assert desk.post(where).status_code == 302, "a second press asks nothing twice"
    assert ResendPass.objects.filter(kind="look", item=item).count() == 1
    assert "Looking for it at the EHR." in text(desk, "resends:batch", batch.pk)


def test_ten_times_the_notes_cost_no_further_query(world) -> None:
    small = planned(world)
    seen_by(world.desk).post(reverse("resends:start", args=[small.pk]))
    big_ticket = a_ticket(world.integration, *(a_note(world.integration) for _ in range(20)))
    big = world.ready(big_ticket)
    for item in big.items.all():
        item.plan, item.body, item.way = PLAN, SECRET, "create"
        item.save()
    seen_by(world.desk).post(reverse("resends:start", args=[big.pk]))
    client = seen_by(world.engineer)
    for name in ("resends:batch", "resends:live"):
        counts = []
        for batch in (small, big):
            text(client, name, batch.pk)
            with CaptureQueriesContext(
                connection,
            ) as asked:
                text(client, name, batch.pk)
            counts.append(len(asked))
        assert counts[0] == counts[1], (name, counts)
    assert ResendItem.objects.filter(batch=big).count() == 20


def test_the_ticket_page_has_its_part_and_an_old_resend_says_what_became_of_it(world) -> None:
    assert reverse("resends:of_ticket", args=[world.ticket.number]) in text(
        seen_by(world.desk), "tickets:ticket", world.ticket.number
    )


def test_a_body_is_shown_without_what_it_says() -> None:
    shown = shape_of(b'{"resourceType": "DocumentReference", "subject": {"reference": "Patient/77"}, "n": [12, true]}')
    assert '"resourceType": "DocumentReference"' in shown
    assert "Patient/77" not in shown
    assert "[10 characters]" in shown
    message = b"MSH|^~\\&|SCRIBE|N|EHR|N|20261123||MDM^T02|CTRL-9|P|2.5.1\rPID|1||77^^^N||DOE^JANE\rOBX|1|TX|||words"
    shown = shape_of(message)
    assert shown.startswith("MSH|^~\\&|")
    assert "MDM^T02" in shown
    for secret in ("CTRL-9", "DOE", "77", "words"):
        assert secret not in shown
    assert shape_of(b"\xff\xfe<x/>") == "[6 bytes]"
    assert len(shape_of(b'["' + b'","'.join([b"a"] * 50_000) + b'"]')) < 30_000
