"""The door to the network that a run's probes go through: what the operator allows, nothing else."""

import ipaddress

from django.conf import settings

from console.integrations.segments import queue_name
from diagnostics.case import Case
from diagnostics.net.door import Door
from diagnostics.net.policy import AllowedRange, AllowList
from diagnostics.probes.vantage import door_for


class ProbeAllowError(Exception):
    """PROBE_ALLOW is written wrongly; the message names the word."""


def read_allowed(words: list[str]) -> tuple[AllowedRange, ...]:
    """Read `network:port`, `network:from-to` and `network:*` words; IPv6 networks stand in brackets."""
    found = []
    for word in words:
        network, _, ports = word.rpartition(":")
        try:
            first, _, last = ports.partition("-")
            listed = frozenset() if ports == "*" else frozenset(range(int(first), int(last or first) + 1))
            found.append(AllowedRange(ipaddress.ip_network(network.strip("[]")), ports=listed))
        except ValueError:
            raise ProbeAllowError(f"PROBE_ALLOW: {word!r} is not of the form network:ports") from None
    return tuple(found)


def policy() -> AllowList:
    """Give the address policy of this installation; this machine's own addresses are for the demo only."""
    return AllowList(read_allowed(settings.PROBE_ALLOW), loopback=settings.DEMO)


def open_door(case: Case, segment: str = "") -> Door:
    """Give the door for a case, from the integration's own way out or from one of its segments."""
    places = {key: place for place in case.integration.segments for key in (place.name, queue_name(place.name))}
    stands = places.get(segment) if segment else None
    return door_for(case, policy=policy(), segment=stands)
