"""The door makes HTTP requests within its budgets and turns every failure into data."""

import asyncio
import gzip
import socket
import zlib
from dataclasses import replace

import pytest

from diagnostics.net import Budget, Door, Exchange, FaultKind, Phase
from tests.diagnostics.net.peers import Script, answering, http, peer

SHORT = Budget(connect_s=0.5, tls_s=0.5, first_byte_s=0.3, total_s=0.8, wire_bytes=200_000, decoded_bytes=300_000)


def ask(script: Script, *, budget: Budget = SHORT, method: str = "GET", content: bytes = b"") -> Exchange:
    async def run() -> Exchange:
        async with peer(script) as port:
            return await Door(budget=budget).http("test", method, f"http://127.0.0.1:{port}/a?x=y", content=content)

    return asyncio.run(run())


def test_an_answer_is_kept_with_lower_case_headers_body_and_timings() -> None:
    got = ask(answering(http("201 Created", b"{}", Location="/a/1", X_Request_Id="r-1")))
    assert (got.status, got.body, got.headers["location"], got.headers["x-request-id"]) == (201, b"{}", "/a/1", "r-1")
    assert got.ok and got.fault is None and got.address == "127.0.0.1"
    assert got.timings.first_byte is not None


def test_the_kept_address_shows_no_query_value_and_no_password() -> None:
    async def run() -> Exchange:
        return await Door(budget=SHORT).http("t", "GET", "http://user:secret@127.0.0.1:1/p?patient=77&_count=5")

    got = asyncio.run(run())
    assert got.url == "http://127.0.0.1:1/p?patient=…&_count=5"


def test_a_redirect_is_kept_and_not_followed() -> None:
    got = ask(answering(http("302 Found", Location="http://127.0.0.1:1/login")))
    assert got.status == 302 and got.headers["location"].endswith("/login")


@pytest.mark.parametrize(
    ("script", "kind", "phase"),
    [
        (answering(hold=5), FaultKind.TIMEOUT_FIRST_BYTE, Phase.WAITING),
        (answering(http("200 OK", b"x" * 10)[:-5], hold=5), FaultKind.TIMEOUT_TOTAL, Phase.READING),
        (answering(http("200 OK", b"x" * 10)[:-5]), FaultKind.RESET, Phase.READING),
        (answering(), FaultKind.RESET, Phase.WAITING),
        (answering(b"SSH-2.0-OpenSSH\r\n\r\n"), FaultKind.PROTOCOL, Phase.READING),
        (answering(b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000), FaultKind.TOO_LARGE, Phase.READING),
        (answering(http("200 OK", b"x" * 250_000)), FaultKind.TOO_LARGE, Phase.READING),
        (answering(http("200 OK", b"not gzip", Content_Encoding="gzip")), FaultKind.PROTOCOL, Phase.READING),
        (answering(http("200 OK", b"?", Content_Encoding="br")), FaultKind.PROTOCOL, Phase.READING),
        (
            answering(http("200 OK", gzip.compress(bytes(5_000_000)), Content_Encoding="gzip")),
            FaultKind.TOO_LARGE,
            Phase.READING,
        ),
    ],
    ids=["silent", "endless", "cut", "closed", "not-http", "big-head", "big", "bad-gzip", "unasked-coding", "bomb"],
)
def test_every_way_to_fail_is_a_fault_with_kind_and_phase(script: Script, kind: FaultKind, phase: Phase) -> None:
    got = ask(script)
    assert got.fault is not None
    assert (got.fault.kind, got.fault.phase) == (kind, phase)


def test_a_peer_that_sends_one_byte_at_a_time_does_not_outlive_the_total_budget() -> None:
    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.05)

    got = ask(drip)
    assert got.fault is not None and got.fault.kind is FaultKind.TIMEOUT_TOTAL
    assert got.fault.request_may_have_arrived


def test_compressed_answers_are_read() -> None:
    assert ask(answering(http("200 OK", gzip.compress(b"abc"), Content_Encoding="gzip"))).body == b"abc"
    assert ask(answering(http("200 OK", zlib.compress(b"abc"), Content_Encoding="deflate"))).body == b"abc"


def test_an_early_refusal_of_a_large_body_is_read_although_sending_failed() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(http("413 Content Too Large"))
        await writer.drain()
        while await reader.read(65536):
            pass

    got = ask(refuse, method="POST", content=b"x" * 2_000_000, budget=replace(SHORT, total_s=10, first_byte_s=5))
    assert got.status == 413


def test_a_closed_port_is_refused_and_a_name_without_address_is_dns() -> None:
    async def run() -> tuple[Exchange, Exchange]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        door = Door(budget=SHORT)
        return (
            await door.http("t", "GET", f"http://127.0.0.1:{port}/"),
            await Door(budget=SHORT, resolver="127.0.0.1:1").http("t", "GET", "http://ehr.example.test/"),
        )

    refused, unknown = asyncio.run(run())
    assert refused.fault is not None and refused.fault.kind is FaultKind.REFUSED
    assert unknown.fault is not None and unknown.fault.kind is FaultKind.DNS


@pytest.mark.parametrize("url", ["ftp://x/", "not an address", "http://", "http://[::1", "https://a b/"])
def test_an_address_that_is_none_is_a_fault(url: str) -> None:
    got = asyncio.run(Door(budget=SHORT).http("t", "GET", url))
    assert got.fault is not None and got.status is None


def test_a_source_address_is_bound() -> None:
    async def run() -> bytes:
        seen: list[str] = []

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append(writer.get_extra_info("peername")[0])
            await answering(http("200 OK"))(reader, writer)

        async with peer(script) as port:
            await Door(budget=SHORT, source_address="127.0.0.2").http("t", "GET", f"http://127.0.0.1:{port}/")
        return seen[0].encode()

    assert asyncio.run(run()) == b"127.0.0.2"
