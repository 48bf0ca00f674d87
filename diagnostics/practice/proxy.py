"""A forward proxy that passes, asks for credentials, blocks, or inspects TLS and loses the Authorization header."""

from __future__ import annotations

import asyncio
import base64
import hmac
import ssl
from typing import Protocol
from urllib.parse import urlsplit

from diagnostics.practice.authority import Authority
from diagnostics.practice.http_server import (
    BadRequest,
    Request,
    Response,
    encode_response,
    html_response,
    read_request,
)
from diagnostics.practice.listener import close_writer
from diagnostics.practice.pages import block_page, plain_page
from diagnostics.practice.tenant import Tenant

_HOP = ("connection", "proxy-connection", "proxy-authorization", "keep-alive", "transfer-encoding", "content-length")


class Surroundings(Protocol):
    """What the proxy needs to know of the practice it stands in."""

    authority: Authority
    inspector: Authority

    def address_of(self, host: str) -> str | None:
        """Resolve a name."""


class ForwardProxy:
    """Carry the traffic of one tenant's scribe."""

    def __init__(self, tenant: Tenant, around: Surroundings) -> None:
        self.tenant = tenant
        self._around = around
        self._contexts: dict[str, ssl.SSLContext] = {}

    @property
    def name(self) -> str:
        """Give the name the proxy signs its Via header with."""
        return self.tenant.texts.path("/proxy").strip("/")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one client connection: a tunnel, or plain requests in absolute form."""
        try:
            request = await read_request(reader)
        except (BadRequest, ValueError, asyncio.IncompleteReadError):
            return
        if request is None:
            return
        host, port = _target(request)
        refusal = self._refuse(request, host)
        if refusal is not None:
            writer.write(encode_response(refusal, close=True))
            await writer.drain()
            return
        if request.method != "CONNECT":
            writer.write(await self._forward(request, host, port, None))
            await writer.drain()
            return
        inspect = self.tenant.behaviour.proxy == "strip" and host == self.tenant.host("fhir")
        address = self._around.address_of(host)
        if address is None:
            page = plain_page(self.tenant.texts, "Proxy", "The name could not be resolved.")
            writer.write(encode_response(html_response(502, page, ("Via", f"1.1 {self.name}")), close=True))
            await writer.drain()
            return
        if inspect:
            await self._inspect(reader, writer, host, port)
            return
        await self._tunnel(reader, writer, address, port)

    def _refuse(self, request: Request, host: str) -> Response | None:
        mode, texts = self.tenant.behaviour.proxy, self.tenant.texts
        if mode == "credentials":
            expected = base64.b64encode(f"{self.tenant.proxy_user}:{self.tenant.api_key}".encode()).decode()
            if not hmac.compare_digest(request.headers.get("proxy-authorization", ""), f"Basic {expected}"):
                page = plain_page(texts, "Proxy", "Please sign in to use the proxy.")
                realm = texts.say("proxy").rstrip(".")
                return html_response(407, page, ("Proxy-Authenticate", f'Basic realm="{realm}"'))
        if mode == "block" and host == self.tenant.host("fhir"):
            return html_response(403, block_page(texts), ("Via", f"1.1 {self.name}"), ("Server", self.name))
        return None

    async def _tunnel(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str, port: int
    ) -> None:
        try:
            far_reader, far_writer = await asyncio.wait_for(asyncio.open_connection(address, port), 5)
        except (OSError, TimeoutError):
            page = plain_page(self.tenant.texts, "Proxy", "The other side does not answer.")
            writer.write(encode_response(html_response(504, page, ("Via", f"1.1 {self.name}")), close=True))
            await writer.drain()
            return
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        pumps = [asyncio.create_task(_pump(reader, far_writer)), asyncio.create_task(_pump(far_reader, writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            await close_writer(far_writer)

    async def _inspect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, host: str, port: int) -> None:
        """Break TLS open with a certificate of our own and pass requests on without their Authorization."""
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await writer.drain()
        if host not in self._contexts:
            self._contexts[host] = self._around.inspector.server_context(host)
        await writer.start_tls(self._contexts[host])
        trust = ssl.create_default_context(cadata=self._around.authority.ca_pem.decode())
        while True:
            try:
                request = await read_request(reader)
            except (BadRequest, ValueError, asyncio.IncompleteReadError):
                return
            if request is None:
                return
            request.headers.pop("authorization", None)
            writer.write(await self._forward(request, host, port, trust))
            await writer.drain()

    async def _forward(self, request: Request, host: str, port: int, trust: ssl.SSLContext | None) -> bytes:
        """Send a request on and give back the answer's bytes with a Via header added."""
        address = self._around.address_of(host) or "127.0.0.1"
        parts = urlsplit(request.target)
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{request.method} {path} HTTP/1.1", f"Via: 1.1 {self.name}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in request.headers.items() if name not in _HOP]
        lines.append(f"Content-Length: {len(request.body)}")
        try:
            async with asyncio.timeout(10):
                far_reader, far_writer = await asyncio.open_connection(
                    address, port, ssl=trust, server_hostname=host if trust else None
                )
                far_writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + request.body)
                raw = await far_reader.read()
                await close_writer(far_writer)
        except (OSError, TimeoutError, ssl.SSLError):
            page = plain_page(self.tenant.texts, "Proxy", "The other side does not answer.")
            return encode_response(html_response(504, page, ("Via", f"1.1 {self.name}")))
        head, _, body = raw.partition(b"\r\n\r\n")
        kept = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        return b"\r\n".join([*kept, f"Via: 1.1 {self.name}".encode()]) + b"\r\n\r\n" + body


def _target(request: Request) -> tuple[str, int]:
    if request.method == "CONNECT":
        host, _, port = request.target.rpartition(":")
        return host.strip("[]").lower(), int(port) if port.isdigit() else 443
    parts = urlsplit(request.target)
    return (parts.hostname or "").lower(), parts.port or 80


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except OSError:
        pass  # Either side may vanish; the tunnel then ends.
