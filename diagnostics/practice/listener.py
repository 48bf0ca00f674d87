"""Hold one TCP port that can be open, refusing or silent, so that socket faults are real."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Awaitable, Callable

from diagnostics.practice.tls_by_hand import by_hand

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
TlsChoice = Callable[[], ssl.SSLContext | None]

OPEN, REFUSED, SILENT = "open", "refused", "silent"


def _bound(address: str, port: int) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind((address, port))
    sock.setblocking(False)
    return sock


class Listener:
    """Accept connections and choose the TLS context anew for each one.

    A second bound socket that never listens keeps the port ours while the listening one is closed.
    """

    def __init__(self, serve: Serve, tls: TlsChoice, *, address: str = "127.0.0.1", port: int = 0) -> None:
        self._serve = serve
        self._tls = tls
        self.address = address
        try:
            self._guard = _bound(address, port)
        except OSError:
            # A remembered port may have been taken since: any other will do, the caller asks which.
            self._guard = _bound(address, 0)
        self.port: int = self._guard.getsockname()[1]
        self.state = REFUSED
        self._sock: socket.socket | None = None
        self._fillers: list[socket.socket] = []
        self._accepting: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def set_state(self, state: str) -> None:
        """Switch between open, refused (RST) and silent (SYNs dropped: a full backlog of one)."""
        if state == self.state:
            return
        await self._close_socket()
        if state != REFUSED:
            self._sock = _bound(self.address, self.port)
        if state == OPEN and self._sock:
            self._sock.listen(128)
            self._accepting = asyncio.create_task(self._accept(self._sock))
        elif state == SILENT and self._sock:
            self._sock.listen(0)
            for _ in range(3):
                filler = socket.socket()
                filler.setblocking(False)
                with contextlib.suppress(BlockingIOError):
                    filler.connect((self.address, self.port))
                self._fillers.append(filler)
        self.state = state

    async def _close_socket(self) -> None:
        if self._accepting:
            self._accepting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._accepting
            self._accepting = None
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()
        if self._sock:
            self._sock.close()
            self._sock = None

    async def close(self) -> None:
        """Close the port and end every connection it holds."""
        await self._close_socket()
        self._guard.close()
        self.state = REFUSED
        tasks = list(self._connections)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, sock: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _peer = await loop.sock_accept(sock)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = asyncio.create_task(self._handshake(connection))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _demanding(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        """Do a handshake that wants a client certificate by hand.

        asyncio drops the alert of a failed handshake, and here the alert is the whole message. A good handshake is
        carried on through a socket pair, because the TLS state cannot be handed back to a transport.
        """
        try:
            tls = await by_hand(connection, context)
        except (OSError, ssl.SSLError, TimeoutError, EOFError):
            connection.close()
            return
        near, far = socket.socketpair()
        near.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=far)
        pump = asyncio.create_task(tls.carry(near))
        try:
            await self._serve(reader, writer)
        except (OSError, EOFError):
            pass  # The peer went away.
        finally:
            await close_writer(writer)
            await asyncio.wait({pump}, timeout=1)  # what was written last is still on its way
            pump.cancel()
            await asyncio.gather(pump, return_exceptions=True)
            near.close()
            connection.close()

    async def _handshake(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=2**20)
        writer: asyncio.StreamWriter | None = None

        def started(_reader: asyncio.StreamReader, made: asyncio.StreamWriter) -> None:
            nonlocal writer
            writer = made

        context = self._tls()
        if context is not None and context.verify_mode == ssl.CERT_REQUIRED:
            await self._demanding(connection, context)
            return
        try:
            await loop.connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader, started),
                connection,
                ssl=context,
                ssl_handshake_timeout=10 if context else None,
            )
        except (OSError, ssl.SSLError, TimeoutError):
            connection.close()
            return
        if writer is None:
            return
        try:
            await self._serve(reader, writer)
        except (OSError, EOFError, ssl.SSLError):
            pass  # The peer went away: a practice server shrugs as a real one does.
        finally:
            await close_writer(writer)


async def close_writer(writer: asyncio.StreamWriter) -> None:
    """Close a stream without waiting for a peer that never says goodbye."""
    writer.close()
    with contextlib.suppress(OSError, ssl.SSLError, TimeoutError):
        async with asyncio.timeout(0.5):
            await writer.wait_closed()


def reset(writer: asyncio.StreamWriter) -> None:
    """Tear the connection down with RST instead of FIN."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    writer.transport.abort()
