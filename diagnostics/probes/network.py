"""Probe the way to each endpoint: name, connection, TLS handshake; behind a proxy the proxy is the first hop."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from diagnostics.evidence.network import DnsAnswer, Sample, TcpConnect, TlsHandshake, TlsSamples
from diagnostics.gather import Context
from diagnostics.net import Door, TlsSession
from diagnostics.parsing.certificate import Certificate, read_bundle, read_certificate, to_pem
from diagnostics.probes.declare import Endpoint, probe
from diagnostics.probes.endpoints import FHIR, MLLP
from diagnostics.probes.seen import certificate_seen, fault_seen
from diagnostics.vocabulary import Step

# X.509 verification codes that a missing intermediate may cause (openssl x509_vfy.h)
ISSUER_NOT_FOUND = (2, 20, 21)
_ADDRESSES, _PINNED_CONNECTS = (
    6,
    5,
)  # addresses looked at; connections to a pinned host (domain.md net.tls.pin_mismatch)
_SETTLE_S = 0.5  # how long an MLLP listener may take to refuse our missing certificate after the handshake


def first_hop(door: Door, endpoint: Endpoint) -> tuple[str, int, str]:
    """Return host, port and, where that is the proxy, its `host:port`."""
    if endpoint.proxy and door.proxy is not None:
        return door.proxy.host, door.proxy.port, f"{door.proxy.host}:{door.proxy.port}"
    return endpoint.host, endpoint.port, ""


def bound(context: Context) -> tuple[Door, Endpoint]:
    """Return the door and the endpoint a probe is bound to; gather never runs one of these without both."""
    if context.endpoint is None or not isinstance(context.door, Door):
        raise TypeError("this probe needs a door and an endpoint")
    return context.door, context.endpoint


@probe(gives=DnsAnswer, step=Step.NETWORK, each=True)
async def resolve_name(context: Context) -> DnsAnswer:
    """Ask for the addresses of the endpoint's host, or of the proxy before it."""
    door, endpoint = bound(context)
    host, _, hop = first_hop(door, endpoint)
    found = await door.resolve(host)
    return DnsAnswer(
        host=endpoint.host,
        port=endpoint.port,
        roles=endpoint.roles,
        hop=hop,
        seen_from=context.vantage,
        outcome=found.outcome.value,
        addresses=found.addresses,
        canonical_name=found.canonical_name,
        server=found.server,
        silent=found.silent,
        ms=found.ms,
    )


@probe(gives=TcpConnect, needs=(DnsAnswer,), step=Step.NETWORK, each=True)
async def open_connection(context: Context, dns: DnsAnswer) -> TcpConnect:
    """Open and close one connection to the first hop."""
    door, endpoint = bound(context)
    host, port, hop = first_hop(door, endpoint)
    attempt = await door.connect(host, port)
    return TcpConnect(
        host=endpoint.host,
        port=endpoint.port,
        roles=endpoint.roles,
        hop=hop,
        seen_from=context.vantage,
        address=attempt.address,
        fault=fault_seen(attempt.fault),
        ms=attempt.timings.total,
    )


@probe(gives=TlsHandshake, needs=(TcpConnect,), step=Step.NETWORK, each=True)
async def shake_hands(context: Context, tcp: TcpConnect) -> TlsHandshake:
    """Shake hands, read the chain, and where an issuer is missing try whether fetching it completes the chain."""
    door, endpoint = bound(context)
    if not endpoint.tls:
        return TlsHandshake(
            host=endpoint.host, port=endpoint.port, roles=endpoint.roles, seen_from=context.vantage, used=False
        )
    settle = _SETTLE_S if MLLP in endpoint.roles else 0.0
    session = await door.tls(endpoint.host, endpoint.port, proxied=bool(tcp.hop), settle_s=settle)
    completed = None
    if session.fault is not None and session.fault.verify_code in ISSUER_NOT_FOUND:
        completed = await _completes(door, endpoint, session, proxied=bool(tcp.hop))
    return TlsHandshake(
        host=endpoint.host,
        port=endpoint.port,
        roles=endpoint.roles,
        hop=tcp.hop,
        seen_from=context.vantage,
        verified=session.verified,
        fault=fault_seen(session.fault),
        protocol=session.protocol,
        cipher=session.cipher,
        chain=tuple(seen for der in session.chain if (seen := certificate_seen(der)) is not None),
        certificate_requested=session.certificate_requested,
        client_certificate_sent=session.client_certificate_sent,
        completed_by_issuer=completed,
        issuer_known=_issuer_known(door, session),
        private_trust=session.private_trust,
        ms=session.timings.total,
    )


@probe(gives=TlsSamples, needs=(TlsHandshake, DnsAnswer), step=Step.NETWORK, each=True)
async def sample_servers(context: Context, tls: TlsHandshake, dns: DnsAnswer) -> TlsSamples:
    """Shake hands with every further address of the name; with a pinned host again, as each may be another server."""
    door, endpoint = bound(context)
    held = TlsSamples(host=endpoint.host, port=endpoint.port, roles=endpoint.roles, seen_from=context.vantage)
    if not tls.used or tls.hop:
        return held
    places = list(dns.addresses[:_ADDRESSES])
    if FHIR in endpoint.roles and context.case.integration.tls_pins:
        places += [places[n % len(places)] for n in range(_PINNED_CONNECTS - len(places))]
    if len(places) < 2:
        return held
    samples = await asyncio.gather(*(_sample(door, endpoint, address) for address in places))
    return replace(held, samples=tuple(samples))


async def _sample(door: Door, endpoint: Endpoint, address: str) -> Sample:
    session = await door.tls(endpoint.host, endpoint.port, address=address)
    chain = tuple(seen for der in session.chain if (seen := certificate_seen(der)) is not None)
    return Sample(address, session.verified, fault_seen(session.fault), chain)


async def _completes(door: Door, endpoint: Endpoint, session: TlsSession, *, proxied: bool) -> bool | None:
    """Tell whether the chain verifies with the issuers that the certificates themselves name (RFC 5280 4.2.2.1)."""
    last = read_certificate(session.chain[-1]) if session.chain else None
    supplied = ""
    for _ in range(3):
        fetched = await _fetch_issuer(door, last)
        if fetched is None:
            return False if supplied else None
        supplied += fetched
        again = await door.tls(endpoint.host, endpoint.port, proxied=proxied, extra_intermediates=supplied)
        if again.verified:
            return True
        issuers = read_bundle(fetched.encode("ascii"))
        last = issuers[-1] if issuers else None
        if last is None or last.self_signed:
            return False
    return False


async def _fetch_issuer(door: Door, certificate: Certificate | None) -> str | None:
    for url in certificate.issuer_urls if certificate else ():
        exchange = await door.http("certificate issuer", "GET", url)
        pem = to_pem(exchange.body) if exchange.ok else None
        if pem is not None:
            return pem
    return None


def _issuer_known(door: Door, session: TlsSession) -> bool | None:
    """Tell whether an authority of the configured bundle belongs to the organization that issued the last certificate.

    Then the bundle is the right one and a link between them is missing; else the issuer is a stranger.
    """
    last = read_certificate(session.chain[-1]) if session.chain else None
    if last is None or door.trust.ca_pem is None:
        return None
    anchors = read_bundle(door.trust.ca_pem.encode("ascii", errors="replace"))
    return any(anchor.organization and anchor.organization == last.issuer_organization for anchor in anchors)
