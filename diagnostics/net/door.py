"""Be the one outbound door: every name, connection, handshake, request and message goes through here."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import httpx

from diagnostics.net.body import BodyReader
from diagnostics.net.budget import Budget
from diagnostics.net.connect import Attempt, open_socket
from diagnostics.net.exchange import Exchange, MllpExchange, TcpAttempt, Timings, TlsSession, redacted_url
from diagnostics.net.faults import Fault, FaultKind, NetworkFault, Phase, fault_of
from diagnostics.net.http import Clocks, DoorTransport, Opened
from diagnostics.net.mllp import Conversation
from diagnostics.net.policy import ActKind, AddressPolicy, OpenPolicy
from diagnostics.net.proxy import Proxy, TunnelRefused, open_tunnel
from diagnostics.net.resolver import Resolution, Resolver
from diagnostics.net.trust import Trust, TrustError
from diagnostics.net.wire import Wire, presented_chain

_HEADERS = {
    "User-Agent": "NoteTrace",
    "Accept-Encoding": "gzip, deflate",
    "Cache-Control": "no-cache",  # a cached Date header would fake a clock skew
}


class Door:
    """Open connections from one vantage point, within one policy and budget, and keep every exchange.

    Errors of the network come back as data (`fault`). No redirect is followed and no environment variable is read.
    """

    def __init__(
        self,
        *,
        policy: AddressPolicy | None = None,
        resolver: str | None = None,
        proxy: str | None = None,
        source_address: str | None = None,
        trust: Trust | None = None,
        budget: Budget | None = None,
    ) -> None:
        """Raise ValueError when `proxy` is no http:// address."""
        self.policy: AddressPolicy = policy or OpenPolicy()
        self.proxy = Proxy.of(proxy) if proxy else None
        self.source_address = source_address
        self.trust = trust or Trust()
        self.budget = budget or Budget()
        self.exchanges: list[Exchange] = []
        self.access_token: str | None = None  # lives and dies with this door; never evidence, never stored
        self._resolver = Resolver(resolver)
        self._resolutions: dict[str, asyncio.Task[Resolution]] = {}

    async def resolve(self, host: str) -> Resolution:
        """Return the host's addresses; asked once for each host and door."""
        if host not in self._resolutions:
            asked = self._resolver.resolve(host, timeout_s=self.budget.dns_s)
            self._resolutions[host] = asyncio.create_task(asked)
        return await asyncio.shield(self._resolutions[host])

    async def connect(self, host: str, port: int) -> TcpAttempt:
        """Open and close one TCP connection, never through the proxy."""
        clocks = Clocks(time.monotonic())
        try:
            wire, attempts = await self._dial(host, port, ActKind.TCP, clocks)
        except NetworkFault as error:
            return TcpAttempt(host, port, None, error.fault, timings=_timings(clocks))
        wire.close()
        return TcpAttempt(host, port, wire.peer, None, attempts, _timings(clocks))

    async def tls(
        self,
        host: str,
        port: int,
        *,
        proxied: bool = False,
        extra_intermediates: str = "",
        settle_s: float = 0.0,
        address: str | None = None,
    ) -> TlsSession:
        """Shake hands twice: once verifying, and where that fails once more to read the chain as presented.

        `address` picks one of the host's addresses (default: the first to answer). `settle_s` waits after the
        handshake for an alert: in TLS 1.3 a missing client certificate is refused late.
        """
        clocks = Clocks(time.monotonic())
        session = TlsSession(
            host, port, None, False, None,
            client_certificate_sent=self.trust.presents_certificate,
            private_trust=self.trust.ca_pem is not None,
            via_proxy=proxied and self.proxy is not None,
        )  # fmt: skip
        session = await self._shake(session, clocks, True, extra_intermediates, settle_s, address)
        if not session.chain and session.fault is not None and session.fault.kind is FaultKind.TLS:
            seen = await self._shake(replace(session, fault=None), Clocks(time.monotonic()), False, "", 0.0, address)
            session = replace(session, chain=seen.chain, protocol=seen.protocol, cipher=seen.cipher)
        return replace(session, certificate_requested=clocks.certificate_requested, timings=_timings(clocks))

    async def _shake(
        self, session: TlsSession, clocks: Clocks, verify: bool, extra: str, settle_s: float, address: str | None
    ) -> TlsSession:
        wire: Wire | None = None
        try:
            wire = await self._reach(session.host, session.port, ActKind.TLS, clocks, session.via_proxy, address)
            await self._secure(wire, session.host, clocks, verify=verify, extra_intermediates=extra)
            assert wire.tls is not None
            cipher = wire.tls.cipher()
            session = replace(
                session,
                address=wire.peer,
                verified=verify,
                protocol=wire.tls.version(),
                cipher=cipher[0] if cipher else None,
                chain=presented_chain(wire.tls),
            )
            if settle_s:
                await _await_alert(wire, settle_s)
        except NetworkFault as error:
            session = replace(session, fault=error.fault, verified=False, address=wire.peer if wire else None)
        finally:
            if wire is not None:
                wire.close()
        return session

    async def http(
        self,
        purpose: str,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        budget: Budget | None = None,
    ) -> Exchange:
        """Make one request and keep the exchange. `purpose` names it in evidence, for example "metadata"."""
        limits = budget or self.budget
        sent = {**_HEADERS, **(headers or {})}
        record = Exchange(
            purpose=purpose,
            method=method,
            url=redacted_url(url),
            started_at=datetime.now(UTC),
            request_headers=tuple(sorted(name.lower() for name in sent)),
            request_content_type=next((v for k, v in sent.items() if k.lower() == "content-type"), None),
            via_proxy=self.proxy is not None,
        )
        clocks = Clocks(time.monotonic())
        try:
            async with asyncio.timeout(limits.total_s):
                record = await self._exchange(record, clocks, limits, url, sent, content)
        except TimeoutError:
            record = replace(record, fault=_overran(_phase_reached(clocks)))
        asked = clocks.certificate_requested
        record = replace(record, address=clocks.address, certificate_requested=asked, timings=_timings(clocks))
        self.exchanges.append(record)
        return record

    async def _exchange(
        self, record: Exchange, clocks: Clocks, limits: Budget, url: str, headers: Mapping[str, str], content: bytes
    ) -> Exchange:
        try:
            request_url = httpx.URL(url)
            if request_url.scheme not in ("http", "https") or not request_url.host:
                raise httpx.InvalidURL("no http address")
        except (httpx.InvalidURL, ValueError):
            return replace(record, fault=Fault(FaultKind.PROTOCOL, Phase.POLICY, "this is not an http(s) address"))
        transport = DoorTransport(self._open_for_http, limits)
        kept = BodyReader("", limits.decoded_bytes)
        try:
            async with (
                httpx.AsyncClient(transport=transport, trust_env=False, follow_redirects=False) as client,
                client.stream(
                    record.method, request_url, headers=dict(headers), content=content or None,
                    timeout=None, extensions={"clocks": clocks},
                ) as response,
            ):  # fmt: skip
                record = replace(record, status=response.status_code, headers=dict(response.headers.items()))
                kept = BodyReader(response.headers.get("content-encoding", ""), limits.decoded_bytes)
                async for chunk in response.aiter_raw():
                    kept.feed(chunk)
        except TunnelRefused as error:
            return replace(record, fault=error.fault, headers=error.headers, body=error.body)
        except NetworkFault as error:
            return replace(record, fault=error.fault, body=bytes(kept.kept), truncated=True)
        except (httpx.InvalidURL, UnicodeError, ValueError):
            fault = Fault(FaultKind.PROTOCOL, Phase.POLICY, "the request cannot be written as HTTP")
            return replace(record, fault=fault)
        return replace(record, body=bytes(kept.kept))

    async def _open_for_http(self, url: httpx.URL, clocks: Clocks) -> Opened:
        secure = url.scheme == "https"
        port = url.port or (443 if secure else 80)
        if not secure and self.proxy is not None:
            self._refuse_literal(url.host, port)
            wire, _ = await self._dial(self.proxy.host, self.proxy.port, ActKind.PROXY, clocks)
            return Opened(wire, True, self.proxy.authorization)
        wire = await self._reach(url.host, port, ActKind.HTTP, clocks, self.proxy is not None)
        try:
            if secure:
                await self._secure(wire, url.host, clocks, verify=True)
        except BaseException:
            wire.close()
            raise
        return Opened(wire, False, None)

    async def mllp(
        self,
        host: str,
        port: int,
        message: bytes,
        *,
        control_id: str,
        tls: bool = False,
        timeout_s: float | None = None,
        budget: Budget | None = None,
    ) -> MllpExchange:
        """Send one HL7 v2 message and read its acknowledgement, never through the proxy, never twice."""
        record = MllpExchange(host, port, control_id, datetime.now(UTC))
        clocks = Clocks(time.monotonic())
        most = (budget or self.budget).total_s
        limit = min(timeout_s or most, most)
        conversation: Conversation | None = None
        fault: Fault | None = None
        try:
            async with asyncio.timeout(limit), self._mllp_wire(host, port, tls, clocks) as wire:
                conversation = Conversation(wire, control_id)
                await conversation.run(message)
        except TimeoutError:
            phase = Phase.WAITING if conversation else _phase_reached(clocks)
            fault = Fault(FaultKind.TIMEOUT_FIRST_BYTE, phase, "no acknowledgement came in time")
        except (NetworkFault, OSError) as error:
            fault = fault_of(error, Phase.WAITING)
        if conversation is not None:
            stray = bytes(conversation.reader.unframed) + conversation.reader.unfinished
            record = replace(record, sent=True, answers=tuple(conversation.answers), unframed=stray[:65536])
            if not record.answers and fault is None and not record.framing_deviates:
                fault = Fault(FaultKind.RESET, Phase.WAITING, "the peer closed without an acknowledgement")
        return replace(record, fault=fault, address=clocks.address, timings=_timings(clocks))

    @asynccontextmanager
    async def _mllp_wire(self, host: str, port: int, tls: bool, clocks: Clocks) -> AsyncIterator[Wire]:
        wire, _ = await self._dial(host, port, ActKind.MLLP, clocks)
        try:
            if tls:
                await self._secure(wire, host, clocks, verify=True)
            yield wire
        finally:
            wire.close()

    async def _reach(
        self, host: str, port: int, kind: ActKind, clocks: Clocks, through_proxy: bool, address: str | None = None
    ) -> Wire:
        if not through_proxy or self.proxy is None:
            return (await self._dial(host, port, kind, clocks, address))[0]
        self._refuse_literal(host, port)
        wire, _ = await self._dial(self.proxy.host, self.proxy.port, ActKind.PROXY, clocks)
        try:
            async with asyncio.timeout(self.budget.first_byte_s):
                await open_tunnel(wire, self.proxy, host, port, header_bytes=self.budget.header_bytes)
        except TimeoutError as error:
            wire.close()
            fault = Fault(FaultKind.TIMEOUT_FIRST_BYTE, Phase.PROXY, "the proxy did not answer")
            raise NetworkFault(fault) from error
        except OSError as error:
            wire.close()
            raise NetworkFault(fault_of(error, Phase.PROXY)) from error
        except BaseException:
            wire.close()
            raise
        return wire

    def _refuse_literal(self, host: str, port: int) -> None:
        # Behind a proxy the name is resolved there; a literal address can and must still be judged here.
        try:
            address = ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            return
        refusal = self.policy.refusal(address, port, ActKind.HTTP)
        if refusal is not None:
            raise NetworkFault(Fault(FaultKind.POLICY, Phase.POLICY, refusal))

    async def _dial(
        self, host: str, port: int, kind: ActKind, clocks: Clocks, only: str | None = None
    ) -> tuple[Wire, tuple[Attempt, ...]]:
        resolution = await self.resolve(host)
        clocks.dns_ms = resolution.ms
        if not resolution.found:
            detail = f"{host} has no address ({resolution.outcome.value})"
            raise NetworkFault(Fault(FaultKind.DNS, Phase.DNS, detail, dns_outcome=resolution.outcome.value))
        addresses = resolution.parsed()
        for address in addresses:  # every address must pass: one bad answer among good ones is an attack
            refusal = self.policy.refusal(address, port, kind)
            if refusal is not None:
                raise NetworkFault(Fault(FaultKind.POLICY, Phase.POLICY, refusal))
        addresses = tuple(address for address in addresses if only is None or str(address) == only)
        started = time.monotonic()
        sock, attempts = await open_socket(
            addresses, port, source_address=self.source_address, timeout_s=self.budget.connect_s
        )
        clocks.connect_ms = (time.monotonic() - started) * 1000
        wire = Wire(sock, wire_bytes=self.budget.wire_bytes)
        clocks.address = wire.peer
        return wire, attempts

    async def _secure(
        self, wire: Wire, host: str, clocks: Clocks, *, verify: bool, extra_intermediates: str = ""
    ) -> None:
        started = time.monotonic()
        try:
            context = self.trust.context(verify=verify, extra_intermediates=extra_intermediates)
            async with asyncio.timeout(self.budget.tls_s):
                await wire.start_tls(context, host.strip("[]").rstrip("."))
        except TrustError as error:
            raise NetworkFault(Fault(FaultKind.TLS, Phase.POLICY, str(error))) from error
        except (OSError, TimeoutError, ValueError) as error:
            raise NetworkFault(fault_of(error, Phase.TLS)) from error
        finally:
            clocks.certificate_requested = wire.certificate_requested
        clocks.tls_ms = (time.monotonic() - started) * 1000


async def _await_alert(wire: Wire, settle_s: float) -> None:
    try:
        async with asyncio.timeout(settle_s):
            data = await wire.receive()
    except TimeoutError:
        return
    except OSError as error:
        raise NetworkFault(fault_of(error, Phase.TLS)) from error
    if not data:
        raise NetworkFault(Fault(FaultKind.RESET, Phase.TLS, "the peer closed right after the TLS handshake"))


def _overran(phase: Phase) -> Fault:
    if phase is Phase.DNS:
        return Fault(FaultKind.DNS, phase, "the name server did not answer in time", dns_outcome="timeout")
    return Fault(FaultKind.TIMEOUT_TOTAL, phase, "the exchange took longer than allowed")


def _phase_reached(clocks: Clocks) -> Phase:
    if clocks.first_byte_ms is not None:
        return Phase.READING
    if clocks.connect_ms is None:
        return Phase.DNS if clocks.dns_ms is None else Phase.TCP
    return Phase.WAITING


def _timings(clocks: Clocks) -> Timings:
    total = (time.monotonic() - clocks.started) * 1000
    return Timings(clocks.dns_ms, clocks.connect_ms, clocks.tls_ms, clocks.first_byte_ms, total)
