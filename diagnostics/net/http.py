"""Carry httpx requests over the door's own wires, one connection for each request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

import h11
import httpx

from diagnostics.net.budget import Budget
from diagnostics.net.faults import Fault, FaultKind, NetworkFault, Phase, fault_of
from diagnostics.net.wire import Wire

T = TypeVar("T")


@dataclass
class Clocks:
    """Note when each phase of one request ended; monotonic seconds."""

    started: float
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    address: str | None = None
    certificate_requested: bool = False


@dataclass(frozen=True)
class Opened:
    """Hand over an open wire with what the request line and the proxy need."""

    wire: Wire
    absolute_form: bool
    proxy_authorization: str | None


Opener = Callable[[httpx.URL, Clocks], Awaitable[Opened]]


class DoorTransport(httpx.AsyncBaseTransport):
    """Speak HTTP/1.1 over a wire that `opener` opens; raises NetworkFault and nothing of httpx."""

    def __init__(self, opener: Opener, budget: Budget) -> None:
        self._opener = opener
        self._budget = budget

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return as soon as the head of the answer is read."""
        clocks: Clocks = request.extensions["clocks"]
        opened = await self._opener(request.url, clocks)
        stream = _Conversation(opened.wire, self._budget, clocks)
        try:
            await stream.send(request, opened)
            head = await stream.head()
        except BaseException:
            opened.wire.close()
            raise
        return httpx.Response(head.status_code, headers=head.headers.raw_items(), stream=stream)


class _Conversation(httpx.AsyncByteStream):
    """Hold the h11 state of one request and yield the body of its answer."""

    def __init__(self, wire: Wire, budget: Budget, clocks: Clocks) -> None:
        self._wire = wire
        self._budget = budget
        self._clocks = clocks
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=budget.header_bytes)
        self._send_failed: Fault | None = None

    async def send(self, request: httpx.Request, opened: Opened) -> None:
        headers = [(name, value) for name, value in request.headers.raw if name.lower() != b"connection"]
        headers.append((b"Connection", b"close"))
        if opened.proxy_authorization is not None:
            headers.append((b"Proxy-Authorization", opened.proxy_authorization.encode("ascii")))
        target = request.url.raw_path
        if opened.absolute_form:
            url = request.url
            target = url.raw_scheme + b"://" + url.netloc + url.raw_path
        try:
            data = self._h11.send(h11.Request(method=request.method, target=target, headers=headers)) or b""
            if request.content:
                data += self._h11.send(h11.Data(data=request.content)) or b""
            data += self._h11.send(h11.EndOfMessage()) or b""
        except h11.LocalProtocolError as error:
            fault = Fault(FaultKind.PROTOCOL, Phase.POLICY, "the request cannot be written as HTTP")
            raise NetworkFault(fault) from error
        try:
            await self._wire.send(data)
        except OSError as error:
            # A server that refuses a large body answers first and closes: its answer is worth more than our EPIPE.
            self._send_failed = fault_of(error, Phase.SENDING)

    async def head(self) -> h11.Response:
        sent_at = time.monotonic()
        try:
            async with asyncio.timeout(self._budget.first_byte_s):
                await self._fill(Phase.WAITING)
        except TimeoutError as error:
            fault = Fault(FaultKind.TIMEOUT_FIRST_BYTE, Phase.WAITING, "the request was sent and nothing came back")
            raise NetworkFault(fault) from error
        self._clocks.first_byte_ms = (time.monotonic() - sent_at) * 1000
        while True:
            event = self._next(Phase.READING)
            if event is h11.NEED_DATA:
                await self._fill(Phase.READING)
            elif isinstance(event, h11.Response):
                return event
            elif not isinstance(event, h11.InformationalResponse):
                raise NetworkFault(Fault(FaultKind.RESET, Phase.READING, "the peer closed before it answered"))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            event = self._next(Phase.READING)
            if event is h11.NEED_DATA:
                await self._fill(Phase.READING)
            elif isinstance(event, h11.Data):
                yield bytes(event.data)
            else:
                return

    async def aclose(self) -> None:
        self._wire.close()

    def _next(self, phase: Phase) -> object:
        try:
            return self._h11.next_event()
        except h11.RemoteProtocolError as error:
            raise NetworkFault(self._garbled(str(error), phase)) from error

    def _garbled(self, reason: str, phase: Phase) -> Fault:
        if "closed" in reason or "without sending" in reason:
            return self._send_failed or Fault(FaultKind.RESET, phase, "the peer closed the connection in mid-answer")
        if "too long" in reason or "too large" in reason:
            return Fault(FaultKind.TOO_LARGE, phase, "the head of the answer is larger than we read")
        return Fault(FaultKind.PROTOCOL, phase, "the answer is not HTTP")

    async def _fill(self, phase: Phase) -> None:
        try:
            data = await self._wire.receive()
        except OSError as error:
            fault = fault_of(error, phase)
            # The alert of a server that refuses our certificate says more than the reset our request met.
            raise NetworkFault(fault if fault.kind is FaultKind.TLS else self._send_failed or fault) from error
        if not data and phase is Phase.WAITING:
            fault = Fault(FaultKind.RESET, phase, "the peer closed the connection without an answer")
            raise NetworkFault(self._send_failed or fault)
        self._h11.receive_data(data)
