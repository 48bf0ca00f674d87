"""Open the door from where a run stands: the integration's own way out, or one of its segments'."""

from __future__ import annotations

from diagnostics.case import Case, Segment
from diagnostics.net import AddressPolicy, Budget, Door, Trust


def door_for(case: Case, *, policy: AddressPolicy | None = None, segment: Segment | None = None) -> Door:
    """Return a door with the integration's trust, proxy, resolver and time limit.

    `policy` bounds the addresses (default: open, as on the command line). A segment replaces source address, proxy
    and resolver. Raises ValueError where the proxy is no http:// address.
    """
    integration = case.integration
    trust = Trust(
        ca_pem=_text(integration.ca_bundle),
        client_cert_pem=_text(integration.client_cert),
        client_key_pem=_text(integration.client_key),
    )
    return Door(
        policy=policy,
        resolver=(segment.resolver if segment else None) or integration.resolver,
        proxy=segment.proxy if segment else integration.proxy,
        source_address=segment.source_address if segment else None,
        trust=trust,
        budget=Budget().within(integration.timeout_s),
    )


def _text(pem: bytes | None) -> str | None:
    return None if pem is None else pem.decode("ascii", errors="replace")
