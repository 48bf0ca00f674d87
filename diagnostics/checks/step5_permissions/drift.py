"""Judge whether the account lost a grant since notes last arrived (guide step 5: upgrades and access reviews)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, passed, unknown, warned
from diagnostics.checks.refusal import Refusal, refusal_of
from diagnostics.checks.step5_permissions import reasons
from diagnostics.evidence.case_parts import Baseline, Roles, Settings
from diagnostics.evidence.logs import AuditTrail, NoteTrace
from diagnostics.findings import Result
from diagnostics.vocabulary import FailureMode, Step, Strength


@check(
    id="perm.drift",
    step=Step.PERMISSIONS,
    title="The account holds the grants it had when notes last arrived",
    proves=causes.DRIFT,
    strength=Strength.STRONG,
    checklist=("PERM.7",),
)
def grants_as_before(
    settings: Settings,
    roles: Roles | None,
    audit: AuditTrail | None,
    baseline: Baseline | None,
    trace: NoteTrace | None,
) -> Result:
    """Upgrades and access reviews take grants away quietly; the first refused note is the first to tell."""
    before = _of_baseline(baseline)
    if (roles is None or before is None) and audit is None:
        return unknown("Neither earlier grants nor the EHR's changes are known.", get=Baseline.how_to_get)
    refusal = refusal_of(trace)
    held = reasons.grants_in(roles.grants or ()) if roles is not None and roles.grants is not None else None
    stale = roles is not None and refusal is not None and reasons.changed_since(roles, refusal.at)
    known = before if not stale else None  # what the account lacks now it may still have had then
    lost = {grant for grant in known if reasons.lacks(held, grant)} if known and held is not None else set()
    for row in audit.rows if audit is not None else ():
        if row.event == "change" and row.change and row.change.get("kind") == "role" and _earlier(row.at, refusal):
            gone = _lost_by(row.change, settings)
            lost |= {grant for grant in gone if held is None or reasons.lacks(held, grant)}
    if not lost and stale and before:
        return unknown("The account was changed after the note had failed; what it held then is not known.",
                       get="the account's grants as they were when the note failed, from the EHR team")  # fmt: skip
    if not lost:
        return passed("No grant was lost.")
    says = f"The account lost {', '.join(sorted(lost))}."
    if refusal is not None and reasons.of_permission(refusal) and "document:write" in lost:
        return failed(f"{says} Then the EHR answered {refusal.named}.", strength=Strength.DECISIVE, lost=sorted(lost))
    if refusal is not None and refusal.forbidden and reasons.by_the_ehr(refusal):
        return failed(f"{says} Then the EHR answered {refusal.named}.", strength=Strength.MODERATE, lost=sorted(lost))
    if refusal is None and (trace is None or trace.failure_mode is FailureMode.UNKNOWN) and "document:write" in lost:
        return failed(says, lost=sorted(lost))
    return warned(f"{says} That does not explain this note.", lost=sorted(lost))


def _of_baseline(baseline: Baseline | None) -> frozenset[str] | None:
    """Return the grants of the last good run."""
    if baseline is None:
        return None
    held = baseline.facts.get("grants")
    held = held if held is not None else (baseline.facts.get("roles") or {})
    words = held.get("grants") if isinstance(held, Mapping) else held
    return reasons.grants_in(str(word) for word in words) if isinstance(words, list | tuple) else None


def _earlier(at: datetime, refusal: Refusal | None) -> bool:
    return refusal is None or at <= refusal.at


def _lost_by(change: Mapping[str, Any], settings: Settings) -> set[str]:
    """Return the grants a role change took away, whether it lists them before and after or names one as revoked."""
    before, after, what = (str(change.get(key) or "") for key in ("from", "to", "what"))
    had, has = _grants(before), _grants(after)
    if had:
        return {grant for grant in had if reasons.lacks(has, grant)}
    named = _grants(what)
    revoked = after.strip().lower() in ("", "none", "revoked", "removed", "denied", "false", "no", "off", "disabled")
    return set(named) if named and revoked else set()


def _grants(words: str) -> frozenset[str]:
    return reasons.grants_in(words.replace(",", " ").replace(";", " ").split())
