"""The MLLP client reads split, glued, stray and late acknowledgements, and never waits for ever."""

import asyncio
from pathlib import Path

import pytest

from diagnostics.net import Budget, Door, FaultKind, MllpExchange, Trust
from diagnostics.net.mllp import FrameReader, acknowledged_id, framed
from tests.diagnostics.net.peers import Issued, peer

MESSAGE = b"MSH|^~\\&|SCRIBE|F|EHR|F|20261122||MDM^T02|M1|T|2.5.1\r"


def ack(control_id: str, code: str = "AA") -> bytes:
    return f"MSH|^~\\&|EHR|F|SCRIBE|F|20261122||ACK|A1|T|2.5.1\rMSA|{code}|{control_id}\r".encode()


def send(*parts: bytes, pause: float = 0.02, hold: float = 0.0, timeout_s: float = 0.6) -> MllpExchange:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert await reader.readuntil(b"\x1c\r") == framed(MESSAGE)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        await asyncio.sleep(hold)

    async def run() -> MllpExchange:
        async with peer(script) as port:
            return await Door().mllp("127.0.0.1", port, MESSAGE, control_id="M1", timeout_s=timeout_s)

    return asyncio.run(run())


def test_an_acknowledgement_split_at_every_place_is_read() -> None:
    whole = framed(ack("M1"))
    for place in (1, 5, len(whole) // 2, len(whole) - 2, len(whole) - 1):
        got = send(whole[:place], whole[place:])
        assert got.answers == (ack("M1"),) and got.fault is None


def test_glued_acknowledgements_are_cut_and_ours_ends_the_wait() -> None:
    got = send(framed(ack("M0")) + framed(ack("M1")), hold=5)
    assert got.answers == (ack("M0"), ack("M1")) and got.fault is None


def test_somebody_else_s_acknowledgement_is_kept_without_waiting_the_whole_time() -> None:
    got = send(framed(ack("M9")), hold=20, timeout_s=15)
    assert got.answers == (ack("M9"),) and got.fault is None
    assert got.timings.total < 10_000


def test_a_silent_peer_ends_at_the_wall_clock_limit() -> None:
    got = send(hold=5)
    assert got.sent and not got.answers
    assert got.fault is not None and got.fault.kind is FaultKind.TIMEOUT_FIRST_BYTE


def test_a_dripping_peer_ends_at_the_wall_clock_limit() -> None:
    got = send(*[b"\x0bM"] + [b"x"] * 200, pause=0.05)
    assert got.fault is not None and got.fault.kind is FaultKind.TIMEOUT_FIRST_BYTE
    assert got.unframed.startswith(b"Mx")


def test_an_answer_without_a_frame_is_misframed_not_silent() -> None:
    got = send(ack("M1"), hold=5)
    assert got.framing_deviates and got.fault is None and got.unframed == ack("M1")


def test_a_closed_connection_without_answer_is_a_fault() -> None:
    got = send()
    assert got.fault is not None and got.fault.kind is FaultKind.RESET


def test_tls_carries_mllp(root: Issued, tmp_path: Path) -> None:
    context = root.child("localhost").server_context(tmp_path)

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\x1c\r")
        writer.write(framed(ack("M1")))
        await writer.drain()

    async def run() -> tuple[MllpExchange, MllpExchange]:
        async with peer(script, context) as port:
            good = Door(trust=Trust(ca_pem=root.pem), budget=Budget(tls_s=2))
            plain = Door(budget=Budget(tls_s=2))
            return (
                await good.mllp("localhost", port, MESSAGE, control_id="M1", tls=True),
                await plain.mllp("localhost", port, MESSAGE, control_id="M1", tls=True),
            )

    trusted, stranger = asyncio.run(run())
    assert trusted.answers == (ack("M1"),)
    assert stranger.fault is not None and stranger.fault.kind is FaultKind.TLS and not stranger.sent


@pytest.mark.parametrize(
    ("stream", "frames", "stray"),
    [
        (b"", [], b""),
        (b"\x0ba\x1c\r", [b"a"], b""),
        (b"xx\x0ba\x1c\ryy\x0bb\x1c\r", [b"a", b"b"], b"xxyy"),
        (b"\x0ba\x1cb\x1c\r", [b"a\x1cb"], b""),
    ],
)
def test_frames_are_cut_the_same_however_the_bytes_arrive(stream: bytes, frames: list[bytes], stray: bytes) -> None:
    for step in range(1, len(stream) + 2):
        reader = FrameReader()
        got: list[bytes] = []
        for place in range(0, len(stream), step):
            got += reader.feed(stream[place : place + step])
        assert (got, bytes(reader.unframed)) == (frames, stray)


def test_the_acknowledged_id_is_read_with_any_terminator_and_separator() -> None:
    assert acknowledged_id(b"MSH#^~\\&#A\nMSA#AA#77\n") == "77"
    assert acknowledged_id(b"MSH|^~\\&\r\nMSA|AA\r\n") == ""
    assert acknowledged_id(b"PID|1\r") is None
