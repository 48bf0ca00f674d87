"""Carry bytes over one connected socket, in the clear or inside TLS, and count them."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from diagnostics.net.faults import Fault, FaultKind, NetworkFault, Phase

_CHUNK = 16 * 1024
T = TypeVar("T")


class Wire:
    """Send and receive on a socket that is already connected.

    TLS runs over memory buffers instead of asyncio's own layer, so that the exact alert, its direction and the
    chain as presented stay readable, also after a failed handshake and inside a proxy's tunnel.
    """

    def __init__(self, sock: socket.socket, *, wire_bytes: int) -> None:
        self._sock = sock
        self._left = wire_bytes
        self._loop = asyncio.get_running_loop()
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self.received_bytes = 0
        self.peer = _peer(sock)

    @property
    def tls(self) -> ssl.SSLObject | None:
        """Return the TLS object, or None while the wire is in the clear."""
        return self._tls

    @property
    def certificate_requested(self) -> bool:
        """Tell whether the server asked for a client certificate in the handshake."""
        return bool(getattr(self._tls, "certificate_requested", False))

    async def start_tls(self, context: ssl.SSLContext, server_hostname: str) -> None:
        """Shake hands as a client; raises ssl.SSLError or OSError with the peer's or our own reason."""
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_hostname)
        await self._drive(self._tls.do_handshake)

    async def send(self, data: bytes) -> None:
        """Send all of `data`."""
        tls = self._tls
        if tls is None:
            await self._loop.sock_sendall(self._sock, data)
            return
        view = memoryview(data)
        while view:
            part = view[: 4 * _CHUNK]
            written = await self._drive(lambda part=part: tls.write(part))  # type: ignore[misc]
            view = view[written:]

    async def receive(self) -> bytes:
        """Return what came, or nothing when the peer closed; raises NetworkFault when the byte budget is spent."""
        tls = self._tls
        if tls is None:
            return await self._receive_raw()
        try:
            return await self._drive(lambda: tls.read(_CHUNK))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    async def _receive_raw(self) -> bytes:
        data = await self._loop.sock_recv(self._sock, _CHUNK)
        self.received_bytes += len(data)
        self._left -= len(data)
        if self._left < 0:
            raise NetworkFault(Fault(FaultKind.TOO_LARGE, Phase.READING, "the answer is larger than we read"))
        return data

    async def _drive(self, act: Callable[[], T]) -> T:
        while True:
            try:
                result = act()
            except ssl.SSLWantReadError:
                await self._flush()
                data = await self._receive_raw()
                if data:
                    self._incoming.write(data)
                else:
                    self._incoming.write_eof()
            except ssl.SSLError:
                with suppress(OSError):  # the peer learns our alert if it still listens; ours is the reason that counts
                    await self._flush()
                raise
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._loop.sock_sendall(self._sock, self._outgoing.read())

    def close(self) -> None:
        """Close the socket at once; never raises."""
        with suppress(OSError):
            self._sock.close()


def presented_chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """Return the certificates as the peer sent them, leaf first, in DER; empty before the handshake.

    The call is public from Python 3.13; before, only the inner object has it.
    """
    public = getattr(tls, "get_unverified_chain", None)
    if public is not None:
        return tuple(public())
    chain = getattr(tls, "_sslobj").get_unverified_chain()  # noqa: B009
    if chain is None:
        return ()
    return tuple(ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in chain)


def _peer(sock: socket.socket) -> str:
    try:
        return str(sock.getpeername()[0])
    except OSError:
        return ""
