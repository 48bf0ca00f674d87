"""Judge the firewall's own log: did it stop the connection that the scribe tried to make."""

import ipaddress
from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.evidence.logs import FirewallLog, FirewallRow, NoteTrace
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

_NEAR = timedelta(minutes=2)
_STOPPED = ("drop", "deny", "reset")
_PORTS = {"https": 443, "http": 80}


@check(
    id="net.fwlog.drop",
    step=Step.NETWORK,
    title="The firewall let the scribe's connection through",
    proves=causes.FWLOG_DROP,
    checklist=("NET.3",),
)
def let_through(log: FirewallLog, trace: NoteTrace) -> Result:
    """A drop leaves no trace at either end; only the firewall itself knows of it."""
    tries = list(_tries(trace))
    if not tries:
        return not_applicable("Every attempt of this note reached somebody who answered.")
    near = [
        (row, exact)
        for row in log.rows
        for at, host, port in tries
        if (exact := _fits(row, at, host, port)) is not None
    ]
    stopped = [(row, exact) for row, exact in near if row.action.lower() in _STOPPED]
    if stopped:
        row, exact = max(stopped, key=lambda found: found[1])
        allowed = any(r.action.lower() == "allow" and r.destination == row.destination for r, _ in near)
        strength = Strength.DECISIVE if exact and not allowed else Strength.STRONG if not allowed else Strength.MODERATE
        return failed(
            f"The firewall logged {row.action.lower()} for port {row.port} within two minutes of the attempt.",
            strength=strength,
            at=row.at,
            source=row.source,
            destination=row.destination,
            port=row.port,
        )
    if near:
        return passed("The firewall's log shows the connection as allowed.", rows=len(near))
    return unknown("The firewall's log holds no row of this connection.", get=FirewallLog.how_to_get)


def _tries(trace: NoteTrace) -> Iterator[tuple[datetime, str, int]]:
    """Yield time, host and port of every attempt and token request that nobody answered."""
    unanswered = [(a.at, a.url) for a in trace.attempts if a.outcome in ("unreached", "lost")]
    unanswered += [(t.at, t.asked.url) for t in trace.tokens if not t.ok and t.status is None]
    for at, url in unanswered:
        parts = urlsplit(url or "")
        try:
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            port = None
        if parts.hostname and port:
            yield at, parts.hostname.lower(), port


def _fits(row: FirewallRow, at: datetime, host: str, port: int) -> bool | None:
    """Tell whether a row speaks of this attempt: True by address or name, False by port and time only, else None."""
    if row.port != port or abs(row.at - at) > _NEAR:
        return None
    destination = (row.destination or "").lower()
    if destination == host:
        return True
    if _is_address(destination) and not _is_address(host):
        return False  # the log names an address and the scribe a name: most likely the same, not surely
    return False if not destination else None


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
