"""Ask a name server what a host's addresses are, and keep its exact answer code."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import dns.asyncresolver
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver

from diagnostics.net.policy import Address

_LATE_AAAA_S = 0.3  # some servers never answer AAAA: an IPv4 address at hand must not wait for it


class DnsOutcome(StrEnum):
    """Give the name server's answer in the terms of RFC 1035 and RFC 2308."""

    FOUND = "found"
    LITERAL = "literal"
    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    INVALID_NAME = "invalid_name"


@dataclass(frozen=True, slots=True)
class Resolution:
    """Keep what one look-up yielded. `server` is who was asked; empty for literals and the hosts file.

    `silent` are the name servers of this machine that were asked before the one that answered.
    """

    host: str
    outcome: DnsOutcome
    addresses: tuple[str, ...] = ()
    canonical_name: str | None = None
    server: str = ""
    ms: float = 0.0
    silent: tuple[str, ...] = ()

    @property
    def found(self) -> bool:
        """Tell whether there is at least one address."""
        return bool(self.addresses)

    def parsed(self) -> tuple[Address, ...]:
        """Return the addresses as address objects."""
        return tuple(ipaddress.ip_address(each) for each in self.addresses)


@dataclass(frozen=True, slots=True)
class _Answered:
    outcome: DnsOutcome
    addresses: tuple[str, ...] = ()
    canonical_name: str | None = None
    silent: tuple[str, ...] = ()


class Resolver:
    """Resolve through `server` ("host:port"), else as this machine does: hosts file, then its name servers."""

    def __init__(self, server: str | None = None, *, hosts_file: Path = Path("/etc/hosts")) -> None:
        self._server = server
        self._hosts_file = hosts_file

    async def resolve(self, host: str, *, timeout_s: float) -> Resolution:
        """Return every A and AAAA address of `host`; never raises."""
        started = time.monotonic()
        name = host.strip().rstrip(".").strip("[]")
        local = self._without_asking(name)
        if local is not None:
            return local
        ascii_name = _idna(name)
        if ascii_name is None:
            return Resolution(host, DnsOutcome.INVALID_NAME)
        found = await self._ask(ascii_name, timeout_s)
        elapsed = (time.monotonic() - started) * 1000
        server = self._server or "system"
        return Resolution(name, found.outcome, found.addresses, found.canonical_name, server, elapsed, found.silent)

    def _without_asking(self, name: str) -> Resolution | None:
        with suppress(ValueError):
            return Resolution(name, DnsOutcome.LITERAL, (str(ipaddress.ip_address(name.split("%")[0])),))
        if name.lower() == "localhost" or name.lower().endswith(".localhost"):
            return Resolution(name, DnsOutcome.LITERAL, ("127.0.0.1",))  # RFC 6761 section 6.3
        if self._server is None:
            listed = self._hosts().get(name.lower())
            if listed:
                return Resolution(name, DnsOutcome.FOUND, tuple(listed))
        return None

    def _hosts(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        with suppress(OSError):
            for line in self._hosts_file.read_text(encoding="utf-8", errors="replace").splitlines():
                words = line.split("#", 1)[0].split()
                for alias in words[1:]:
                    with suppress(ValueError):
                        found.setdefault(alias.lower(), []).append(str(ipaddress.ip_address(words[0])))
        return found

    async def _ask(self, name: str, timeout_s: float) -> _Answered:
        try:
            asker = self._asker(timeout_s)
        except (dns.exception.DNSException, OSError, ValueError):
            return _Answered(DnsOutcome.SERVFAIL)
        v4 = asyncio.create_task(_query(asker, name, "A"))
        v6 = asyncio.create_task(_query(asker, name, "AAAA"))
        try:
            four = await v4
            if four.addresses:
                await asyncio.wait({v6}, timeout=_LATE_AAAA_S)
                more = v6.result().addresses if v6.done() else ()
                return replace(four, addresses=four.addresses + more)
            six = await v6
        finally:
            v4.cancel()
            v6.cancel()
        if six.addresses:
            return six
        return four if four.outcome is not DnsOutcome.NODATA else replace(four, outcome=six.outcome)

    def _asker(self, timeout_s: float) -> dns.asyncresolver.Resolver:
        asker = dns.asyncresolver.Resolver(configure=self._server is None)
        if self._server is not None:
            address, port = _server_address(self._server)
            asker.nameservers = [address]
            asker.port = port
        asker.lifetime = timeout_s
        asker.timeout = max(0.1, timeout_s / 2)  # one lost datagram is asked again within the budget
        return asker


async def _query(asker: dns.asyncresolver.Resolver, name: str, kind: str) -> _Answered:
    try:
        answer = await asker.resolve(name, kind, search="." not in name)
    except dns.resolver.NXDOMAIN:
        return _Answered(DnsOutcome.NXDOMAIN)
    except dns.resolver.NoAnswer:
        return _Answered(DnsOutcome.NODATA)
    except dns.resolver.NoNameservers as error:
        return _Answered(_refusal(error))
    except (dns.exception.Timeout, OSError, EOFError):
        return _Answered(DnsOutcome.TIMEOUT)
    except dns.exception.DNSException:
        return _Answered(DnsOutcome.INVALID_NAME)
    canonical = answer.canonical_name.to_text().rstrip(".")
    silent = _asked_before(asker, answer.nameserver)
    return _Answered(DnsOutcome.FOUND, tuple(each.to_text() for each in answer), canonical, silent)


def _asked_before(asker: dns.asyncresolver.Resolver, answered: str | None) -> tuple[str, ...]:
    """Return the name servers before the one that answered: they are asked in order, each after the last failed."""
    servers = [str(each) for each in asker.nameservers]
    return tuple(servers[: servers.index(answered)]) if answered in servers else ()


def _refusal(error: dns.resolver.NoNameservers) -> DnsOutcome:
    for entry in error.kwargs.get("errors", ()):
        response = entry[4]
        if isinstance(response, dns.message.Message) and response.rcode() == dns.rcode.REFUSED:
            return DnsOutcome.REFUSED
    return DnsOutcome.SERVFAIL


def _idna(name: str) -> str | None:
    try:
        text = name.encode("ascii").decode() if name.isascii() else name.encode("idna").decode("ascii")
    except UnicodeError:
        return None
    legal = 0 < len(text) <= 253 and all(0 < len(label) <= 63 for label in text.split("."))
    return text if legal and text.isprintable() and " " not in text else None


def _server_address(server: str) -> tuple[str, int]:
    host, _, port = server.rpartition(":") if server.count(":") == 1 or server.startswith("[") else (server, "", "53")
    return str(ipaddress.ip_address(host.strip("[]"))), int(port or 53)
