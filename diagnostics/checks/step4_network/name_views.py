"""Judge what a name resolves to: other addresses than at the last good run, or others from another place."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.step4_network.answers_seen import last_failure
from diagnostics.checks.step4_network.flows import addresses_in, inside, known_addresses, parsed, place_of, tries
from diagnostics.checks.step4_network.names_and_connections import on_the_way
from diagnostics.evidence.case_parts import Baseline
from diagnostics.evidence.logs import NoteTrace, ScribeLog
from diagnostics.evidence.network import DnsAnswer, SegmentReach, TcpConnect, TlsHandshake
from diagnostics.evidence.snapshots import moment
from diagnostics.facts import SEEN_AT
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

Views = dict[str, frozenset[str]]


@check(
    id="net.dns.changed",
    step=Step.NETWORK,
    title="Every name has the addresses it had at the last good run",
    proves=causes.DNS_CHANGED,
    strength=Strength.MODERATE,
    checklist=("NET.5",),
)
def names_have_not_moved(
    dns: tuple[DnsAnswer, ...],
    baseline: Baseline,
    tcp: tuple[TcpConnect, ...] | None,
    tls: tuple[TlsHandshake, ...] | None,
    trace: NoteTrace | None,
) -> Result:
    """A host that moved is shut out by every rule that names its old address."""
    compared = [(each, known_addresses(baseline, each.host)) for each in on_the_way(dns) if each.outcome == "found"]
    compared = [(each, before) for each, before in compared if before]
    moved = [(each, before) for each, before in compared if set(each.addresses) != before]
    if not compared:
        return not_applicable("The last good run says of no name which addresses it had.")
    if not moved:
        return passed("Every name has the addresses it had.", names=sorted({each.host for each, _ in compared}))
    lasting = [(each, before) for each, before in moved if not _rotates(each, baseline)]
    if not lasting:
        return passed("The addresses differ, and the name is an alias of the same provider: they rotate by design.",
                      names=sorted({each.host for each, _ in moved}))  # fmt: skip
    each, before = next(((e, b) for e, b in lasting if _closed(e.subject, tcp, tls)), lasting[0])
    facts: dict[str, Any] = {"host": each.host, "before": sorted(before), "now": sorted(each.addresses)}
    if _closed(each.subject, tcp, tls) or (_silent_then(trace, each.host) and _in_time(baseline, trace)):
        return failed(f"The addresses of {each.host} differ from those of the last good run.", **facts)
    return warned(f"The addresses of {each.host} differ from those of the last good run; it is reached all the same.",
                  **facts)  # fmt: skip


def _rotates(each: DnsAnswer, baseline: Baseline) -> bool:
    """Tell whether the name is an alias of the same other name as before, as behind a content network."""
    held = baseline.facts.get("dns_names")
    alias = held.get(each.host) if isinstance(held, Mapping) else None
    return bool(alias) and alias == each.canonical_name and alias != each.host


def _closed(subject: str, tcp: Iterable[TcpConnect] | None, tls: Iterable[TlsHandshake] | None) -> bool:
    return any(each.subject == subject and not each.opens for each in (*(tcp or ()), *(tls or ())))


def _silent_then(trace: NoteTrace | None, host: str) -> bool:
    return trace is not None and any(one.host == host and not one.overtaken for one in tries(trace))


def _in_time(baseline: Baseline, trace: NoteTrace | None) -> bool:
    """Tell whether the good run was before the failure: a later one saw the addresses that failed."""
    good: datetime | None = moment(baseline.facts.get(SEEN_AT))
    return good is None or trace is None or trace.first_failure_at is None or good < trace.first_failure_at


@check(
    id="net.dns.changed.log",
    step=Step.NETWORK,
    title="The scribe called the address that the host had at the last good run",
    proves=causes.DNS_CHANGED,
    strength=Strength.MODERATE,
    checklist=("NET.5",),
)
def the_same_address_was_called(trace: NoteTrace, baseline: Baseline) -> Result:
    """The address in the client's own error says what the name meant at the failure's instant."""
    lasting = [one for one in tries(trace) if not one.overtaken]
    if not lasting:
        return passed("The host answered.") if trace.attempts or trace.tokens else not_applicable("Nothing was sent.")
    one = lasting[-1]
    before = known_addresses(baseline, one.host)
    if not one.addresses or not before or parsed(one.host) is not None:
        return not_applicable("The error names no address, or the last good run knows none of this host.")
    if one.addresses & before:
        return passed("It was an address that the host had at the last good run.", host=one.host)
    facts: dict[str, Any] = {"host": one.host, "before": sorted(before), "called": sorted(one.addresses), "at": one.at}
    held = baseline.facts.get("dns_names")
    alias = held.get(one.host) if isinstance(held, Mapping) else None
    if (alias and alias != one.host) or not _in_time(baseline, trace):
        return warned(f"The scribe called an address of {one.host} that the last good run did not see.", **facts)
    return failed(f"The scribe called an address that {one.host} did not have at the last good run.", **facts)


@check(
    id="net.dns.split_horizon",
    step=Step.NETWORK,
    title="Every place gets addresses of the same network for a name",
    proves=causes.DNS_SPLIT_HORIZON,
    strength=Strength.MODERATE,
    checklist=("NET.5", "NET.6"),
)
def views_agree(
    dns: tuple[DnsAnswer, ...],
    reach: SegmentReach | None,
    baseline: Baseline | None,
    tcp: tuple[TcpConnect, ...] | None,
    tls: tuple[TlsHandshake, ...] | None,
) -> Result:
    """A name that means an inside address here and an outside one there sends one of the two to the wrong door."""
    looked = False
    for each in on_the_way(dns):
        if each.hop or parsed(each.host) is not None:
            continue
        views = _views(each, reach)
        elsewhere = {name: seen for name, seen in views.items() if name != "here"}
        before = known_addresses(baseline, each.host)
        if before and not elsewhere:
            views["the last good run"] = before
        if len(views) < 2:
            continue
        looked = True
        if not _split(views.values()):
            continue
        closed = _closed(each.subject, tcp, tls) or _closed_there(each.subject, reach)
        facts: dict[str, Any] = {
            "host": each.host,
            "seen": {name: sorted(seen) for name, seen in sorted(views.items())},
        }
        if closed:
            return failed(
                f"{each.host} is another address from another place, and not every place reaches it.", **facts
            )
        return warned(f"{each.host} is another address from another place; each of them answers.", **facts)
    if not looked:
        return not_applicable("The names were looked up from one place only.")
    return passed("Every place gets addresses of the same network; outside, they may differ by region.")


def _views(each: DnsAnswer, reach: SegmentReach | None) -> Views:
    views: Views = {"here": frozenset(each.addresses)} if each.addresses else {}
    for seen in reach.results if reach else ():
        if seen.target == each.subject and seen.addresses and not seen.proxied:
            views[seen.segment] = frozenset(seen.addresses)
    return views


def _split(views: Iterable[frozenset[str]]) -> bool:
    """Tell whether views differ in a way that a provider's regions do not: one of them is of a network of its own."""
    seen = list(views)
    within = [any(inside(address) for address in view) for view in seen]
    return any(within) and any(not one & other for one in seen for other in seen)


def _closed_there(subject: str, reach: SegmentReach | None) -> bool:
    return any(seen.target == subject and seen.layer in ("tcp", "tls") for seen in (reach.results if reach else ()))


@check(
    id="net.dns.split_horizon.log",
    step=Step.NETWORK,
    title="Every site of the scribe called addresses of the same network",
    proves=causes.DNS_SPLIT_HORIZON,
    strength=Strength.MODERATE,
    checklist=("NET.5", "NET.6"),
)
def sites_called_the_same(trace: NoteTrace, log: ScribeLog, baseline: Baseline | None) -> Result:
    """An inside address called from outside is never answered, and the errors of the sites show it."""
    last, lasting = last_failure(trace), [one for one in tries(trace) if not one.overtaken]
    if last is None or not lasting or last.status is not None:
        return passed("The host answered.") if trace.attempts or trace.tokens else not_applicable("Nothing was sent.")
    one = lasting[-1]
    if not one.addresses or parsed(one.host) is not None:
        return not_applicable("The error names no address.")
    others = _called_elsewhere(log, one.host) | known_addresses(baseline, one.host)
    others -= one.addresses
    if not others:
        return not_applicable("Nothing says which address the host is from another place.")
    within = [inside(address) for address in one.addresses]
    if all(within) and not any(inside(address) for address in others):
        return failed(f"The scribe called an inside address of {one.host}, which elsewhere is an outside one.",
                      host=one.host, called=sorted(one.addresses), elsewhere=sorted(others)[:8], at=one.at)  # fmt: skip
    if not any(within) and all(inside(address) for address in others):
        return failed(f"The scribe called an outside address of {one.host}, which elsewhere is an inside one.",
                      host=one.host, called=sorted(one.addresses), elsewhere=sorted(others)[:8], at=one.at)  # fmt: skip
    return passed("Every place called addresses of the same kind of network.", host=one.host)


def _called_elsewhere(log: ScribeLog, host: str) -> frozenset[str]:
    """Return the addresses that the errors of all notes name for a host."""
    found: set[str] = set()
    for row in log.rows:
        place = place_of(row.url) if row.error and row.status is None else None
        if place is not None and place[0] == host:
            found |= addresses_in(row.error, place[1])
    return frozenset(found)
