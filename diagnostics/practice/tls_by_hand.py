"""Run the server's side of TLS over a plain socket, so that alerts really leave when a handshake fails."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl


class HandMadeTls:
    """One TLS connection: two memory buffers, an SSL object and the socket between them and the world."""

    def __init__(self, connection: socket.socket, context: ssl.SSLContext) -> None:
        self._connection = connection
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)

    async def _flush(self) -> None:
        if data := self._outgoing.read():
            await asyncio.get_running_loop().sock_sendall(self._connection, data)

    async def _feed(self) -> None:
        data = await asyncio.get_running_loop().sock_recv(self._connection, 65536)
        if not data:
            raise EOFError("The peer left.")
        self._incoming.write(data)

    async def handshake(self) -> None:
        """Finish the handshake, or send the alert and raise."""
        connection = self._connection
        while True:
            try:
                self._tls.do_handshake()
                await self._flush()
                return
            except ssl.SSLWantReadError:
                await self._flush()
                await self._feed()
            except ssl.SSLError:
                await self._flush()
                connection.shutdown(socket.SHUT_WR)
                # Unread bytes would turn our close into a reset, and the reset would eat the alert.
                with contextlib.suppress(OSError, TimeoutError):
                    async with asyncio.timeout(1):
                        while await asyncio.get_running_loop().sock_recv(connection, 65536):
                            pass
                raise

    async def carry(self, near: socket.socket) -> None:
        """Carry plain bytes between the TLS connection and a socket pair until either ends."""
        loop = asyncio.get_running_loop()

        async def inwards() -> None:
            while True:
                try:
                    data = self._tls.read(65536)
                except ssl.SSLWantReadError:
                    await self._feed()
                    continue
                if not data:
                    near.shutdown(socket.SHUT_WR)
                    return
                await loop.sock_sendall(near, data)

        async def outwards() -> None:
            while data := await loop.sock_recv(near, 65536):
                self._tls.write(data)
                await self._flush()
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            await self._flush()

        inward = asyncio.create_task(inwards())
        try:
            await outwards()
        finally:
            inward.cancel()
            await asyncio.gather(inward, return_exceptions=True)


async def by_hand(connection: socket.socket, context: ssl.SSLContext) -> HandMadeTls:
    """Shake hands within ten seconds."""
    tls = HandMadeTls(connection, context)
    async with asyncio.timeout(10):
        await tls.handshake()
    return tls
