"""Decide which addresses the door may open, on what was resolved and at the moment of connecting."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class ActKind(StrEnum):
    """Name what a connection is for; an allow-list entry may be limited to some of them."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    PROXY = "proxy"
    MLLP = "mllp"


class AddressPolicy(Protocol):
    """Answer whether one resolved address may be connected to."""

    def refusal(self, address: Address, port: int, kind: ActKind) -> str | None:
        """Return why the address is refused, or None when it is allowed."""
        ...


class OpenPolicy:
    """Allow every address: the command line runs with the rights of the person who started it."""

    def refusal(self, address: Address, port: int, kind: ActKind) -> str | None:
        """Refuse nothing."""
        return None


@dataclass(frozen=True, slots=True)
class AllowedRange:
    """Allow one network; no ports or no kinds listed means any."""

    network: Network
    ports: frozenset[int] = frozenset()
    kinds: frozenset[ActKind] = frozenset()

    def covers(self, address: Address, port: int, kind: ActKind) -> bool:
        """Tell whether this entry allows the address, port and act."""
        if address.version != self.network.version or address not in self.network:
            return False
        return (not self.ports or port in self.ports) and (not self.kinds or kind in self.kinds)


_LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
# Python's is_private and is_global disagree with what must stay closed (100.64/10, 6to4, NAT64), hence own lists.
_NEVER: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "0.0.0.0/8",
        "169.254.0.0/16",
        "192.0.0.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "255.255.255.255/32",
        "::/128",
        "fe80::/10",
        "fec0::/10",
        "ff00::/8",
        "fd00:ec2::254/128",
    )
)
_NAT64: tuple[ipaddress.IPv6Network, ...] = (
    ipaddress.IPv6Network("64:ff9b::/96"),
    ipaddress.IPv6Network("64:ff9b:1::/48"),
)
_COMPATIBLE = ipaddress.IPv6Network("::/96")


def embedded(address: Address) -> Iterator[ipaddress.IPv4Address]:
    """Yield every IPv4 address hidden in an IPv6 one (mapped, compatible, 6to4, Teredo, NAT64).

    A name that resolves to `64:ff9b::7f00:1` reaches 127.0.0.1 behind a translator: both must pass.
    """
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    if address.sixtofour is not None:
        yield address.sixtofour
    if address.teredo is not None:
        yield from address.teredo
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address in network for network in _NAT64):
        yield low
    if address in _COMPATIBLE and int(address) > 1:
        yield low


@dataclass(frozen=True, slots=True)
class AllowList:
    """Allow only what the operator listed, below a list of addresses that stay closed whatever is listed.

    `loopback` is for the demo and tests, whose practice EHR lives on this machine; `own` are addresses and
    ports of the console's own database, broker and web server, which no probe may ever reach.
    """

    ranges: tuple[AllowedRange, ...]
    loopback: bool = False
    own: frozenset[tuple[Address, int]] = field(default_factory=frozenset)

    def refusal(self, address: Address, port: int, kind: ActKind) -> str | None:
        """Return why the address, or an address embedded in it, is refused."""
        for each in (address, *embedded(address)):
            if (each, port) in self.own:
                return f"{each} port {port} belongs to the console itself"
            if any(each.version == net.version and each in net for net in _NEVER):
                return f"{each} is never probed"
            if not self.loopback and any(each.version == net.version and each in net for net in _LOOPBACK):
                return f"{each} is this machine itself"
            if each is not address and not any(entry.covers(each, port, kind) for entry in self.ranges):
                return f"{address} hides {each}, which is not on the allow-list"
        if not any(entry.covers(address, port, kind) for entry in self.ranges):
            return f"{address} port {port} is not on the operator's allow-list"
        return None
