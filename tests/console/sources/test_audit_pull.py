"""The standing order for audit events against the practice EHR: over real names, TLS and sign-in."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.utils import timezone

from console.accounts.models import AuditEntry
from console.accounts.roles import Role
from console.integrations.models import Integration
from console.monitoring import audit_pulls
from console.monitoring.audit_pulls import execute, pull_now, switch_off, switch_on
from console.monitoring.models import AuditPull
from console.notes.case_import import set_integration
from console.notes.models import LogEntry, LogImport
from console.shared.work import LeaseLost, WorkState, claim, sweep
from diagnostics import case_folder
from diagnostics.practice import PracticeEhr, build_case, running_practice
from diagnostics.practice.tenant import Tenant
from tests.console.builders import a_facility, a_person, an_integration

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def ehr() -> Iterator[PracticeEhr]:
    with running_practice(("north",)) as running:
        yield running


@pytest.fixture(scope="module")
def case(ehr: PracticeEhr, tmp_path_factory: Any) -> Any:
    folder = tmp_path_factory.mktemp("case")
    build_case(ehr, "north", None, folder)
    return case_folder.load(folder)


@pytest.fixture
def tenant(ehr: PracticeEhr) -> Iterator[Tenant]:
    found = ehr.tenant("north")
    found.audit.clear()
    ehr.ledger.clear("north")
    yield found
    ehr.set_faults("north", ())


@pytest.fixture
def integration(case: Any) -> Integration:
    """Give an integration that may read audit events."""
    made = an_integration(a_facility())
    auth = replace(case.integration.auth, scopes=("system/DocumentReference.c", "system/AuditEvent.rs"))
    part = replace(case.integration, auth=auth, timeout_s=10.0)
    set_integration(made, replace(case, integration=part))
    return made


@pytest.fixture
def pull(integration: Integration) -> AuditPull:
    engineer = a_person(integration.facility, Role.INTEGRATION_ENGINEER)
    return switch_on(integration=integration, every_minutes=5, by=engineer)


def fill(tenant: Tenant, *numbers: int, ago_s: float = 600.0) -> None:
    for number in numbers:
        tenant.audit.write(
            "filed", after_s=number - ago_s, transaction_id=f"TX-{number}", request_id=f"req-{number}",
            client_id=tenant.client_id, resource=f"DocumentReference/{number}", patient_id="P-1", encounter_id="E-1",
        )  # fmt: skip


def again(pull: AuditPull, by: datetime | None = None) -> AuditPull:
    AuditPull.objects.filter(pk=pull.pk).update(due_at=by or timezone.now())
    assert execute(pull.pk)
    return AuditPull.objects.get(pk=pull.pk)


def stored() -> list[str]:
    rows = LogEntry.objects.filter(log="ehr").order_by("at", "position")
    return [row.sealed["transaction_id"] for row in rows]


def paged(ehr: PracticeEhr, monkeypatch: Any, count: int) -> None:
    """Let pages be small, as a setting of the search; nothing of the way to the EHR is changed."""
    monkeypatch.setattr(audit_pulls, "COUNT", count)


def test_events_come_in_as_rows_of_the_ehr_with_a_receipt(tenant: Tenant, pull: AuditPull) -> None:
    fill(tenant, *range(5))
    after = again(pull)
    assert stored() == [f"TX-{number}" for number in range(5)]
    made = LogImport.objects.get()
    assert (made.via, made.log, made.rows, made.stored, made.quarantined) == ("pull", "ehr", 5, 5, 0)
    assert (after.state, after.new_rows, after.failures, after.says) == (WorkState.QUEUED, 5, 0, "")
    assert after.due_at > timezone.now() + timedelta(minutes=4)
    assert {entry.method for entry in tenant.ledger.entries("north", "fhir")} == {"GET"}


def test_what_was_met_before_is_not_stored_again_and_leaves_no_receipt(tenant: Tenant, pull: AuditPull) -> None:
    fill(tenant, 1, 2)
    again(pull)
    again(pull)
    fill(tenant, 3)
    again(pull)
    assert stored() == ["TX-1", "TX-2", "TX-3"]
    assert sorted(LogImport.objects.values_list("rows", "stored")) == [(1, 1), (2, 2)]


def test_an_event_that_comes_late_is_still_met(tenant: Tenant, pull: AuditPull) -> None:
    fill(tenant, 500)
    again(pull)
    fill(tenant, 100)  # 400 s before the newest
    again(pull)
    assert stored() == ["TX-100", "TX-500"]


def test_the_intake_knows_them_where_the_order_forgot(tenant: Tenant, pull: AuditPull) -> None:
    fill(tenant, 1, 2)
    again(pull)
    AuditPull.objects.filter(pk=pull.pk).update(recent=b"")
    after = again(pull)
    assert stored() == ["TX-1", "TX-2"] and after.new_rows == 0
    assert LogImport.objects.count() == 1


def test_a_pull_that_breaks_off_keeps_what_came_and_goes_on_there(
    ehr: PracticeEhr, tenant: Tenant, pull: AuditPull, monkeypatch: Any
) -> None:
    paged(ehr, monkeypatch, 4)
    fill(tenant, *range(10))
    ehr.set_faults("north", {"audit-breaks"})
    broken = again(pull)
    assert stored() == [f"TX-{number}" for number in range(4)]
    assert (broken.trouble, broken.failures, broken.failing_since is not None) == ("server", 1, True)
    assert broken.resume_at == LogEntry.objects.latest("at").at
    ehr.set_faults("north", ())
    asked = len(tenant.ledger.entries("north", "fhir"))
    well = again(pull)
    assert stored() == [f"TX-{number}" for number in range(10)]
    assert (well.failures, well.trouble, well.says, well.resume_at) == (0, "", "", None)
    assert len(tenant.ledger.entries("north", "fhir")) - asked == 2  # seven events, four a page: none twice


def test_more_than_one_pull_may_fetch_comes_with_the_next_at_once(
    ehr: PracticeEhr, tenant: Tenant, pull: AuditPull, monkeypatch: Any
) -> None:
    paged(ehr, monkeypatch, 3)
    monkeypatch.setattr(audit_pulls, "MOST_PAGES", 2)
    fill(tenant, *range(20))
    rounds = 0
    while True:
        row, rounds = again(pull), rounds + 1
        if row.resume_at is None:
            break
        assert row.due_at <= timezone.now() and row.failures == 0
        assert rounds < 20
    assert stored() == [f"TX-{number}" for number in range(20)]
    assert rounds > 3


def test_a_server_without_order_loses_nothing_to_a_stop(
    ehr: PracticeEhr, tenant: Tenant, pull: AuditPull, monkeypatch: Any
) -> None:
    paged(ehr, monkeypatch, 3)
    fill(tenant, *range(8))
    ehr.set_faults("north", {"audit-unsorted"})
    monkeypatch.setattr(audit_pulls, "MOST_PAGES", 1)
    before = AuditPull.objects.get(pk=pull.pk).last_seen
    row = again(pull)
    assert (row.last_seen, row.resume_at, row.trouble) == (before, None, "odd")
    monkeypatch.setattr(audit_pulls, "MOST_PAGES", 100)
    row = again(pull)
    assert stored() == [f"TX-{number}" for number in range(8)]
    assert row.last_seen == LogEntry.objects.latest("at").at and row.failures == 0


def test_an_event_from_the_future_hides_none_that_follow(tenant: Tenant, pull: AuditPull) -> None:
    fill(tenant, 1)
    fill(tenant, 7200)  # the EHR's clock is wrong by hours
    assert again(pull).last_seen <= timezone.now()
    fill(tenant, 500)
    again(pull)
    assert stored() == ["TX-1", "TX-500", "TX-7200"]


@pytest.mark.parametrize(("fault", "kind"), [("audit-none", "not_offered"), ("audit-forbidden", "forbidden")])
def test_what_the_ehr_refuses_is_said_with_what_to_do_and_asked_ever_less(
    ehr: PracticeEhr, tenant: Tenant, pull: AuditPull, fault: str, kind: str
) -> None:
    ehr.set_faults("north", {fault})
    pauses = []
    for number in range(1, 9):
        row = again(pull)
        assert (row.trouble, row.failures) == (kind, number)
        pauses.append(row.due_at - timezone.now())
    assert "drop folder" in row.remedy
    assert pauses == sorted(pauses) and pauses[-1] <= timedelta(hours=6)
    assert pauses[2] > timedelta(minutes=19)


def test_a_pause_that_the_ehr_asks_for_is_kept(ehr: PracticeEhr, tenant: Tenant, pull: AuditPull) -> None:
    AuditPull.objects.filter(pk=pull.pk).update(every_minutes=1)
    ehr.set_faults("north", {"audit-busy"})
    row = again(pull)
    assert row.trouble == "busy" and row.due_at > timezone.now() + timedelta(seconds=29)


def test_one_pull_at_a_time(tenant: Tenant, pull: AuditPull) -> None:
    fill(tenant, 1)
    held_elsewhere = claim(AuditPull, pull.pk)
    assert held_elsewhere is not None
    assert not execute(pull.pk)
    assert stored() == []


def test_a_worker_that_lost_its_lease_stores_nothing(tenant: Tenant, pull: AuditPull) -> None:
    fill(tenant, 1)
    row = claim(AuditPull, pull.pk)
    assert row is not None
    AuditPull.objects.filter(pk=pull.pk).update(fence=99)  # another worker took it over
    with pytest.raises(LeaseLost):
        audit_pulls._Pull(row, threading.Event()).run()
    assert len(tenant.ledger.entries("north", "fhir")) == 1
    assert stored() == [] and LogImport.objects.count() == 0


def test_the_sweeper_rings_for_a_pull_that_is_due_and_one_that_crashed_goes_on_later(pull: AuditPull) -> None:
    AuditPull.objects.filter(pk=pull.pk).update(rung_at=timezone.now() - timedelta(hours=1))
    assert sweep()["rung"] == 1
    AuditPull.objects.filter(pk=pull.pk).update(attempt=5, lease_until=timezone.now() - timedelta(seconds=1))
    assert sweep()["gave_up"] == 1
    row = AuditPull.objects.get(pk=pull.pk)
    assert (row.state, row.attempt, row.trouble, row.failures) == (WorkState.QUEUED, 0, "worker", 1)
    assert row.due_at > timezone.now() + timedelta(minutes=50)


def test_switched_off_it_asks_no_more(tenant: Tenant, pull: AuditPull) -> None:
    fill(tenant, 1)
    engineer = a_person(pull.integration.facility, Role.INTEGRATION_ENGINEER)
    switch_off(pull=pull, by=engineer)
    assert not execute(pull.pk) and sweep() == {"rung": 0, "gave_up": 0}
    assert tenant.ledger.entries("north") == []
    switch_on(integration=pull.integration, every_minutes=15, by=engineer)
    assert again(pull).every_minutes == 15
    assert stored() == ["TX-1"]
    actions = AuditEntry.objects.filter(action__startswith="audit_pull").order_by("at").values_list("action", flat=True)
    assert list(actions) == ["audit_pull.on", "audit_pull.off", "audit_pull.on"]


def test_only_who_looks_after_integrations_switches(integration: Integration, pull: AuditPull) -> None:
    for person in (a_person(integration.facility), a_person(a_facility(), Role.INTEGRATION_ENGINEER)):
        for act in (
            lambda: switch_on(integration=integration, every_minutes=5, by=person),  # noqa: B023
            lambda: switch_off(pull=pull, by=person),  # noqa: B023
            lambda: pull_now(pull=pull, by=person),  # noqa: B023
        ):
            with pytest.raises(PermissionDenied):
                act()


def test_an_integration_that_is_not_in_use_is_not_asked(tenant: Tenant, pull: AuditPull) -> None:
    Integration.objects.filter(pk=pull.integration_id).update(active=False)
    assert again(pull).trouble == "not_set_up"
    assert tenant.ledger.entries("north") == []


def test_no_id_stands_in_the_clear_in_the_order(tenant: Tenant, pull: AuditPull) -> None:
    fill(tenant, 1)
    row = again(pull)
    told = json.dumps({field.name: str(getattr(row, field.name)) for field in row._meta.fields})
    assert "TX-1" not in told and "P-1" not in told
    assert datetime.now(UTC) > row.last_seen
