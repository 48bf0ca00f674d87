"""Judge the first two layers of the way to the EHR: the host's name and a TCP connection."""

from collections.abc import Iterable
from typing import Any, TypeVar

from diagnostics import causes
from diagnostics.check import check, failed, passed, unknown
from diagnostics.evidence.network import AtEndpoint, DnsAnswer, TcpConnect
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

# A note passes these; the key set's host is asked by the EHR, and is judged with the sign-in (auth.jwks.unreachable).
NOTE_ROLES = frozenset({"fhir", "write", "token", "mllp"})
E = TypeVar("E", bound=AtEndpoint)


def on_the_way(seen: Iterable[E]) -> tuple[E, ...]:
    """Return the evidence about endpoints that a note or its token passes."""
    return tuple(each for each in seen if NOTE_ROLES & set(each.roles))


def called(each: AtEndpoint) -> str:
    """Return how to call an endpoint in a sentence."""
    return f"the proxy {each.hop}" if each.hop else each.subject


@check(
    id="net.dns.nxdomain",
    step=Step.NETWORK,
    title="Every host name the note needs exists in DNS",
    proves=causes.DNS_NXDOMAIN,
    checklist=("NET.5",),
)
def names_exist(dns: tuple[DnsAnswer, ...]) -> Result:
    """A name that DNS does not know stops everything behind it, whatever else is right."""
    gone = [each for each in on_the_way(dns) if each.outcome in ("nxdomain", "nodata", "invalid_name")]
    if not gone:
        return passed("Every name was found.", names=[each.host for each in on_the_way(dns)])
    first = next((each for each in gone if each.outcome == "nxdomain"), gone[0])
    says = {
        "nxdomain": f"DNS says that the name of {called(first)} does not exist (NXDOMAIN).",
        "nodata": f"DNS knows the name of {called(first)}, but no address for it.",
        "invalid_name": f"The host name of {called(first)} is not a legal name.",
    }[first.outcome]
    strength = Strength.DECISIVE if first.outcome == "nxdomain" else Strength.STRONG
    return failed(says, strength=strength, condemns=tuple(gone), host=first.host, outcome=first.outcome,
                  server=first.server)  # fmt: skip


@check(
    id="net.dns.servfail_timeout",
    step=Step.NETWORK,
    title="The name server answers for every host the note needs",
    proves=causes.DNS_SERVFAIL_TIMEOUT,
    checklist=("NET.5",),
)
def name_server_answers(dns: tuple[DnsAnswer, ...]) -> Result:
    """A broken resolver looks like a broken EHR to everyone behind it."""
    silent = [each for each in on_the_way(dns) if each.outcome in ("servfail", "refused", "timeout")]
    if not silent:
        return passed("The name server answered each time.", servers=sorted({each.server for each in dns}))
    first = silent[0]
    says = {
        "servfail": "answered SERVFAIL",
        "refused": "refused to answer",
        "timeout": "did not answer",
    }[first.outcome]
    return failed(
        f"The name server {says} when asked for {called(first)}.",
        condemns=tuple(silent), host=first.host, outcome=first.outcome, server=first.server,
    )  # fmt: skip


def _faulty(tcp: Iterable[TcpConnect], *kinds: str) -> list[TcpConnect]:
    return [each for each in on_the_way(tcp) if each.fault is not None and each.fault.kind in kinds]


def _none_found(tcp: tuple[TcpConnect, ...], says: str) -> Result:
    """Pass, unless the operator's own allow-list kept us from looking."""
    kept_out = _faulty(tcp, "policy")
    if kept_out:
        return unknown(f"The console may not connect to {called(kept_out[0])}: the operator's allow-list lacks it.",
                       get="the operator's leave to probe this address")  # fmt: skip
    return passed(says, endpoints=len(tcp))


def _facts(each: TcpConnect) -> dict[str, Any]:
    assert each.fault is not None
    return {"endpoint": each.subject, "contacted": each.target, "fault": each.fault.kind, "errno": each.fault.errno}


@check(
    id="net.tcp.timeout",
    step=Step.NETWORK,
    title="Every host answers a connection attempt within the limit",
    proves=causes.TCP_TIMEOUT,
    checklist=("NET.1", "NET.3"),
)
def connections_are_answered(tcp: tuple[TcpConnect, ...]) -> Result:
    """Silence is how a firewall drops: no refusal, no answer, only waiting."""
    silent = _faulty(tcp, "timeout_connect")
    if not silent:
        return _none_found(tcp, "No connection attempt was left without an answer.")
    first = silent[0]
    return failed(
        f"Nothing answered the connection to {called(first)} within the limit: it is silently dropped.",
        condemns=tuple(silent), **_facts(first),
    )  # fmt: skip


@check(
    id="net.tcp.refused",
    step=Step.NETWORK,
    title="Every host accepts connections on the configured port",
    proves=causes.TCP_REFUSED,
    strength=Strength.STRONG,
    checklist=("NET.1",),
)
def connections_are_accepted(tcp: tuple[TcpConnect, ...]) -> Result:
    """A refused connection means that the host is there and nothing listens on this port."""
    refused = _faulty(tcp, "refused")
    if not refused:
        return _none_found(tcp, "No connection was refused.")
    first = refused[0]
    says = f"{called(first)} refused the connection.".capitalize() if first.hop else (
        f"The host {first.host} refused the connection on port {first.port}.")  # fmt: skip
    return failed(says, condemns=tuple(refused), **_facts(first))


@check(
    id="net.tcp.unreachable",
    step=Step.NETWORK,
    title="There is a route to every host the note needs",
    proves=causes.TCP_UNREACHABLE,
    checklist=("NET.1",),
)
def hosts_are_routed(tcp: tuple[TcpConnect, ...]) -> Result:
    """Without a route no packet leaves towards the host; only the network team can add one."""
    unreachable = _faulty(tcp, "unreachable")
    if not unreachable:
        return _none_found(tcp, "No host was unreachable.")
    return failed(
        f"There is no route to {called(unreachable[0])}.", condemns=tuple(unreachable), **_facts(unreachable[0])
    )


@check(
    id="net.tcp.reset",
    step=Step.NETWORK,
    title="No connection is torn down right after it was opened",
    proves=causes.TCP_RESET,
    strength=Strength.STRONG,
    checklist=("NET.1", "NET.3"),
)
def connections_stay_open(tcp: tuple[TcpConnect, ...]) -> Result:
    """A reset after connecting is the mark of an inspecting device or a crashing server."""
    reset = _faulty(tcp, "reset")
    if not reset:
        return _none_found(tcp, "No connection was reset.")
    return failed(f"The connection to {called(reset[0])} was reset.", condemns=tuple(reset), **_facts(reset[0]))
