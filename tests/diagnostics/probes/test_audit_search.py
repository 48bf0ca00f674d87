"""AuditEvents asked from the practice EHR over real names, TLS and sign-in: every page once, or plainly why not."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from diagnostics.case import Case
from diagnostics.net.policy import AllowList
from diagnostics.practice.server import PracticeEhr
from diagnostics.practice.tenant import Tenant
from diagnostics.probes.audit_search import AuditSearch, Page, Trouble
from diagnostics.probes.vantage import door_for

SCOPE = "system/AuditEvent.rs"


@pytest.fixture
def asked(played: Any) -> Case:
    """Give a case whose integration may read audit events; the story's own events are not counted."""
    case = played()
    auth = replace(case.integration.auth, scopes=("system/DocumentReference.c", SCOPE))
    return replace(case, integration=replace(case.integration, auth=auth))


@pytest.fixture
def tenant(ehr: PracticeEhr, asked: Case) -> Iterator[Tenant]:
    found = ehr.tenant("north")
    found.audit.clear()
    ehr.ledger.clear("north")
    yield found
    ehr.set_faults("north", ())


def fill(tenant: Tenant, count: int, **more: Any) -> None:
    for number in range(count):
        after = -3600.0 + number * more.pop("every_s", 10.0)
        tenant.audit.write("filed", after_s=after, transaction_id=f"TX-{number}", resource=f"Document/{number}", **more)


def search(case: Case, *, count: int = 5, ago_s: float = 7200, **door: Any) -> list[Page | Trouble]:
    opened = door_for(case, **door)
    found: list[Page | Trouble] = []

    async def turn() -> None:
        since = datetime.now(UTC) - timedelta(seconds=ago_s)
        asking = AuditSearch(case.integration, opened, since=since, count=count)
        while (answer := await asking.next()) is not None:
            found.append(answer)
            if isinstance(answer, Trouble):
                break

    asyncio.run(turn())
    assert opened.exchanges == []
    return found


def told(found: list[Page | Trouble]) -> list[str]:
    lines = [json.loads(line) for page in found if isinstance(page, Page) for line in page.lines]
    return [event["entity"][-1]["what"]["identifier"]["value"] for event in lines]


def trouble(found: list[Page | Trouble]) -> Trouble:
    assert isinstance(found[-1], Trouble), found
    assert found[-1].says.endswith(".") and found[-1].remedy
    return found[-1]


def with_auth(case: Case, **fields: Any) -> Case:
    return replace(case, integration=replace(case.integration, auth=replace(case.integration.auth, **fields)))


def test_every_event_comes_once_in_order_and_nothing_is_written(tenant: Tenant, asked: Case) -> None:
    fill(tenant, 23)
    found = search(asked)
    assert told(found) == [f"TX-{number}" for number in range(23)]
    assert len(found) == 5
    pages = [page for page in found if isinstance(page, Page)]
    assert [page.through for page in pages] == [page.newest for page in pages]
    assert {entry.method for entry in tenant.ledger.entries("north", "fhir")} == {"GET"}


def test_the_token_that_is_asked_for_reads_events_and_nothing_else(tenant: Tenant, asked: Case) -> None:
    fill(tenant, 1)
    assert told(search(asked)) == ["TX-0"]
    assert {token.scope for token in tenant.tokens.values()} >= {SCOPE}
    assert list(tenant.tokens.values())[-1].scope == SCOPE


def test_only_what_is_newer_is_asked_for(tenant: Tenant, asked: Case) -> None:
    fill(tenant, 10)
    assert told(search(asked, ago_s=3600 - 65)) == ["TX-7", "TX-8", "TX-9"]
    assert told(search(asked, ago_s=60)) == []


def test_events_of_one_second_do_not_show_an_order(tenant: Tenant, asked: Case) -> None:
    fill(tenant, 12, every_s=0.0)
    found = search(asked)
    assert len(told(found)) == 12
    first = found[0]
    assert isinstance(first, Page) and first.newest is not None


def test_a_server_that_does_not_sort_is_noticed(ehr: PracticeEhr, tenant: Tenant, asked: Case) -> None:
    fill(tenant, 12)
    ehr.set_faults("north", {"audit-unsorted"})
    found = search(asked)
    assert sorted(told(found)) == sorted(f"TX-{number}" for number in range(12))
    assert {page.through for page in found if isinstance(page, Page)} == {None}


@pytest.mark.parametrize(
    ("fault", "kind", "pages"),
    [
        ("audit-none", "not_offered", 0),
        ("audit-forbidden", "forbidden", 0),
        ("audit-busy", "busy", 0),
        ("audit-breaks", "server", 1),
        ("audit-elsewhere", "odd", 1),
        ("audit-circle", "odd", 1),
        ("net-gateway-502", "server", 0),
        ("net-gateway-503", "busy", 0),
        ("auth-client-unknown", "token", 0),
        ("net-tls-expired", "unreachable", 0),
    ],
)
def test_a_search_that_cannot_go_on_says_why(
    ehr: PracticeEhr, tenant: Tenant, asked: Case, fault: str, kind: str, pages: int
) -> None:
    fill(tenant, 12)
    ehr.set_faults("north", {fault})
    found = search(asked)
    assert trouble(found).kind == kind
    assert len(found) == pages + 1
    hosts = {entry.target for entry in tenant.ledger.entries("north", "fhir")}
    assert not any("mirror" in target for target in hosts)


def test_a_pause_that_the_server_asks_for_is_told(ehr: PracticeEhr, tenant: Tenant, asked: Case) -> None:
    ehr.set_faults("north", {"audit-busy"})
    assert trouble(search(asked)).wait_s == 30.0


def test_a_missing_scope_is_said_before_and_after_the_token(ehr: PracticeEhr, tenant: Tenant, asked: Case) -> None:
    without = with_auth(asked, scopes=("system/DocumentReference.c",))
    assert trouble(search(without)).kind == "scope"
    assert tenant.ledger.entries("north") == []  # nothing was asked
    ehr.set_faults("north", {"perm-scope-read-only-v2"})
    said = trouble(search(asked))
    assert said.kind == "scope" and "system/AuditEvent.rs" in said.remedy


def test_what_is_not_set_up_is_said_without_a_word_to_the_network(tenant: Tenant, asked: Case) -> None:
    nowhere = replace(asked, integration=replace(asked.integration, fhir_base_url=None))
    for case in (nowhere, with_auth(asked, flow="provider-context", refresh_token="one-time"),
                 with_auth(asked, private_key=None)):  # fmt: skip
        assert trouble(search(case)).kind == "not_set_up"
    assert tenant.ledger.entries("north") == []


def test_a_key_in_a_header_signs_in_too(ehr: PracticeEhr, tenant: Tenant, asked: Case) -> None:
    fill(tenant, 2)
    case = with_auth(asked, flow="api-key", api_key=tenant.api_key, api_key_header="x-api-key")
    assert told(search(case)) == ["TX-0", "TX-1"]


def test_a_token_that_ends_between_two_pages_is_asked_for_again(tenant: Tenant, asked: Case) -> None:
    fill(tenant, 12)
    opened = door_for(asked)

    async def turn() -> list[Page | Trouble | None]:
        asking = AuditSearch(asked.integration, opened, since=datetime.now(UTC) - timedelta(hours=2), count=5)
        first = await asking.next()
        tenant.tokens.clear()
        return [first, await asking.next(), await asking.next(), await asking.next()]

    found = asyncio.run(turn())
    assert len(told([page for page in found if page is not None])) == 12
    assert found[-1] is None


def test_a_page_larger_than_is_read_is_asked_for_in_smaller_ones(tenant: Tenant, asked: Case) -> None:
    fill(tenant, 60, error="x" * 20, author_id="prov-1")
    door = door_for(asked)
    door.budget = replace(door.budget, decoded_bytes=20_000)

    async def turn() -> list[Page | Trouble]:
        asking = AuditSearch(asked.integration, door, since=datetime.now(UTC) - timedelta(hours=2), count=60)
        found: list[Page | Trouble] = []
        while (answer := await asking.next()) is not None:
            found.append(answer)
            assert isinstance(answer, Page), answer
        return found

    found = asyncio.run(turn())
    assert sorted(set(told(found))) == sorted(f"TX-{number}" for number in range(60))
    assert all(isinstance(page, Page) and len(page.lines) <= 15 for page in found)


def test_an_address_that_the_operator_did_not_allow_is_not_connected_to(tenant: Tenant, asked: Case) -> None:
    said = trouble(search(asked, policy=AllowList((), loopback=True)))
    assert said.kind == "unreachable" and "PROBE_ALLOW" in said.remedy
    assert tenant.ledger.entries("north") == []
