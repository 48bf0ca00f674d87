"""HL7 on the wire, and peers that never end or never begin."""

import asyncio
import io
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command

from tests.cases.bench import Bench
from tests.cases.building import Story, ack
from tests.cases.judging import diagnose
from tests.cases.servers import closed_port, mllp


def v2(port: int, **hl7: Any) -> Story:
    settings = {"host": "127.0.0.1", "port": port, "tls": False, "version": "2.5.1", "message": "MDM^T02"}
    return Story(protocol="hl7v2", integration={"hl7": settings | hl7, "timeout_s": 3})


def test_an_hl7_listener_that_is_there(bench: Bench) -> None:
    heard: list[bytes] = []
    port = bench.loop.serve(mllp(lambda message: heard.append(message)))
    bench.check(v2(port), None, "0 causes")
    assert not heard, "cases.md: no message without canary_message"


def test_an_hl7_port_that_is_closed(bench: Bench) -> None:
    bench.check(v2(closed_port()), "net.tcp.refused", "2.5")


def hl7_canary(bench: Bench, reply: Callable[[bytes], bytes | None]) -> Story:
    port = bench.loop.serve(mllp(reply))
    story = v2(port, canary_message=True)
    story.integration["canary"] = {"patient": "Patient/test-1", "encounter": "Encounter/test-1"}
    return story


def control(message: bytes) -> str:
    return message.split(b"\r")[0].split(b"|")[9].decode()


def test_an_hl7_canary_that_is_taken(bench: Bench) -> None:
    bench.check(hl7_canary(bench, lambda m: ack("AA", control(m)).encode()), None, "0 causes")


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (lambda m: ack("AR", control(m), "ERR||MSH^1^11|202^Unsupported processing id^HL70357|E").encode(),
         ("hl7.ack.negative", "hl7.msh.processing_id")),
        (lambda m: ack("AE", control(m)).encode(), "hl7.ack.negative"),
        (lambda m: ack("AA", "SOMETHING-ELSE").encode(), "hl7.ack.mismatch"),
        (lambda m: None, "hl7.ack.missing"),
    ],
    ids=["202", "bare", "mismatch", "silent"],
)  # fmt: skip
def test_what_an_hl7_canary_meets(reply: Any, cause: Any, bench: Bench) -> None:
    bench.check(hl7_canary(bench, reply), cause, "2.3 hl7.ack rows")


def test_an_endless_body_ends_inside_the_budget(bench: Bench) -> None:
    async def flood(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/fhir+json\r\ntransfer-encoding: chunked\r\n\r\n")
        while not writer.is_closing():
            await asyncio.sleep(0)
            writer.write(b"10000\r\n" + b"{" * 65536 + b"\r\n")
            await writer.drain()

    port = bench.loop.serve(flood, bench.tls())
    story = bench.story(base=f"https://127.0.0.1:{port}", timeout_s=2)
    trial = story.expect("x", None, None, "", exit=3)
    document, _ = diagnose(trial.write(bench.folder / "case"), offline=False)
    assert document["ms"] < 30_000
    assert not [c for step in document["steps"] for c in step["checks"] if c["status"] == "error"]


def test_a_peer_that_never_answers_ends_inside_the_timeout(bench: Bench) -> None:
    async def mute(reader: Any, writer: Any) -> None:
        await reader.read()

    port = bench.loop.serve(mute, bench.tls())
    story = bench.story(base=f"https://127.0.0.1:{port}", timeout_s=60)
    folder = story.expect("x", None, None, "", exit=3).write(bench.folder / "case")
    began, out = time.monotonic(), io.StringIO()
    with pytest.raises(SystemExit):
        call_command("diagnose", str(folder), "--json", "--timeout", "3", stdout=out)
    assert json.loads(out.getvalue())["schema"] == 1
    assert time.monotonic() - began < 15, "generous: the budget was three seconds"
