"""Judge whether the EHR is reached from every segment of the facility alike; each sentence says where it was seen from.

All places are looked at within one run, so that no fault can come or go between them.
"""

from dataclasses import dataclass

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.evidence.network import DnsAnswer, FaultSeen, SegmentReach, TcpConnect, TlsHandshake
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

_NOT_LOOKED = ("policy", "place")
_LAYERS = {"dns": "the name look-up", "tcp": "the connection", "tls": "the TLS handshake"}


@dataclass(frozen=True)
class _Seen:
    """Be how far one endpoint was reached from one place."""

    layer: str
    fault: FaultSeen | None = None
    outcome: str = ""

    @property
    def why(self) -> str:
        """Say how it ended, in the words of the network."""
        return self.fault.says if self.fault is not None and self.fault.says else self.outcome


@check(
    id="net.segment.divergence",
    step=Step.NETWORK,
    title="The EHR is reached from every network segment alike",
    proves=causes.SEGMENT_DIVERGENCE,
    checklist=("NET.6",),
)
def segments_agree(
    reach: SegmentReach,
    dns: tuple[DnsAnswer, ...] | None,
    tcp: tuple[TcpConnect, ...] | None,
    tls: tuple[TlsHandshake, ...] | None,
) -> Result:
    """What works here and fails there is a difference between two networks, not a fault of the EHR."""
    by_target: dict[str, dict[str, _Seen]] = {}
    for each in reach.results:
        if each.layer not in _NOT_LOOKED:
            seen = _Seen(each.layer, each.fault, each.dns_outcome)
            by_target.setdefault(each.target, {})[each.segment] = seen
    for target, places in by_target.items():
        here = _from_here(target, dns, tcp, tls)
        if here is not None:
            places[reach.seen_from] = here
    if not any(len(places) > 1 for places in by_target.values()):
        return not_applicable("No endpoint was looked at from two places.")
    for target, places in sorted(by_target.items()):
        good = sorted(name for name, seen in places.items() if seen.layer == "ok")
        bad = sorted((name, seen) for name, seen in places.items() if seen.layer != "ok")
        if good and bad:
            name, seen = bad[0]
            ended = f" ({seen.why})" if seen.why else ""
            return failed(
                f"Seen from {good[0]}, {target} is reached; seen from {name}, {_LAYERS[seen.layer]} fails{ended}.",
                strength=Strength.DECISIVE,
                target=target,
                works_from=good,
                fails_from=[place for place, _ in bad],
                layer=seen.layer,
                ends={place: f"{other.layer}: {other.why}" for place, other in bad},
            )
    seen_from = sorted({name for places in by_target.values() for name in places})
    return passed(f"Seen from {', '.join(seen_from)}, it is all the same.", targets=sorted(by_target), places=seen_from)


def _from_here(
    target: str,
    dns: tuple[DnsAnswer, ...] | None,
    tcp: tuple[TcpConnect, ...] | None,
    tls: tuple[TlsHandshake, ...] | None,
) -> _Seen | None:
    """Return how far the run's own probes came; None where the operator's allow-list kept them from looking."""
    for name in dns or ():
        if name.subject == target and not name.opens:
            return _Seen("dns", outcome=name.outcome)
    for connection in tcp or ():
        if connection.subject == target and connection.fault is not None:
            closed = connection.fault.kind == "policy"
            return None if closed else _Seen("tcp", connection.fault)
    for handshake in tls or ():
        if handshake.subject == target:
            return _Seen("ok") if handshake.opens else _Seen("tls", handshake.fault)
    return None
