"""Run the whole practice EHR in one thread: tenants, listeners, names, certificates, faults."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import tempfile
import threading
from collections.abc import Coroutine, Iterable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from diagnostics.practice.audit_feed import AUDIT_TROUBLES
from diagnostics.practice.authority import Authority
from diagnostics.practice.behaviour import behaviour_of
from diagnostics.practice.control import ControlPort
from diagnostics.practice.dns_server import DnsServer
from diagnostics.practice.fault import Fault, Variation
from diagnostics.practice.faults import FAULTS
from diagnostics.practice.fhir import FhirServer
from diagnostics.practice.healthy import VARIATIONS
from diagnostics.practice.hostile import HOSTILITIES
from diagnostics.practice.http_server import Request, Response, html_response, json_response, serve_http
from diagnostics.practice.ledger import AuditTrail, Ledger, LedgerEntry, StoryClock, fingerprint
from diagnostics.practice.listener import OPEN, Listener
from diagnostics.practice.memory import Memory, load_memory, save_memory
from diagnostics.practice.mllp import MllpServer
from diagnostics.practice.pages import login_page, plain_page
from diagnostics.practice.proxy import ForwardProxy
from diagnostics.practice.resending import RESEND_TROUBLES
from diagnostics.practice.smart import TokenServer
from diagnostics.practice.tenant import ROLES, ClientKeys, Tenant, iso, seed_people
from diagnostics.practice.texts import PracticeTexts

LOCALHOST = "127.0.0.1"
T = TypeVar("T")


class UnknownName(ValueError):
    """Raise when a tenant, fault or variation is asked for that does not exist."""


class PracticeEhr:
    """An EHR that can be made ill by name; start it, point clients at it, stop it."""

    def __init__(
        self,
        tenants: Iterable[str] = ("north",),
        *,
        randomize: int | None = None,
        state_dir: Path | None = None,
        control_port: int = 0,
        control_token: str | None = None,
        log_dir: Path | None = None,
    ) -> None:
        self.texts = PracticeTexts(randomize)
        self.latency_s = 0.0
        self._state_dir = state_dir
        self._log_dir = log_dir
        if log_dir:
            log_dir.mkdir(parents=True, exist_ok=True)
        self.authority = Authority(self.texts.say("Practice").rstrip("."), state_dir)
        self._rogue = Authority(self.texts.say("Elsewhere").rstrip("."))
        self.inspector = Authority(self.texts.say("Inspection").rstrip("."))
        self.ledger = Ledger(log_dir / "ledger.ndjson" if log_dir else None)
        self.control = ControlPort(self, control_port, control_token)
        self._names = tuple(tenants)
        self._tenants: dict[str, Tenant] = {}
        self._listeners: dict[tuple[str, str], Listener] = {}
        self._contexts: dict[tuple[str, str], ssl.SSLContext] = {}
        self._keys: ClientKeys | None = None
        self._ports: dict[str, int] = {}
        self._stored_tenants: dict[str, dict[str, str]] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._dns = DnsServer(self._lookup)
        self._pki: Listener | None = None

    # -- life -------------------------------------------------------------------------------

    def start(self) -> PracticeEhr:
        """Open every listener; returns when all are ready."""
        memory = load_memory(self._state_dir)
        self._ports, self._stored_tenants = memory.ports, memory.tenants
        self._keys = memory.keys or ClientKeys.generate()
        ready = threading.Event()
        loop = asyncio.new_event_loop()

        def run() -> None:
            asyncio.set_event_loop(loop)
            loop.call_soon(ready.set)
            loop.run_forever()
            loop.close()

        self._loop = loop
        self._thread = threading.Thread(target=run, name="practice-ehr", daemon=True)
        self._thread.start()
        ready.wait()
        try:
            self._call(self._open())
            for name in self._names:
                self.add_tenant(name)
        except BaseException:
            self.stop()
            raise
        if self._pki:
            self._ports |= {"dns": self._dns.port, "pki": self._pki.port}
        told = {name: tenant.secrets() for name, tenant in self._tenants.items()}
        save_memory(self._state_dir, Memory(self._ports, told, self._keys))
        return self

    def stop(self) -> None:
        """Close everything and end the thread; safe to call twice."""
        if self._loop is None or self._thread is None:
            return
        self._call(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop = self._thread = None

    def __enter__(self) -> PracticeEhr:
        """Start."""
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        """Stop."""
        self.stop()

    def _call(self, work: Coroutine[Any, Any, T]) -> T:
        if self._loop is None:
            work.close()
            raise RuntimeError("The practice EHR is not running.")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self) -> None:
        await self._dns.start(LOCALHOST, self._ports.get("dns", 0))
        self._pki = Listener(
            lambda r, w: serve_http(r, w, self._serve_issuer), lambda: None, port=self._ports.get("pki", 0)
        )
        await self._pki.set_state(OPEN)
        # The address of the intermediate goes into every leaf, so that a missing one can be fetched and told apart.
        self.authority.issuer_url = f"http://{LOCALHOST}:{self._pki.port}/issuer.cer"
        await self.control.start()

    async def _close(self) -> None:
        await self.control.stop()
        for listener in [*self._listeners.values(), *([self._pki] if self._pki else [])]:
            await listener.close()
        self._listeners.clear()
        await self._dns.stop()
        await asyncio.get_running_loop().shutdown_default_executor()
        others = [t for t in asyncio.all_tasks() if t is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0.01)  # transports close their sockets in the next turn of the loop

    # -- tenants ----------------------------------------------------------------------------

    @property
    def tenants(self) -> tuple[str, ...]:
        """List the tenants' names."""
        return tuple(self._tenants)

    def tenant(self, name: str) -> Tenant:
        """Give one tenant."""
        if name not in self._tenants:
            raise UnknownName(f"There is no tenant called {name!r}; there are: {', '.join(self._tenants)}.")
        return self._tenants[name]

    def add_tenant(self, name: str) -> Tenant:
        """Add a healthy tenant with listeners of its own while the practice runs."""
        if name in self._tenants:
            return self._tenants[name]
        if self._keys is None:
            raise RuntimeError("The practice EHR is not running.")
        clock = StoryClock()
        path = self._log_dir / f"ehr-{name}.ndjson" if self._log_dir else None
        tenant = Tenant(name, self.texts, self._keys, self.ledger, clock, AuditTrail(clock, path))
        tenant.restore(self._stored_tenants.get(name, {}))
        seed_people(tenant)
        self._call(self._listen(tenant))
        self._tenants[name] = tenant
        return tenant

    async def _listen(self, tenant: Tenant) -> None:
        tokens = TokenServer(tenant, self.fetch_json)
        fhir = FhirServer(tenant)
        mllp = MllpServer(tenant, lambda: self.latency_s)
        proxy = ForwardProxy(tenant, self)

        async def keys(request: Request) -> Response:
            return _key_set(tenant, request)

        async def login(request: Request) -> Response:
            return html_response(200, login_page(tenant.texts))

        def http(handler: Any) -> Any:
            async def later(request: Request) -> Response:
                response: Response = await handler(request)
                response.delay_s += self.latency_s
                return response

            return lambda r, w: serve_http(r, w, later)

        async def token(request: Request) -> Response:
            entry = LedgerEntry(iso(tenant.server_time()), tenant.name, "auth", request.method, request.path)
            tenant.ledger.add(entry)
            response = await tokens.handle(request)
            from_clock = _date(tenant)
            response.headers += [("Date", from_clock), ("Server", tenant.software)]
            tenant.ledger.close_entry(entry, response.status)
            return response

        serve: dict[str, Any] = {
            "fhir": http(fhir.handle),
            "auth": http(token),
            "keys": http(keys),
            "login": http(login),
            "mllp": mllp.serve,
            "mllps": mllp.serve,
            "proxy": proxy.serve,
        }
        for role in ROLES:
            listener = Listener(serve[role], self._tls(tenant, role), port=self._ports.get(f"{tenant.name}/{role}", 0))
            tenant.ports[role] = self._ports[f"{tenant.name}/{role}"] = listener.port
            self._listeners[tenant.name, role] = listener
            await listener.set_state(OPEN)

    def _tls(self, tenant: Tenant, role: str) -> Any:
        if role in ("mllp", "proxy"):
            return lambda: None

        def choose() -> ssl.SSLContext:
            knob = {"fhir": "tls_fhir", "auth": "tls_auth", "mllps": "tls_mllp", "keys": "tls_keys"}.get(role)
            return self.context(tenant.host(role), getattr(tenant.behaviour, knob) if knob else "good")

        return choose

    def context(self, host: str, variant: str = "good") -> ssl.SSLContext:
        """Give the TLS context for a host and certificate variant, made on first use."""
        key = (host, variant)
        if key not in self._contexts:
            authority = self._rogue if variant == "untrusted_root" else self.authority
            client_ca = self.authority.ca_pem if variant == "client_cert" else None
            self._contexts[key] = authority.server_context(host, variant, client_ca)
        return self._contexts[key]

    # -- faults -----------------------------------------------------------------------------

    def set_faults(self, tenant: str, names: Iterable[str]) -> None:
        """Make a tenant ill with exactly these faults (or healthy variations); an empty set heals it."""
        chosen = frozenset(names)
        known: dict[str, Fault | Variation] = {
            **HOSTILITIES, **AUDIT_TROUBLES, **RESEND_TROUBLES, **VARIATIONS, **FAULTS,
        }  # fmt: skip
        unknown = sorted(chosen - known.keys())
        if unknown:
            raise UnknownName(f"There is no fault called {unknown[0]!r}.")
        target = self.tenant(tenant)
        turned = [known[name].ehr for name in sorted(chosen)]
        target.faults = chosen
        target.behaviour = behaviour_of(turned)
        target.audit.offset_s = target.behaviour.clock_offset_s
        self._call(self._apply_sockets(target))

    async def _apply_sockets(self, tenant: Tenant) -> None:
        states = {
            "fhir": tenant.behaviour.socket_fhir,
            "auth": tenant.behaviour.socket_auth,
            "mllp": tenant.behaviour.socket_mllp,
            "mllps": tenant.behaviour.socket_mllp,
        }
        for role, state in states.items():
            await self._listeners[tenant.name, role].set_state(state)

    def reset(self, tenant: str) -> None:
        """Heal a tenant and empty its store, logs and ledger."""
        self.set_faults(tenant, ())
        self.tenant(tenant).reset()

    def case_files(self, tenant: str, fault: str | None, seed: int) -> dict[str, str]:
        """Play a story and give its case folder's files by name; for callers in another process."""
        # Imported here because the case builder stands on this class.
        from diagnostics.practice.case_builder import build_case

        with tempfile.TemporaryDirectory() as folder:
            build_case(self, tenant, fault, Path(folder), seed=seed)
            return {path.name: path.read_bytes().decode("utf-8", "replace") for path in Path(folder).iterdir()}

    # -- names and addresses ----------------------------------------------------------------

    @property
    def resolver(self) -> str:
        """Give the DNS server's address as `host:port`."""
        return f"{LOCALHOST}:{self._dns.port}"

    @property
    def ca_pem(self) -> bytes:
        """Give the root certificate clients must trust."""
        return self.authority.ca_pem

    @property
    def client_key_pem(self) -> bytes:
        """Give the scribe's private key (RSA, for RS384)."""
        return self._key_set().rsa.as_pem(private=True)

    @property
    def client_ec_key_pem(self) -> bytes:
        """Give the scribe's second private key (P-384, for ES384)."""
        return self._key_set().ec.as_pem(private=True)

    def _key_set(self) -> ClientKeys:
        if self._keys is None:
            raise RuntimeError("The practice EHR is not running.")
        return self._keys

    def _lookup(self, name: str) -> tuple[str, str | None]:
        for tenant in self._tenants.values():
            for role in ROLES:
                if tenant.host(role).lower() == name:
                    knob = {"fhir": "dns_fhir", "auth": "dns_auth", "mllp": "dns_mllp", "mllps": "dns_mllp"}.get(role)
                    return (getattr(tenant.behaviour, knob) if knob else "ok"), LOCALHOST
        return "nxdomain", None

    def address_of(self, host: str) -> str | None:
        """Give the address a name stands for inside the practice, or None."""
        mode, address = self._lookup(host.lower())
        return address if mode == "ok" else (LOCALHOST if host == LOCALHOST else None)

    # -- helpers of the servers -------------------------------------------------------------

    async def fetch_json(self, url: str) -> dict[str, Any] | None:
        """Fetch a client's key set over the network as a token server does; None when it cannot be had."""
        parts = urlsplit(url)
        trust = ssl.create_default_context(cadata=self.authority.ca_pem.decode())
        try:
            async with asyncio.timeout(3):
                reader, writer = await asyncio.open_connection(
                    LOCALHOST, parts.port, ssl=trust, server_hostname=parts.hostname
                )
                request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n"
                writer.write(request.encode())
                raw = await reader.read()
                writer.close()
        except (OSError, TimeoutError, ssl.SSLError):
            return None
        head, _, body = raw.partition(b"\r\n\r\n")
        try:
            document = json.loads(body) if head.split(b" ")[1] == b"200" else None
        except (ValueError, IndexError):
            return None
        return document if isinstance(document, dict) and isinstance(document.get("keys"), list) else None

    async def _serve_issuer(self, request: Request) -> Response:
        return Response(200, self.authority.issuer_der, "application/pkix-cert")


@contextlib.contextmanager
def running_practice(
    tenants: Iterable[str] = ("north",), *, randomize: int | None = None, log_dir: Path | None = None
) -> Iterator[PracticeEhr]:
    """Run a practice EHR for the length of a `with` block."""
    ehr = PracticeEhr(tenants, randomize=randomize, log_dir=log_dir)
    ehr.start()
    try:
        yield ehr
    finally:
        ehr.stop()


def _date(tenant: Tenant) -> str:
    return formatdate(tenant.server_time(), usegmt=True)


def _key_set(tenant: Tenant, request: Request) -> Response:
    mode = tenant.behaviour.jwks
    entry = LedgerEntry(iso(tenant.server_time()), tenant.name, "keys", request.method, request.path, fingerprint(None))
    tenant.ledger.add(entry)
    if request.path != tenant.jwks_path or mode == "not_found":
        response = html_response(404, plain_page(tenant.texts, "Not found", "There is nothing here."))
    elif mode == "page":
        response = html_response(200, login_page(tenant.texts))
    else:
        response = json_response(200, tenant.jwks(), Cache_Control="max-age=0")
    tenant.ledger.close_entry(entry, response.status)
    return response
