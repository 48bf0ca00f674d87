"""Speak HTTP/1.1 by hand: only so can an answer be late, torn, garbled or missing on purpose."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from diagnostics.practice.listener import reset

MAX_BODY = 20_000_000


class BadRequest(Exception):
    """Raise when bytes are no HTTP/1.1 request."""


@dataclass
class Request:
    """One HTTP request as it came in; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    peer: str = ""

    @property
    def path(self) -> str:
        """Give the decoded path without query."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> list[tuple[str, str]]:
        """Give the query's pairs in order."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)


@dataclass
class Response:
    """One answer, or a way of not answering: `act` is send, close, reset, stall, torn, garbage or endless."""

    status: int = 200
    body: bytes = b""
    content_type: str | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)
    delay_s: float = 0.0
    act: str = "send"

    def header(self, name: str) -> str | None:
        """Look up one header, whatever its case."""
        for key, value in self.headers:
            if key.lower() == name.lower():
                return value
        return None


Handler = Callable[[Request], Awaitable[Response]]


def json_response(status: int, document: Any, content_type: str = "application/json", **headers: str) -> Response:
    """Answer with a JSON document; keyword names become header names (`_` reads as `-`)."""
    pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Response(status, json.dumps(document).encode(), content_type, pairs)


def html_response(status: int, text: str, *headers: tuple[str, str]) -> Response:
    """Answer with a page meant for people."""
    return Response(status, text.encode(), "text/html; charset=utf-8", list(headers))


async def read_request(reader: asyncio.StreamReader, peer: str = "") -> Request | None:
    """Read one request; None when the peer closed between two."""
    try:
        line = await reader.readline()
    except ValueError as error:
        raise BadRequest("request line too long") from error
    if not line:
        return None
    parts = line.decode("latin-1").rstrip("\r\n").split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise BadRequest("not an HTTP/1.1 request line")
    headers: dict[str, str] = {}
    while True:
        line = await reader.readline()
        if line in (b"\r\n", b"\n", b""):
            break
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or len(headers) > 200:
            raise BadRequest("malformed header line")
        headers[name.strip().lower()] = value.strip()
    return Request(parts[0], parts[1], headers, await _read_body(reader, headers), peer)


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        chunks: list[bytes] = []
        while True:
            size = int((await reader.readline()).split(b";")[0] or b"0", 16)
            if size == 0:
                await reader.readline()
                return b"".join(chunks)
            chunks.append(await reader.readexactly(size))
            await reader.readexactly(2)
            if sum(map(len, chunks)) > MAX_BODY:
                raise BadRequest("body too large")
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > MAX_BODY:
        raise BadRequest("bad content length")
    return await reader.readexactly(int(length))


def encode_response(response: Response, *, head: bool = False, close: bool = False) -> bytes:
    """Write an answer's bytes; the length is always declared so that a torn one can be noticed."""
    try:
        reason = HTTPStatus(response.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/1.1 {response.status} {reason}"]
    if response.content_type:
        lines.append(f"Content-Type: {response.content_type}")
    lines += [f"{name}: {value}" for name, value in response.headers]
    if response.status not in (204, 304):
        lines.append(f"Content-Length: {len(response.body)}")
    if close:
        lines.append("Connection: close")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace") + (b"" if head else response.body)


async def serve_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handler: Handler) -> None:
    """Answer requests on one connection until either side has had enough."""
    peername = writer.get_extra_info("peername")
    peer = peername[0] if peername else ""
    while True:
        try:
            request = await read_request(reader, peer)
        except (BadRequest, ValueError, asyncio.IncompleteReadError):
            writer.write(encode_response(Response(400, b"Bad request", "text/plain"), close=True))
            await writer.drain()
            return
        if request is None:
            return
        response = await handler(request)
        if not await send(writer, request, response):
            return


async def send(writer: asyncio.StreamWriter, request: Request, response: Response) -> bool:
    """Send an answer in the manner it asks for; False when the connection is over."""
    if response.delay_s:
        await asyncio.sleep(response.delay_s)
    if response.act == "stall":
        await asyncio.sleep(3600)
    if response.act == "reset":
        reset(writer)
        return False
    if response.act == "close":
        return False
    if response.act in ("torn", "garbage", "endless"):
        await _misbehave(writer, response)
        return False
    close = request.headers.get("connection", "").lower() == "close"
    writer.write(encode_response(response, head=request.method == "HEAD", close=close))
    await writer.drain()
    return not close


async def _misbehave(writer: asyncio.StreamWriter, response: Response) -> None:
    """Send what no client should choke on: half an answer, bytes that are no HTTP, a body without end."""
    if response.act == "garbage":
        writer.write(bytes(range(256)) * 4)
    elif response.act == "torn":
        writer.write(encode_response(response)[:-20])
    else:
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Type: {response.content_type}\r\n\r\n".encode())
        # `drain` neither waits nor fails while a lost connection is not yet known to be lost: without the pause and
        # the look at the buffer this loop would starve the server and fill its memory. A gigabyte is endless enough.
        for _ in range(2**30 // 65536):
            if writer.is_closing():
                return
            if writer.transport.get_write_buffer_size() < 2**20:
                writer.write(b" " * 65536)
            await writer.drain()
            await asyncio.sleep(0.0001)
    await writer.drain()
