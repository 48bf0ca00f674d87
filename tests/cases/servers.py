"""Tiny servers written from the standards: FHIR with a token endpoint over TLS, MLLP, DNS, a proxy, a deaf port."""

import asyncio
import base64
import email.utils
import json
import socket
import ssl
import struct
import threading
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
FHIR = {"content-type": "application/fhir+json"}
JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html; charset=utf-8"}


def answer(status: int, body: Any = b"", headers: dict[str, str] | None = None) -> Answer:
    """An answer; anything but bytes and text becomes JSON."""
    if isinstance(body, bytes):
        return status, headers or {}, body
    if isinstance(body, str):
        return status, headers or HTML, body.encode()
    return status, headers or FHIR, json.dumps(body).encode()


@dataclass
class Ehr:
    """An EHR in good order; tests replace parts of it. Paths: /r4/…, /token, /jwks."""

    url: str = ""
    kids: tuple[str, ...] = ("2026-05",)
    create: bool = True
    version: str = "4.0.1"
    description: str = "Production"
    scope: str = "system/DocumentReference.crus system/Encounter.rs"
    date_shift_s: int = 0
    keys: list[dict[str, Any]] = field(default_factory=list)
    routes: dict[tuple[str, str], Callable[["Ehr", dict[str, str], bytes], Answer]] = field(default_factory=dict)
    stored: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        self.asked.append((method, path))
        bare = path.partition("?")[0]
        for (want, prefix), handler in self.routes.items():
            if want in (method, "*") and bare.startswith(prefix):
                return handler(self, headers, body)
        if bare == "/token" and method == "POST":
            return self.token(body)
        if bare == "/jwks":
            return answer(200, {"keys": self.keys}, JSON)
        if bare.endswith("/.well-known/smart-configuration"):
            return answer(200, self.smart(), JSON)
        if bare == "/r4/metadata":
            return answer(200, self.capability())
        if bare.startswith("/r4/"):
            return self.fhir(method, bare.removeprefix("/r4/"), headers, body)
        return answer(404, {"error": "not found"}, JSON)

    def smart(self) -> dict[str, Any]:
        return {
            "issuer": self.url,
            "token_endpoint": f"{self.url}/token",
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": ["private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
            "scopes_supported": ["system/*.rs", "system/DocumentReference.crus"],
            "capabilities": ["client-confidential-asymmetric", "permission-v2"],
        }

    def capability(self) -> dict[str, Any]:
        codes = ["read", "search-type", *(["create", "update"] if self.create else [])]
        search = [{"name": name, "type": "token"} for name in ("patient", "type", "date", "identifier", "encounter")]
        kinds = ("DocumentReference", "Encounter", "Patient")
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "date": "2026-11-01",
            "kind": "instance",
            "fhirVersion": self.version,
            "format": ["json"],
            "software": {"name": "Tiny EHR", "version": "7.4"},
            "implementation": {"description": self.description, "url": f"{self.url}/r4"},
            "rest": [
                {
                    "mode": "server",
                    "resource": [
                        {
                            "type": kind,
                            "interaction": [{"code": code} for code in codes],
                            "searchParam": search,
                            "conditionalCreate": True,
                        }
                        for kind in kinds
                    ],
                }
            ],
        }

    def token(self, body: bytes) -> Answer:
        """SMART backend services: the assertion's key must be in the client's key set."""
        form = dict(urllib.parse.parse_qsl(body.decode()))
        if form.get("grant_type") != "client_credentials":
            return answer(400, {"error": "unsupported_grant_type"}, JSON)
        head, _, _ = form.get("client_assertion", "").partition(".")
        try:
            kid = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))["kid"]
        except (ValueError, KeyError):
            return answer(401, {"error": "invalid_client"}, JSON)
        if kid not in self.kids:
            return answer(401, {"error": "invalid_client"}, JSON)
        granted = {"access_token": "opaque-5512", "token_type": "bearer", "expires_in": 300, "scope": self.scope}
        return answer(200, granted, JSON)

    def fhir(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        if "authorization" not in headers:
            return answer(401, b"", {"www-authenticate": 'Bearer realm="fhir"'})
        kind, _, number = path.partition("/")
        if method == "POST" and kind == "DocumentReference":
            number = f"c{len(self.stored) + 1}"
            resource = json.loads(body) | {"id": number}
            self.stored[f"{kind}/{number}"] = resource
            return answer(201, resource, FHIR | {"location": f"{self.url}/r4/{kind}/{number}/_history/1"})
        if method == "PUT" and path in self.stored:
            self.stored[path] = json.loads(body)
            return answer(200, self.stored[path])
        if method == "GET" and path in self.stored:
            return answer(200, self.stored[path])
        if method == "GET" and number:
            return answer(
                200,
                {"resourceType": kind, "id": number, "status": "in-progress", "subject": {"reference": "Patient/t"}},
            )
        if method == "GET":
            entries = [{"resource": r} for p, r in self.stored.items() if p.startswith(kind + "/")]
            return answer(200, {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries})
        return answer(405, b"", {"allow": "GET"})


class Loop:
    """An event loop in a thread of its own, for servers that must run beside the engine's."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.servers: list[asyncio.Server] = []
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    def run(self, work: Awaitable[Any]) -> Any:
        async def _await() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(_await(), self.loop).result(20)

    def serve(
        self,
        handle: Callable[..., Awaitable[None]],
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> int:
        """Serve connections with this handler on this port, or a free one; return the port."""

        async def quiet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await handle(reader, writer)
            except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                pass
            finally:
                writer.close()

        server = self.run(asyncio.start_server(quiet, host, port, ssl=tls))
        self.servers.append(server)
        return server.sockets[0].getsockname()[1]

    def http(
        self,
        app: Callable[[str, str, dict[str, str], bytes], Answer],
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> int:
        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                first, *lines = head.decode("latin-1").strip().split("\r\n")
                method, path, _ = first.split(" ", 2)
                headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                status, out, content = app(method, path, headers, body)
                shift = getattr(app, "date_shift_s", 0)
                out = {
                    "date": email.utils.formatdate(time.time() + shift, usegmt=True),
                    "content-length": str(len(content)),
                } | out
                text = "".join(f"{k}: {v}\r\n" for k, v in out.items())
                writer.write(f"HTTP/1.1 {status} X\r\n{text}\r\n".encode() + content)
                await writer.drain()

        return self.serve(handle, tls, host, port)

    def close(self) -> None:
        async def end() -> None:
            for server in self.servers:
                server.close()
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.sleep(0.1)  # transports say goodbye in a later turn of the loop

        self.run(end())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()


def mllp(reply: Callable[[bytes], bytes | None]) -> Callable[..., Awaitable[None]]:
    """An MLLP listener; `reply` gets the message and returns the acknowledgement, or None to stay silent."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            frame = await reader.readuntil(b"\x1c\r")
            said = reply(frame[1:-2])
            if said is None:
                await reader.read()
                return
            writer.write(b"\x0b" + said + b"\x1c\r")
            await writer.drain()

    return handle


@contextmanager
def nameserver(rcode: int, *addresses: str) -> Iterator[int]:
    """A DNS server that gives every question the same RCODE, and every question for an A record these addresses."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.1)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    asked, peer = sock.recvfrom(4096)
                except TimeoutError:
                    continue
                end = asked.index(b"\x00", 12) + 5
                known = addresses if asked[end - 4 : end - 2] == b"\x00\x01" else ()
                records = b"".join(
                    b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 30, 4) + socket.inet_aton(address) for address in known
                )
                head = asked[:2] + struct.pack("!HHHHH", 0x8180 | rcode, 1, len(known), 0, 0)
                sock.sendto(head + asked[12:end] + records, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield sock.getsockname()[1]
        finally:
            done.set()
            thread.join()


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose backlog is full, so that a connection gets no answer at all."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        address = server.getsockname()
        waiting = []
        try:
            for _ in range(4):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(address)
                waiting.append(client)
            yield address[1]
        finally:
            for client in waiting:
                client.close()


def closed_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]
