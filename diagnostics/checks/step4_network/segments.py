"""Judge whether the EHR is reached from every segment of the facility alike."""

from diagnostics import causes
from diagnostics.check import check, failed, passed
from diagnostics.evidence.network import SegmentReach, TcpConnect, TlsHandshake
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

_LAYERS = {"dns": "the name look-up", "tcp": "the connection", "tls": "the TLS handshake"}


@check(
    id="net.segment.divergence",
    step=Step.NETWORK,
    title="The EHR is reached from every network segment alike",
    proves=causes.SEGMENT_DIVERGENCE,
    checklist=("NET.6",),
)
def segments_agree(
    reach: SegmentReach, tcp: tuple[TcpConnect, ...] | None, tls: tuple[TlsHandshake, ...] | None
) -> Result:
    """What works here and fails there is a difference between two networks, not a fault of the EHR."""
    by_target: dict[str, dict[str, str]] = {}
    for each in reach.results:
        by_target.setdefault(each.target, {})[each.segment] = each.layer
    for handshake in tls or ():
        by_target.setdefault(handshake.subject, {})["here"] = "ok" if handshake.opens else "tls"
    for connection in tcp or ():
        if not connection.opens:
            by_target.setdefault(connection.subject, {})["here"] = "tcp"
    for target, seen in sorted(by_target.items()):
        good = sorted(name for name, layer in seen.items() if layer == "ok")
        bad = sorted((name, layer) for name, layer in seen.items() if layer != "ok")
        if good and bad:
            name, layer = bad[0]
            return failed(
                f"{target} is reached from {good[0]}, but from {name} {_LAYERS[layer]} fails.",
                strength=Strength.DECISIVE, target=target, works_from=good, fails_from=[n for n, _ in bad], layer=layer,
            )  # fmt: skip
    return passed("Every segment sees the same.", targets=sorted(by_target))
