"""Names resolve to exact outcomes, and the address policy sees through every disguise."""

import asyncio
import ipaddress
from pathlib import Path

import pytest

from diagnostics.net import ActKind, AllowedRange, AllowList, Budget, DnsOutcome, Door, FaultKind, Resolution
from diagnostics.net.policy import embedded
from diagnostics.net.resolver import Resolver
from tests.diagnostics.net.peers import name_server

ZONE: dict[str, list[str] | str] = {
    "ehr.example.test": ["127.0.0.1", "::1"],
    "four.example.test": ["127.0.0.1"],
    "empty.example.test": [],
    "broken.example.test": "servfail",
    "closed.example.test": "refused",
    "silent.example.test": "silent",
    "mixed.example.test": ["10.0.0.5", "169.254.169.254"],
}


@pytest.mark.parametrize(
    ("host", "outcome", "count"),
    [
        ("ehr.example.test", DnsOutcome.FOUND, 2),
        ("four.example.test", DnsOutcome.FOUND, 1),
        ("absent.example.test", DnsOutcome.NXDOMAIN, 0),
        ("empty.example.test", DnsOutcome.NODATA, 0),
        ("broken.example.test", DnsOutcome.SERVFAIL, 0),
        ("closed.example.test", DnsOutcome.REFUSED, 0),
        ("silent.example.test", DnsOutcome.TIMEOUT, 0),
        ("127.0.0.1", DnsOutcome.LITERAL, 1),
        ("[::1]", DnsOutcome.LITERAL, 1),
        ("localhost", DnsOutcome.LITERAL, 1),
        ("a..b", DnsOutcome.INVALID_NAME, 0),
        ("a b", DnsOutcome.INVALID_NAME, 0),
        ("x" * 64 + ".test", DnsOutcome.INVALID_NAME, 0),
    ],
)
def test_each_answer_of_the_name_server_keeps_its_name(host: str, outcome: DnsOutcome, count: int) -> None:
    async def run() -> Resolution:
        async with name_server(ZONE) as server:
            return await Resolver(server).resolve(host, timeout_s=0.6)

    got = asyncio.run(run())
    assert (got.outcome, len(got.addresses)) == (outcome, count)


def test_the_hosts_file_counts_only_without_a_given_server(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("10.1.2.3 ehr.example.test alias # comment\nrubbish\n")
    got = asyncio.run(Resolver(None, hosts_file=hosts).resolve("ALIAS", timeout_s=0.5))
    assert got.addresses == ("10.1.2.3",)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2002:7f00:1::", "127.0.0.1"),
        ("64:ff9b::7f00:1", "127.0.0.1"),
        ("64:ff9b:1::a9fe:a9fe", "169.254.169.254"),
        ("::127.0.0.1", "127.0.0.1"),
        ("2001:0:7f00:1::", "127.0.0.1"),
    ],
)
def test_an_ipv4_address_inside_ipv6_is_found_and_judged(text: str, hidden: str) -> None:
    address = ipaddress.ip_address(text)
    assert ipaddress.ip_address(hidden) in set(embedded(address))
    everything = AllowList((AllowedRange(ipaddress.ip_network("::/0")),), loopback=False)
    assert everything.refusal(address, 443, ActKind.HTTP) is not None


LIST = AllowList(
    (
        AllowedRange(ipaddress.ip_network("10.0.0.0/8"), frozenset({443}), frozenset({ActKind.HTTP, ActKind.TLS})),
        AllowedRange(ipaddress.ip_network("0.0.0.0/0"), frozenset({9443})),
    ),
    own=frozenset({(ipaddress.ip_address("10.9.9.9"), 443)}),
)


@pytest.mark.parametrize(
    ("text", "port", "kind", "allowed"),
    [
        ("10.0.0.5", 443, ActKind.HTTP, True),
        ("10.0.0.5", 444, ActKind.HTTP, False),
        ("10.0.0.5", 443, ActKind.MLLP, False),
        ("10.9.9.9", 443, ActKind.HTTP, False),
        ("192.168.0.1", 9443, ActKind.MLLP, True),
        ("169.254.169.254", 9443, ActKind.HTTP, False),
        ("127.0.0.1", 9443, ActKind.HTTP, False),
        ("0.0.0.0", 9443, ActKind.HTTP, False),
        ("224.0.0.1", 9443, ActKind.HTTP, False),
        ("255.255.255.255", 9443, ActKind.HTTP, False),
        ("fe80::1", 9443, ActKind.HTTP, False),
        ("::1", 9443, ActKind.HTTP, False),
    ],
)
def test_the_allow_list_bounds_network_port_and_act(text: str, port: int, kind: ActKind, allowed: bool) -> None:
    assert (LIST.refusal(ipaddress.ip_address(text), port, kind) is None) is allowed


def test_loopback_is_open_only_where_the_caller_says_so() -> None:
    practice = AllowList((AllowedRange(ipaddress.ip_network("127.0.0.0/8")),), loopback=True)
    assert practice.refusal(ipaddress.ip_address("127.0.0.1"), 9443, ActKind.HTTP) is None


def test_the_door_refuses_when_one_of_several_addresses_is_closed() -> None:
    async def run() -> FaultKind | None:
        allow = AllowList((AllowedRange(ipaddress.ip_network("10.0.0.0/8")),))
        async with name_server(ZONE) as server:
            door = Door(policy=allow, resolver=server, budget=Budget(dns_s=1, connect_s=0.3))
            got = await door.http("t", "GET", "http://mixed.example.test/")
        return got.fault.kind if got.fault else None

    assert asyncio.run(run()) is FaultKind.POLICY


@pytest.mark.parametrize("host", ["0177.1", "0x7f.1", "2130706433", "127.1"])
def test_odd_spellings_of_loopback_never_reach_it(host: str) -> None:
    async def run() -> FaultKind | None:
        async with name_server({}) as server:
            got = await Door(policy=AllowList(()), resolver=server).http("t", "GET", f"http://{host}/")
        return got.fault.kind if got.fault else None

    assert asyncio.run(run()) in (FaultKind.DNS, FaultKind.POLICY)
