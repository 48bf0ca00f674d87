"""Judge the first two layers of the way to the EHR: the host's name and a TCP connection."""

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from diagnostics import causes
from diagnostics.check import check, failed, passed, unknown, warned
from diagnostics.checks.step4_network.flows import parsed
from diagnostics.checks.step4_network.spelling import misspelt
from diagnostics.evidence.case_parts import Baseline
from diagnostics.evidence.logs import ScribeLog
from diagnostics.evidence.network import AtEndpoint, DnsAnswer, TcpConnect, TlsHandshake
from diagnostics.findings import Result
from diagnostics.vocabulary import Category, Step, Strength, WhoActs

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
def names_exist(dns: tuple[DnsAnswer, ...], baseline: Baseline | None, log: ScribeLog | None) -> Result:
    """A name that DNS does not know stops everything behind it, whatever else is right."""
    asked = on_the_way(dns)
    gone = [each for each in asked if each.outcome in ("nxdomain", "invalid_name")]
    if gone:
        return _unknown_name(gone, frozenset(each.host for each in dns if each.outcome == "found"), baseline, log)
    empty = [each for each in asked if each.outcome == "nodata"]
    if empty:
        return warned(
            f"DNS knows the name of {called(empty[0])}, but no address for it: nothing can be connected to.",
            host=empty[0].host, outcome=empty[0].outcome, server=empty[0].server,
        )  # fmt: skip
    return passed("Every name was found.", names=[each.host for each in asked])


def _unknown_name(
    gone: list[DnsAnswer], working: frozenset[str], baseline: Baseline | None, log: ScribeLog | None
) -> Result:
    first = next((each for each in gone if each.outcome == "nxdomain"), gone[0])
    facts: dict[str, Any] = {"host": first.host, "outcome": first.outcome, "server": first.server}
    if first.outcome == "invalid_name":
        return failed(
            f"The host name of {called(first)} is not a legal name.", strength=Strength.STRONG,
            category=Category.ENDPOINT_CONFIGURATION, who_acts=WhoActs.INTEGRATION_ENGINEER, condemns=tuple(gone),
            **facts,
        )  # fmt: skip
    meant = misspelt(first.host, log, baseline, working) if not first.hop else None
    if meant is not None:
        return failed(
            f"DNS says that {first.host} does not exist (NXDOMAIN); {meant} does, and the two are nearly the same.",
            strength=Strength.STRONG, category=Category.ENDPOINT_CONFIGURATION,
            who_acts=WhoActs.INTEGRATION_ENGINEER, condemns=tuple(gone), known_host=meant, **facts,
        )  # fmt: skip
    says = f"DNS says that the name of {called(first)} does not exist (NXDOMAIN)."
    return failed(says, condemns=tuple(gone), **facts)


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
    one_down = next((each for each in on_the_way(dns) if each.silent), None)
    if not silent and one_down is not None:
        return warned(
            f"The name server {one_down.silent[0]} did not answer; the next one did, and every look-up waits for it.",
            host=one_down.host, silent=list(one_down.silent),
        )  # fmt: skip
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


def _in_handshake(tls: Iterable[TlsHandshake] | None, *kinds: str) -> list[TlsHandshake]:
    seen = on_the_way(tls or ())
    return [each for each in seen if each.fault is not None and each.fault.kind in kinds and each.fault.phase == "tls"]


def _none_found(tcp: tuple[TcpConnect, ...], says: str) -> Result:
    """Pass, unless the operator's own allow-list kept us from looking."""
    kept_out = _faulty(tcp, "policy")
    if kept_out:
        return unknown(f"The console may not connect to {called(kept_out[0])}: the operator's allow-list lacks it.",
                       get="the operator's leave to probe this address")  # fmt: skip
    return passed(says, endpoints=len(tcp))


def _facts(each: TcpConnect | TlsHandshake) -> dict[str, Any]:
    assert each.fault is not None
    return {"endpoint": each.subject, "contacted": each.target, "fault": each.fault.kind, "errno": each.fault.errno}


@check(
    id="net.tcp.timeout",
    step=Step.NETWORK,
    title="Every host answers a connection attempt within the limit",
    proves=causes.TCP_TIMEOUT,
    checklist=("NET.1", "NET.3"),
)
def connections_are_answered(tcp: tuple[TcpConnect, ...], tls: tuple[TlsHandshake, ...] | None) -> Result:
    """Silence is how a firewall drops: no refusal, no answer, only waiting."""
    silent = _faulty(tcp, "timeout_connect")
    if not silent and (mute := _in_handshake(tls, "timeout_connect", "timeout_total")):
        return failed(
            f"{called(mute[0])} takes the connection and then says nothing: something behind or before it drops the "
            "handshake.",
            strength=Strength.STRONG, condemns=tuple(mute), **_facts(mute[0]),
        )  # fmt: skip
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
def connections_are_accepted(tcp: tuple[TcpConnect, ...], baseline: Baseline | None) -> Result:
    """A refused connection means that the host is there and nothing listens on this port."""
    refused = _faulty(tcp, "refused")
    if not refused:
        return _none_found(tcp, "No connection was refused.")
    first = refused[0]
    says = f"{called(first)} refused the connection.".capitalize() if first.hop else (
        f"The host {first.host} refused the connection on port {first.port}.")  # fmt: skip
    ports = _ports_before(baseline, first.host)
    if ports and first.port not in ports and not first.hop:
        says = f"{says} At the last good run it was port {ports[0]}."
        return failed(says, category=Category.ENDPOINT_CONFIGURATION, condemns=tuple(refused), ports_before=ports,
                      **_facts(first))  # fmt: skip
    return failed(says, condemns=tuple(refused), **_facts(first))


def _ports_before(baseline: Baseline | None, host: str) -> list[int]:
    """Return the ports of a host at which the last good run was shown a certificate."""
    held = baseline.facts.get("certificates") if baseline else None
    places = [str(each).rpartition(":") for each in held] if isinstance(held, Mapping) else []
    return sorted(int(port) for name, _, port in places if name == host and port.isdecimal())


@check(
    id="net.tcp.unreachable",
    step=Step.NETWORK,
    title="There is a route to every host the note needs",
    proves=causes.TCP_UNREACHABLE,
    checklist=("NET.1",),
)
def hosts_are_routed(tcp: tuple[TcpConnect, ...], dns: tuple[DnsAnswer, ...] | None) -> Result:
    """Without a route no packet leaves towards the host; only the network team can add one."""
    unreachable = _faulty(tcp, "unreachable")
    if not unreachable:
        return _none_found(tcp, "No host was unreachable.")
    first = unreachable[0]
    addresses = [parsed(a) for each in dns or () if each.subject == first.subject for a in each.addresses]
    if addresses and all(each is not None and each.version == 6 for each in addresses):
        says = f"{called(first)} has IPv6 addresses only, and this network has no route for IPv6."
    else:
        says = f"There is no route to {called(first)}."
    return failed(says, condemns=tuple(unreachable), **_facts(first))


@check(
    id="net.tcp.reset",
    step=Step.NETWORK,
    title="No connection is torn down right after it was opened",
    proves=causes.TCP_RESET,
    strength=Strength.STRONG,
    checklist=("NET.1", "NET.3"),
)
def connections_stay_open(tcp: tuple[TcpConnect, ...], tls: tuple[TlsHandshake, ...] | None) -> Result:
    """A reset after connecting is the mark of an inspecting device or a crashing server."""
    reset: list[TcpConnect | TlsHandshake] = [*_faulty(tcp, "reset")]
    # a server that misses our certificate closes, too: that is net.tls.client_cert
    reset += [each for each in _in_handshake(tls, "reset") if not each.certificate_requested]
    if not reset:
        return _none_found(tcp, "No connection was reset.")
    return failed(f"The connection to {called(reset[0])} was reset.", condemns=tuple(reset), **_facts(reset[0]))
