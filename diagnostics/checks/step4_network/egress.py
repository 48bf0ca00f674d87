"""Judge whether the EHR's side expects connections from the address that the scribe comes from.

Behind a NAT the address that the EHR sees stands in no log of ours: then only the EHR's own words, its firewall's
log or the vendor's announcement can tell.
"""

import ipaddress
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.logged_words import explained
from diagnostics.checks.step4_network.answers_seen import last_failure
from diagnostics.checks.step4_network.flows import (
    STOPPED,
    Try,
    inside,
    known_addresses,
    parsed,
    rows_about,
    tries,
)
from diagnostics.evidence.case_parts import Baseline
from diagnostics.evidence.logs import AuditTrail, EhrRow, FirewallLog, FirewallRow, NoteTrace
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_ABOUT_EGRESS = re.compile(
    r"\b(?:egress|outbound|source ip|source address|client ip|nat (?:pool|address|ip|gateway)"
    r"|ip[- ](?:range|address range|pool|allow)|address (?:range|pool)|allow[- ]?list|white[- ]?list|cidr)",
    re.IGNORECASE,
)
_RANGE = re.compile(r"(?<![\w.:])([0-9A-Fa-f:.]{3,45}(?:/\d{1,3})?)(?![\w:])")
_ASK = "the scribe's present outbound addresses, from its vendor, and the EHR's allow-list, from the EHR team"
_SILENT = ("net.tcp.timeout", "net.tcp.refused", "net.tcp.reset", "net.tcp.unreachable", None)


@check(
    id="net.egress.ip_not_allowed",
    step=Step.NETWORK,
    title="The EHR's side expects connections from the scribe's address",
    proves=causes.EGRESS_IP_NOT_ALLOWED,
    checklist=("NET.1", "NET.3"),
)
def address_is_expected(
    trace: NoteTrace, firewall: FirewallLog | None, trail: AuditTrail | None, baseline: Baseline | None
) -> Result:
    """A vendor that moves to new outbound addresses is shut out by every allow-list that was not told."""
    lasting = [one for one in tries(trace) if not one.overtaken]
    change = _announced(trail, trace)
    if not lasting:
        if change is not None and trace.first_failure_at is None:
            return warned("The addresses from which the scribe connects were changed.", changed_at=change.at)
        return passed("The EHR's side answered the scribe.") if trace.attempts else not_applicable("Nothing was sent.")
    ranges = _ranges(change)
    for one in reversed(lasting):
        turned_away = _turned_away(firewall, one, baseline)
        if turned_away is None:
            continue
        row, others = turned_away
        facts: dict[str, Any] = {"source": row.source, "destination": row.destination, "port": row.port, "at": row.at}
        if _within(row.source, ranges):
            says = f"The firewall turned {row.source} away, one of the scribe's new addresses."
            return failed(says, changed_at=change.at if change else None, **facts)
        if others:
            sure = not inside(row.source or "")
            says = f"The firewall turned {row.source} away and lets {others[0]} through to the same place."
            return failed(says, strength=Strength.DECISIVE if sure else Strength.STRONG, allowed=others[:5], **facts)
    if change is not None and _unheard(lasting[-1], trace):
        sure = bool(ranges) and _worked_before(trace, trail, change.at)
        return failed(
            "The addresses from which the scribe connects were changed before the first failure, and nothing has "
            "answered it since.",
            strength=Strength.DECISIVE if sure else Strength.STRONG,
            changed_at=change.at,
            first_failure_at=trace.first_failure_at,
        )
    return unknown("Nothing at hand says which addresses the EHR's side lets in.", get=_ASK)


@check(
    id="net.egress.ip_not_allowed.log",
    step=Step.NETWORK,
    title="No answer to the scribe says that its address is not allowed",
    hints=causes.EGRESS_IP_NOT_ALLOWED,
    checklist=("NET.3",),
)
def address_was_expected(trace: NoteTrace) -> Result:
    """A gateway that keeps an allow-list often says so, with the status that permissions have, too."""
    last = last_failure(trace)
    if last is None:
        return passed("Nothing was turned away.") if trace.attempts else not_applicable("Nothing was sent.")
    found = explained(last.answer.text, status=last.status, context=last.what) if last.answer.text else None
    if found is not None and found.cause == causes.EGRESS_IP_NOT_ALLOWED.id:
        return failed("The answer says that this address is not allowed.", status=last.status, at=last.at)
    return passed("No answer speaks of an address that is not allowed.", status=last.status)


def _announced(trail: AuditTrail | None, trace: NoteTrace) -> EhrRow | None:
    """Return the last change row before the first failure that speaks of the scribe's outbound addresses."""
    shift = timedelta(seconds=trace.clock_offset_s or 0.0)
    found = None
    for row in trail.rows if trail else ():
        words = " ".join(str(row.change.get(key) or "") for key in ("what", "from", "to")) if row.change else ""
        late = trace.first_failure_at is not None and row.at - shift > trace.first_failure_at
        if row.event == "change" and not late and _ABOUT_EGRESS.search(words[:2000]):
            found = row
    return found


def _ranges(change: EhrRow | None) -> tuple[Network, ...]:
    """Return the addresses a change row names as new, those it named before left out."""
    if change is None or change.change is None:
        return ()
    new, old = (_networks(str(change.change.get(key) or "")) for key in ("to", "from"))
    return tuple(each for each in new if each not in old)


def _networks(text: str) -> list[Network]:
    found = []
    for match in _RANGE.finditer(text[:2000]):
        try:
            found.append(ipaddress.ip_network(match.group(1), strict=False))
        except ValueError:
            continue
    return found


def _within(source: str | None, ranges: Iterable[Network]) -> bool:
    address = parsed(source)
    return address is not None and any(address.version == net.version and address in net for net in ranges)


def _turned_away(
    firewall: FirewallLog | None, one: Try, baseline: Baseline | None
) -> tuple[FirewallRow, list[str]] | None:
    """Return the row that stopped a try, and the other sources let through to the same place."""
    rows = firewall.rows if firewall else ()
    stopped = [
        (row, exact)
        for row, exact in rows_about(rows, one, known_addresses(baseline, one.host))
        if row.action.lower() in STOPPED and row.source
    ]
    if not stopped or not stopped[0][1]:
        return None
    row = stopped[0][0]
    same = [r for r in rows if (r.destination, r.port) == (row.destination, row.port) and r.action.lower() == "allow"]
    if any(r.source == row.source and abs((r.at - one.at).total_seconds()) <= 120 for r in same):
        return None  # the address is let through at that very moment: it was something else
    others = {
        r.source for r in same if r.source and r.source != row.source and inside(r.source) == inside(row.source or "")
    }
    return row, sorted(others)


def _unheard(one: Try, trace: NoteTrace) -> bool:
    """Tell whether the try ended as one does that a firewall turns away: in silence, a refusal or a reset."""
    errors = [a.error for a in trace.attempts if a.at == one.at] + [t.error for t in trace.tokens if t.at == one.at]
    text = next((error for error in errors if error), None)
    return not text or explained(text, protocol="net").cause in _SILENT


def _worked_before(trace: NoteTrace, trail: AuditTrail | None, changed_at: datetime) -> bool:
    """Tell whether the EHR had taken notes before the change, and none between it and the failure."""
    shift = timedelta(seconds=trace.clock_offset_s or 0.0)
    failed_at = trace.first_failure_at
    taken = [row.at for row in (trail.rows if trail else ()) if row.event in ("received", "accepted", "filed")]
    between = [at for at in taken if at > changed_at and (failed_at is None or at - shift < failed_at)]
    return any(at < changed_at for at in taken) and not between
