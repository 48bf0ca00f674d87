"""A resend from the dry run to the chart, against the practice EHR over real sockets: what goes out, and how often."""

from collections.abc import Iterator

import pytest

from console.resends import services
from console.resends.models import ItemState, ResendBatch
from diagnostics.practice import PracticeEhr, running_practice
from tests.console.resends.stage import TENANT, Stage, a_stage, step, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def ehr() -> Iterator[PracticeEhr]:
    with running_practice((TENANT,)) as running:
        yield running


@pytest.fixture
def stage(ehr, tmp_path) -> Stage:
    return a_stage(ehr, tmp_path, notes=2)


def states(batch: ResendBatch) -> list[str]:
    return list(batch.items.order_by("position").values_list("state", flat=True))


def test_the_dry_run_plans_every_note_and_sends_nothing(stage) -> None:
    batch = stage.prepared()
    assert batch.stage == "ready"
    for item in batch.items.all():
        assert item.state == "planned", item.plan
        print(item.way, item.plan)
        assert item.digest and item.body
    assert not any(stage.documents(item.note) for item in batch.items.all())


def test_each_note_goes_out_once_and_ends_in_the_chart(stage) -> None:
    batch = stage.started()
    work()
    batch.refresh_from_db()
    print([(i.state, i.answer, i.found, i.in_chart) for i in batch.items.all()])
    assert batch.stage == "done"
    for item in batch.items.all():
        assert (item.state, item.in_chart, item.found, item.body) == ("created", True, 1, None)
        assert stage.documents(item.note) == 1
    assert not stage.ticket.ticket_notes.filter(end="waiting").exists()
