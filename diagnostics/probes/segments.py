"""Look at every endpoint from the further segments of an integration: the same name, connection and handshake."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from dataclasses import replace

from diagnostics.case import Case, Segment
from diagnostics.evidence.base import Key, Missing
from diagnostics.evidence.network import FaultSeen, Reached, SegmentReach
from diagnostics.gather import Context
from diagnostics.net import Door
from diagnostics.net.faults import FaultKind
from diagnostics.probes.declare import Endpoint, probe
from diagnostics.probes.endpoints import MLLP
from diagnostics.probes.network import first_hop
from diagnostics.probes.seen import fault_seen
from diagnostics.probes.vantage import door_for
from diagnostics.vocabulary import Step


def _has_segments(case: Case) -> bool:
    return bool(case.integration.segments)


@probe(gives=SegmentReach, step=Step.NETWORK, applies=_has_segments)
async def reach_from_segments(context: Context) -> SegmentReach | Missing:
    """Make the network probes from each segment's own way out, all at once.

    Only where the run stands at the integration's own place: from inside one segment no other can be looked out of.
    """
    if context.vantage != "here":
        return Missing(Key(SegmentReach), f"this run stands in {context.vantage}", SegmentReach.how_to_get)
    policy = context.door.policy if isinstance(context.door, Door) else None
    acts = []
    for segment in context.case.integration.segments:
        if not (segment.source_address or segment.proxy or segment.resolver):
            continue  # without a way out of its own it would be this place under another name
        door = door_for(context.case, policy=policy, segment=segment)
        for endpoint in context.endpoints:
            acts.append(_reach(door, segment, endpoint))
    return SegmentReach(seen_from=context.vantage, results=tuple(await asyncio.gather(*acts)))


async def _reach(door: Door, segment: Segment, endpoint: Endpoint) -> Reached:
    proxied = segment.proxy is not None and MLLP not in endpoint.roles
    way = replace(endpoint, proxy=segment.proxy if proxied else None)
    host, port, _ = first_hop(door, way)
    names = await door.resolve(host)
    seen = Reached(segment.name, endpoint.subject, "ok", None, names.outcome.value, names.addresses, proxied)
    if not names.found:
        return replace(seen, layer="dns")
    if away := cannot_leave(segment.source_address, names.addresses):
        return replace(seen, layer="place", fault=FaultSeen("unreachable", "policy", says=away))
    tcp = await door.connect(host, port)
    if tcp.fault is not None:
        layer = "policy" if tcp.fault.kind is FaultKind.POLICY else "tcp"
        return replace(seen, layer=layer, fault=fault_seen(tcp.fault))
    if endpoint.tls:
        session = await door.tls(endpoint.host, endpoint.port, proxied=proxied)
        if session.fault is not None:
            return replace(seen, layer="tls", fault=fault_seen(session.fault))
    return seen


def cannot_leave(source: str | None, addresses: tuple[str, ...]) -> str:
    """Say why nothing can be seen from a source address on this machine; empty where it is one to leave from.

    That the machine lacks the address is a fact about the machine, not about the network behind the address.
    """
    if source is None:
        return ""
    try:
        version = ipaddress.ip_address(source).version
    except ValueError:
        return f"{source} is no IP address"
    if not any(ipaddress.ip_address(address).version == version for address in addresses):
        return f"the host has no IPv{version} address, and {source} leaves by no other"
    try:
        with socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM) as own:
            own.bind((source, 0))
    except OSError:
        return f"the machine that looked does not have the address {source}"
    return ""
