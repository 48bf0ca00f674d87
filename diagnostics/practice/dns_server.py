"""Answer DNS for the practice's own names over UDP and TCP, or fail to in the four usual ways."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

Lookup = Callable[[str], tuple[str, str | None]]
_RCODES = {"nxdomain": dns.rcode.NXDOMAIN, "servfail": dns.rcode.SERVFAIL, "refused": dns.rcode.REFUSED}
TTL = 5


def answer_query(wire: bytes, lookup: Lookup) -> bytes | None:
    """Answer one query; None means silence (a timeout fault, or bytes that are no query)."""
    try:
        query = dns.message.from_wire(wire)
    except (dns.exception.DNSException, ValueError):
        return None
    if not query.question:
        return None
    question = query.question[0]
    mode, address = lookup(question.name.to_text().rstrip(".").lower())
    if mode == "timeout":
        return None
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= dns.flags.AA
    if mode in _RCODES:
        response.set_rcode(_RCODES[mode])
    elif address and question.rdtype == dns.rdatatype.A:
        response.answer.append(dns.rrset.from_text(question.name, TTL, "IN", "A", address))
    return response.to_wire()


class DnsServer(asyncio.DatagramProtocol):
    """Serve one zone on the same UDP and TCP port."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup
        self._transport: asyncio.DatagramTransport | None = None
        self._server: asyncio.Server | None = None
        self.port = 0

    async def start(self, address: str, port: int) -> None:
        """Bind UDP, then TCP on the same number; another number where the TCP side is taken."""
        loop = asyncio.get_running_loop()
        for attempt in range(20):
            try:
                transport, _ = await loop.create_datagram_endpoint(
                    lambda: self, local_addr=(address, port if attempt == 0 else 0)
                )
            except OSError:
                continue
            self.port = transport.get_extra_info("sockname")[1]
            try:
                self._server = await asyncio.start_server(self._serve_tcp, address, self.port)
            except OSError:
                transport.close()
                continue
            self._transport = transport
            return
        raise OSError("The practice's DNS server found no free port.")

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer over UDP."""
        reply = answer_query(data, self._lookup)
        if reply is not None and self._transport is not None:
            self._transport.sendto(reply, addr)

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                (length,) = struct.unpack("!H", await reader.readexactly(2))
                reply = answer_query(await reader.readexactly(length), self._lookup)
                if reply is not None:
                    writer.write(struct.pack("!H", len(reply)) + reply)
                    await writer.drain()
        except (OSError, EOFError):
            pass  # The resolver hung up, as resolvers do after one answer.
        finally:
            writer.close()

    async def stop(self) -> None:
        """Close both sides."""
        if self._transport:
            self._transport.close()
        if self._server:
            self._server.close()
            await asyncio.sleep(0)
