"""Judge the logs as a whole: audit gaps, maintenance, how widely the failure spreads (domain.md 2.7, guide step 6)."""

from datetime import datetime, timedelta
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.logs import AuditTrail, NoteTrace, ScribeLog, ScribeRow
from diagnostics.findings import Result
from diagnostics.tracing.attempts import pair
from diagnostics.vocabulary import Step, Strength

MINIMUM_SAMPLE = 20
THRESHOLD = 0.95


@check(
    id="ops.audit.gap",
    step=Step.MONITORING,
    title="The EHR's audit trail records what the AI scribe writes",
    hints=causes.AUDIT_GAP,
)
def writes_are_audited(scribe: ScribeLog, trail: AuditTrail) -> Result:
    """Without granular audit of writes no two-log comparison is possible: the highest-leverage gap to close."""
    accepted = [row for row in scribe.rows if row.event == "acked" and (row.status is None or 200 <= row.status < 300)]
    if not accepted:
        return not_applicable("The AI scribe's log shows no accepted write in this window.")
    writes = [row for row in trail.rows if row.event in ("received", "accepted", "rejected", "filed")]
    if writes:
        return passed("The audit trail holds rows of writes.", accepted=len(accepted), audited=len(writes))
    if not trail.rows:
        return unknown("The audit trail is empty for this window.", get=AuditTrail.how_to_get)
    return warned(
        "The AI scribe was told yes, and the EHR's audit trail holds other events but no write by API.",
        cause=causes.AUDIT_GAP,
        accepted=len(accepted),
        audited=0,
    )


@check(
    id="ops.vendor.maintenance",
    step=Step.MONITORING,
    title="The note was not sent in a maintenance window",
    hints=causes.VENDOR_MAINTENANCE,
)
def outside_maintenance(trace: NoteTrace, settings: Settings) -> Result:
    """A failure inside an announced window needs patience and a replay, not a repair."""
    if not settings.integration.maintenance:
        return not_applicable("No maintenance window is registered.")
    inside = [(at, window) for at in _away(trace) for window in settings.integration.maintenance
              if window.start <= at <= window.end]  # fmt: skip
    if inside:
        at, window = inside[-1]
        facts: dict[str, Any] = {"at": at, "window_start": window.start, "window_end": window.end}
        last = trace.last
        if last is not None and last.at > at and last.outcome == "rejected" and (last.status or 0) < 500:
            return warned("An attempt failed inside a registered maintenance window; a later one was answered.",
                          answered=last.status, **facts)  # fmt: skip
        return failed(
            "The attempt failed inside a registered maintenance window of the vendor.",
            strength=Strength.STRONG,
            **facts,
        )
    return passed("No failed attempt lies in a registered window.", windows=len(settings.integration.maintenance))


def _away(trace: NoteTrace) -> list[datetime]:
    """Return when requests of the note failed as they do where nobody is there: no answer, or a server error."""
    writes = [a.at for a in trace.failures if a.outcome in ("unreached", "lost") or (a.status or 0) >= 500]
    tokens = [t.at for t in trace.tokens if not t.ok and (t.status is None or t.status >= 500)]
    return sorted(writes + tokens)


@check(id="ops.spread", step=Step.MONITORING, title="Only this note failed")
def only_this_note(scribe: ScribeLog, trace: NoteTrace) -> Result:
    """Whether one note, one provider or all are affected decides how urgent it is and where to look."""
    failed_at = trace.first_failure_at
    ours = {row.note_id for row in trace.rows if row.note_id}
    if failed_at is None:
        return not_applicable("This note's log shows no failed attempt.")
    near = [row for row in scribe.rows if abs(row.at - failed_at) <= timedelta(hours=1)]
    others = {row.note_id for row in near if row.event == "failed" and row.note_id and row.note_id not in ours}
    good = {row.note_id for row in near if row.event == "acked" and row.note_id and row.note_id not in ours} - others
    if not others and not good:
        return unknown("The log at hand holds no other note of that hour.", get=ScribeLog.how_to_get)
    providers = {row.provider_id for row in near if row.note_id in others and row.provider_id}
    if others:
        return warned(
            f"{len(others)} other notes failed within an hour of this one, and {len(good)} went through.",
            other_failures=len(others),
            other_successes=len(good),
            providers=len(providers),
        )
    return passed(f"{len(good)} other notes of that hour went through.", other_successes=len(good))


@check(id="ops.success_rate", step=Step.MONITORING, title="The integration's success rate is as usual")
def success_rate(scribe: ScribeLog) -> Result:
    """A rate below 95 % would have raised an alert before the ticket did (guide, alerting)."""
    by_note: dict[str, list[ScribeRow]] = {}
    for row in scribe.rows:
        if row.note_id:
            by_note.setdefault(row.note_id, []).append(row)
    total = good = 0
    for rows in by_note.values():
        attempts, _tokens = pair(rows)
        if attempts:
            total += 1
            good += any(a.outcome == "accepted" for a in attempts)
    if total < MINIMUM_SAMPLE:
        return not_applicable(
            f"{total} notes are too few to speak of a rate; {MINIMUM_SAMPLE} are needed.", notes=total
        )
    rate = good / total
    if rate < THRESHOLD:
        return warned(f"{rate:.0%} of {total} notes were accepted, below 95 %.", rate=round(rate, 3), notes=total)
    return passed(f"{rate:.0%} of {total} notes were accepted.", rate=round(rate, 3), notes=total)
