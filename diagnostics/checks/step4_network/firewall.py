"""Judge the firewall's own log: did it stop the connection that the scribe tried to make."""

from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.step4_network.flows import STOPPED, known_addresses, rows_about, tries
from diagnostics.evidence.case_parts import Baseline
from diagnostics.evidence.logs import FirewallLog, NoteTrace
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength


@check(
    id="net.fwlog.drop",
    step=Step.NETWORK,
    title="The firewall let the scribe's connection through",
    proves=causes.FWLOG_DROP,
    checklist=("NET.3",),
)
def let_through(log: FirewallLog, trace: NoteTrace, baseline: Baseline | None) -> Result:
    """A drop leaves no trace at either end; only the firewall itself knows of it."""
    unanswered = tries(trace)
    if not unanswered:
        return not_applicable("Every attempt of this note reached somebody who answered.")
    judged = [(one, rows_about(log.rows, one, known_addresses(baseline, one.host))) for one in unanswered]
    told = [(one, rows) for one, rows in judged if rows]
    if not told:
        return unknown("The firewall's log holds no row of this connection.", get=FirewallLog.how_to_get)
    stopped = [(one, rows) for one, rows in told if any(row.action.lower() in STOPPED for row, _ in rows)]
    lasting = [(one, rows) for one, rows in stopped if not one.overtaken]
    if not stopped:
        return passed("The firewall's log shows the connection as allowed.", rows=sum(len(rows) for _, rows in told))
    one, rows = (lasting or stopped)[-1]
    row, exact = next((row, exact) for row, exact in rows if row.action.lower() in STOPPED)
    facts: dict[str, Any] = {"at": row.at, "source": row.source, "destination": row.destination, "port": row.port}
    if not lasting:
        return warned("The firewall stopped an earlier attempt; a later one was answered by the same host.", **facts)
    allowed = any(r.action.lower() == "allow" and r.destination == row.destination for r, _ in rows)
    strength = Strength.MODERATE if allowed else Strength.DECISIVE if exact else Strength.STRONG
    return failed(
        f"The firewall logged {row.action.lower()} for port {row.port} within two minutes of the attempt.",
        strength=strength,
        attempted_at=one.at,
        **facts,
    )
