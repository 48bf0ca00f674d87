"""Join what the scribe tried to reach with what a firewall logged about it: host, port, addresses, time.

A note may have been tried several times. A try that was answered, or that a later try to the same host got through
after, is not why the note failed.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from diagnostics.evidence.case_parts import Baseline
from diagnostics.evidence.logs import Attempt, FirewallRow, NoteTrace

NEAR = timedelta(minutes=2)
STOPPED = ("drop", "deny", "reset", "block", "reject")
_PORTS = {"https": 443, "http": 80, "mllp": 2575, "mllps": 2575}
_IPV4 = re.compile(r"(?<![\d.])((?:\d{1,3}\.){3}\d{1,3})(?![\d.])(?::(\d{1,5}))?")
_IPV6 = re.compile(r"\[([0-9A-Fa-f:.]{2,45})\](?::(\d{1,5}))?")
_READ = 4096

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Python's is_private also covers documentation and benchmark ranges; these are the ranges that networks use inside
_INSIDE = tuple(
    ipaddress.ip_network(each)
    for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "::1/128")
)


@dataclass(frozen=True)
class Try:
    """Be one attempt that nobody answered; `addresses` are those its error names as the other side."""

    at: datetime
    host: str
    port: int
    addresses: frozenset[str] = field(default_factory=frozenset)
    overtaken: bool = False  # a later try got an answer from the same place


def place_of(url: str | None) -> tuple[str, int] | None:
    """Return host and port of an address, or None where it has none."""
    try:
        parts = urlsplit(url or "")
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    port = port or _PORTS.get(parts.scheme)
    return (host.lower().rstrip("."), port) if host and port else None


def tries(trace: NoteTrace) -> tuple[Try, ...]:
    """Return every attempt and token request of the note that nobody answered, in time order."""
    seen = [(a.at, a.url, a.error, a.outcome in ("unreached", "lost"), _answered(a)) for a in trace.attempts]
    seen += [(t.at, t.asked.url, t.error, not t.ok and t.status is None, t.ok or bool(t.status)) for t in trace.tokens]
    answers = [(at, place_of(url)) for at, url, _, _, answered in seen if answered]
    found = []
    for at, url, error, silent, _ in seen:
        place = place_of(url)
        if silent and place is not None:
            later = any(where == place and when > at for when, where in answers)
            found.append(Try(at, *place, addresses_in(error, place[1]), later))
    return tuple(sorted(found, key=lambda each: each.at))


def _answered(attempt: Attempt) -> bool:
    return attempt.outcome in ("accepted", "rejected")


def addresses_in(error: str | None, port: int | None = None) -> frozenset[str]:
    """Return the addresses that an error text names as the other side; a name server's and our own are left out."""
    text = (error or "")[:_READ].rpartition("->")[2]
    found = set()
    for pattern in (_IPV4, _IPV6):
        for match in pattern.finditer(text):
            at_port = int(match.group(2)) if match.group(2) else None
            address = parsed(match.group(1))
            if address is not None and at_port != 53 and (port is None or at_port in (None, port)):
                found.add(str(address))
    return frozenset(found)


def parsed(text: str | None) -> Address | None:
    """Return an address, or None where the text is none."""
    try:
        return ipaddress.ip_address((text or "").strip().strip("[]"))
    except ValueError:
        return None


def inside(address: str) -> bool:
    """Tell whether an address belongs to a network of its own, such as a hospital's (RFC 1918, RFC 4193, RFC 6598)."""
    known = parsed(address)
    return known is not None and any(known.version == net.version and known in net for net in _INSIDE)


def known_addresses(baseline: Baseline | None, host: str) -> frozenset[str]:
    """Return the addresses the host had at the last good run."""
    held = baseline.facts.get("dns") if baseline else None
    listed = held.get(host) if isinstance(held, Mapping) else None
    return frozenset(str(each) for each in listed) if isinstance(listed, list | tuple) else frozenset()


def about(row: FirewallRow, one: Try, known: frozenset[str]) -> bool | None:
    """Tell whether a row speaks of a try: True by name or address, False by port and time only, None not at all."""
    if row.port != one.port or abs(row.at - one.at) > NEAR:
        return None
    destination = (row.destination or "").lower().rstrip(".")
    address = parsed(destination)
    if destination == one.host or (address is not None and str(address) in (one.addresses | known)):
        return True
    if one.addresses and address is not None:
        return None  # the scribe's own error says which address it was, and it was another
    return False if not destination or (address is not None and parsed(one.host) is None) else None


def rows_about(rows: Iterable[FirewallRow], one: Try, known: frozenset[str]) -> list[tuple[FirewallRow, bool]]:
    """Return the rows that speak of a try, and whether they do so exactly; the exact ones first."""
    found = [(row, exact) for row in rows if (exact := about(row, one, known)) is not None]
    return sorted(found, key=lambda each: not each[1])
