"""Conclude: findings → root cause, contributing causes, what is ruled out, what is missing. Pure.

Proof before hint, what fits the failure's recorded instant before what does not, upstream before downstream. A cause
that merely follows from another is not told twice; one that stands on its own evidence is told as contributing.
Where nothing decides, there is no root cause, and `missing` says what would settle it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from diagnostics import catalog
from diagnostics.causes.model import Cause, Kind
from diagnostics.changes import related, suspect
from diagnostics.conclusion.zone import FIRST_ASKED, MODES, Zone, fits, zone_of
from diagnostics.evidence.logs import AuditTrail, NoteTrace, ScribeLog
from diagnostics.findings import Bearing, Change, Finding, JourneyStage, Reason, RootCause, RuledOut
from diagnostics.vocabulary import (
    Category,
    Certainty,
    FailureMode,
    Instant,
    Layer,
    Outcome,
    Stage,
    StageState,
    Strength,
)


@dataclass(frozen=True)
class Candidate:
    """Be one cause with every failed finding that speaks for it."""

    cause: Cause
    findings: tuple[Finding, ...]

    @property
    def strength(self) -> Strength:
        """Return the weight of its heaviest finding."""
        return max(finding.strength or Strength.WEAK for finding in self.findings)

    @property
    def best(self) -> Finding:
        """Return its heaviest finding; of equals the one that speaks of the failure's instant."""
        return min(self.findings, key=lambda f: (-(f.strength or Strength.WEAK), _INSTANTS.index(f.instant)))

    @property
    def instant(self) -> Instant:
        """Return which moment its heaviest findings speak of."""
        heavy = [f.instant for f in self.findings if (f.strength or Strength.WEAK) == self.strength]
        return min(heavy, key=_INSTANTS.index)

    @property
    def category(self) -> Category:
        """Return the category the evidence decided for."""
        return self.best.category or self.cause.category


_EVER = datetime.min.replace(tzinfo=UTC)
_INSTANTS = [Instant.THEN, Instant.STANDING, Instant.NOW]
CERTAINTY = {
    Strength.DECISIVE: Certainty.PROVEN,
    Strength.STRONG: Certainty.LIKELY,
    Strength.MODERATE: Certainty.POSSIBLE,
}
_LOWER = {
    Certainty.PROVEN: Certainty.LIKELY,
    Certainty.LIKELY: Certainty.POSSIBLE,
    Certainty.POSSIBLE: Certainty.POSSIBLE,
}


@dataclass(frozen=True)
class Conclusion:
    """Hold what was concluded, before it is joined with steps, facts and changes."""

    mode: FailureMode
    root: RootCause | None
    contributing: tuple[RootCause, ...]
    ruled_out: tuple[RuledOut, ...]
    missing: tuple[str, ...]
    journey: tuple[JourneyStage, ...]


def conclude(findings: Sequence[Finding], trace: NoteTrace | None, changes: Sequence[Change] = ()) -> Conclusion:
    """Return the conclusion for one note (or, without a trace, for an integration)."""
    zone = zone_of(trace)
    candidates = [c for c in _candidates(findings) if not _overcome(c, trace)]
    fitting = [c for c in candidates if fits(zone, c.cause) and _in_time(c, zone)]
    chosen = _choose(fitting, findings)
    lowered = False
    if chosen is None and zone not in (Zone.TAKEN, Zone.NOT_GENERATED, Zone.NOT_TRIED):
        # nothing that fits speaks: what stands in the payload or the configuration may still be why, less surely
        standing = [c for c in candidates if c not in fitting and _stands(c) and c.cause.layer >= Layer.REQUEST]
        chosen, lowered = _choose(standing, findings), True
    mode = _mode(trace, zone, candidates if zone is Zone.TAKEN else [], chosen)
    root = _root(chosen, findings, changes, lowered) if chosen is not None else None
    others = _contributing(candidates, chosen, zone)
    return Conclusion(
        mode=mode,
        root=root,
        contributing=tuple(_root_of(c, ()) for c in others),
        ruled_out=_ruled_out(findings, trace, zone, [chosen, *others] if chosen else others),
        missing=_missing(findings, trace, root, zone),
        journey=_journey(trace, mode),
    )


def _candidates(findings: Iterable[Finding]) -> list[Candidate]:
    by_cause: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.status is Outcome.FAILED and finding.cause is not None and finding.cause.kind is Kind.CAUSE:
            by_cause.setdefault(finding.cause.id, []).append(finding)
    found = []
    for group in by_cause.values():
        cause = group[0].cause
        if cause is not None:
            found.append(Candidate(cause, tuple(group)))
    return sorted(found, key=lambda c: c.cause.id)


def _in_time(candidate: Candidate, zone: Zone) -> bool:
    """Let a probe made now explain a recorded failure only where it shows the same kind of failure.

    A note that the EHR took did not fail for what a probe meets now.
    """
    if candidate.instant is not Instant.NOW or zone is Zone.OPEN:
        return True
    return zone is not Zone.TAKEN or candidate.cause.layer >= Layer.ACCEPTANCE or candidate.cause.id in _NOW_AND_THEN


def _overcome(candidate: Candidate, trace: NoteTrace | None) -> bool:
    """Tell whether another attempt says more than a lost one: it got the note through, or was refused with a reason."""
    if candidate.cause.id not in ("net.timeout.gateway", "hl7.ack.missing") or trace is None or trace.last is None:
        return False
    if trace.last.outcome == "accepted":
        return True
    if trace.last.outcome not in ("lost", "pending") or candidate.strength >= Strength.STRONG:
        return False
    return trace.failure_mode is FailureMode.REJECTED or any(a.outcome == "rejected" for a in trace.attempts)


# what a probe finds in the standing configuration held when the note was taken, too
_NOW_AND_THEN = ("fhir.base.environment",)


def _order(candidate: Candidate) -> tuple[int, int, int, str]:
    return (-candidate.strength, candidate.cause.layer, _INSTANTS.index(candidate.instant), candidate.cause.id)


def _choose(candidates: Sequence[Candidate], findings: Sequence[Finding]) -> Candidate | None:
    """Return the root: the heaviest, of equals the lowest layer, of these what explains the others."""
    against = {category for f in findings if f.status is Outcome.PASSED for category in f.rules_out}
    able = [
        c
        for c in candidates
        if c.strength >= Strength.STRONG or (c.strength >= Strength.MODERATE and c.category not in against)
    ]
    if not able:
        return None
    best = min(able, key=_order)
    for other in sorted(able, key=_order):
        explains = other.cause.consequence(best.cause) and not best.cause.consequence(other.cause)
        if explains and other.strength >= min(best.strength, Strength.STRONG):
            best = other
    rivals = [c for c in able if c is not best and c.strength == best.strength and c.category != best.category]
    if best.strength is Strength.MODERATE and any(not best.cause.consequence(c.cause) for c in rivals):
        return None  # two mere possibilities in different places: neither may be told as the cause
    return best


def _stands(candidate: Candidate) -> bool:
    return candidate.instant is not Instant.NOW and candidate.strength >= Strength.STRONG


def _root(chosen: Candidate, findings: Sequence[Finding], changes: Sequence[Change], lowered: bool) -> RootCause:
    reasons = list(_change_reasons(chosen, changes))
    reasons += list(_passes_now(chosen, findings))
    root = _root_of(chosen, tuple(reasons))
    if not lowered:
        return root
    return RootCause(root.cause, root.category, _LOWER[root.certainty], root.because, root.who_acts)


def _root_of(chosen: Candidate, more: tuple[Reason, ...]) -> RootCause:
    heavy = sorted(chosen.findings, key=lambda f: (-(f.strength or Strength.WEAK), _INSTANTS.index(f.instant)))
    told: list[Reason] = []
    for finding in heavy:
        if all(finding.says != reason.says for reason in told):
            told.append(Reason(finding.check, finding.says))
    return RootCause(
        cause=chosen.cause,
        category=chosen.category,
        certainty=CERTAINTY[max(chosen.strength, Strength.MODERATE)],
        because=(*told[:4], *more),
        who_acts=chosen.best.who_acts or chosen.cause.who_acts,
    )


def _change_reasons(chosen: Candidate, changes: Sequence[Change]) -> Iterable[Reason]:
    """Name what changed before the first failure and can be why: the latest first, at most two.

    Where no such change has a date, name what differs from the last good run, as that.
    """
    dated = [change for change in changes if change.at is not None and suspect(change, chosen.cause)]
    for change in sorted(dated, key=lambda c: c.at or _EVER, reverse=True)[:2]:
        at = change.at.strftime("%Y-%m-%d %H:%M UTC") if change.at else ""
        yield Reason("changes", f"Changed before the failure: {_changed(change)}, on {at}.")
    if dated:
        return
    undated = [c for c in changes if c.at is None and c.bearing is Bearing.UNKNOWN and related(c, chosen.cause)]
    for change in undated[:1]:
        yield Reason("changes", f"It differs from the last good run: {_changed(change)}.")


def _changed(change: Change) -> str:
    return change.what + (f", from {change.before} to {change.after}" if change.before and change.after else "")


def _passes_now(chosen: Candidate, findings: Sequence[Finding]) -> Iterable[Reason]:
    """Say so where the logs prove a failure that a probe made now does not meet."""
    if chosen.instant is not Instant.THEN:
        return
    for finding in findings:
        if (
            finding.instant is Instant.NOW
            and finding.status is Outcome.PASSED
            and (finding.check == chosen.cause.id or finding.check.startswith(chosen.cause.id + "."))
        ):
            yield Reason(finding.check, f"It was transient, or has been fixed since: {finding.says}")
            return


def _contributing(candidates: Sequence[Candidate], root: Candidate | None, zone: Zone) -> list[Candidate]:
    """Return further causes that stand on their own evidence and do not follow from the root."""
    found: list[Candidate] = []
    for candidate in sorted(candidates, key=_order):
        apart = zone is not Zone.OPEN and not fits(zone, candidate.cause) and candidate.instant is not Instant.NOW
        if candidate is root or candidate.strength < (Strength.MODERATE if apart else Strength.STRONG):
            continue  # what cannot be a reading of the recorded symptom needs less weight to be told
        if root is not None and root.cause.consequence(candidate.cause):
            continue
        if root is not None and candidate.cause.consequence(root.cause) and candidate.strength < Strength.DECISIVE:
            continue
        if any(other.cause.consequence(candidate.cause) for other in found):
            continue
        hint = candidate.strength < Strength.DECISIVE
        same_symptom = zone is not Zone.TAKEN and (zone is Zone.OPEN or fits(zone, candidate.cause))
        if hint and root is not None and same_symptom:
            continue  # another reading of the same symptom, which the root has already explained
        found.append(candidate)
    return found


def _mode(trace: NoteTrace | None, zone: Zone, taken: Sequence[Candidate], root: Candidate | None) -> FailureMode:
    """Join what the logs say with what the checks found in the chart; wrong patient first (section 5)."""
    mode = trace.failure_mode if trace is not None else FailureMode.UNKNOWN
    if trace is None or zone is not Zone.TAKEN or mode in (FailureMode.REJECTED, FailureMode.NEVER_SENT):
        return mode
    modes = {c.cause.id: MODES[c.cause.id] for c in taken if c.cause.id in MODES and c.strength >= Strength.MODERATE}
    if root is not None and root.cause.id == "fhir.outcome.accepted_202":
        return FailureMode.DELAYED
    if mode is FailureMode.DELAYED and FailureMode.MISPLACED not in modes.values():
        return mode
    for wanted in (FailureMode.MISPLACED, FailureMode.PARTIAL, FailureMode.DUPLICATE):
        if mode is wanted or wanted in modes.values():
            return wanted
    return mode


def _journey(trace: NoteTrace | None, mode: FailureMode) -> tuple[JourneyStage, ...]:
    if trace is None:
        return tuple(JourneyStage(stage, StageState.UNKNOWN) for stage in Stage)
    misfiled = mode in (FailureMode.MISPLACED, FailureMode.PARTIAL, FailureMode.DUPLICATE)
    return tuple(
        JourneyStage(s.stage, StageState.BROKEN, s.at, s.says)
        if misfiled and s.stage is Stage.FILED
        else JourneyStage(s.stage, StageState.OK, s.at, s.says)
        if misfiled
        else s
        for s in trace.journey
    )


_NAMES = {
    "auth": Category.AUTHENTICATION,
    "fhir": Category.ENDPOINT_CONFIGURATION,
    "hl7": Category.ENDPOINT_CONFIGURATION,
    "map": Category.FIELD_MAPPING,
    "tmpl": Category.TEMPLATE_CONFLICT,
    "net": Category.NETWORK,
    "perm": Category.PERMISSIONS,
}


_CHART_CATEGORIES = (Category.FIELD_MAPPING, Category.TEMPLATE_CONFLICT)


def _ruled_out(
    findings: Sequence[Finding], trace: NoteTrace | None, zone: Zone, told: Sequence[Candidate]
) -> tuple[RuledOut, ...]:
    """Name categories that the evidence speaks against: an answer of the EHR itself, or checks that all passed."""
    accused = {candidate.category for candidate in told}
    out: dict[Category, str] = {}
    if zone in (Zone.UNAUTHENTICATED, Zone.FORBIDDEN, Zone.INVALID, Zone.NOT_FOUND, Zone.NACK, Zone.TAKEN) and trace:
        out[Category.NETWORK] = "An answer came back from the EHR's side, so the connection worked."
    if zone is Zone.TOKEN_REFUSED:
        out[Category.NETWORK] = "The token endpoint answered, so the connection worked."
    if zone in (Zone.INVALID, Zone.NACK, Zone.TAKEN) and trace and trace.last and trace.last.sent.method != "MLLP":
        out[Category.AUTHENTICATION] = "The EHR looked into the request itself, so it had accepted the token."
    by_category: dict[Category, list[Finding]] = {}
    for finding in findings:
        category = _NAMES.get(finding.check.split(".", 1)[0])
        if category is not None:
            by_category.setdefault(category, []).append(finding)
    for category, group in by_category.items():
        passed = [f for f in group if f.status is Outcome.PASSED]
        doubtful = [f for f in group if f.status in (Outcome.FAILED, Outcome.BLOCKED, Outcome.ERROR)]
        open_ones = [f for f in group if f.status is Outcome.UNKNOWN]
        if category in _CHART_CATEGORIES and zone not in (Zone.TAKEN, Zone.OPEN):
            continue  # the chart was never reached, so nothing there speaks for or against them
        if passed and not doubtful and len(passed) > len(open_ones):
            out.setdefault(category, f"{len(passed)} checks passed; for one: {passed[0].says}")
    return tuple(RuledOut(category, why) for category, why in sorted(out.items()) if category not in accused)


def _missing(
    findings: Sequence[Finding], trace: NoteTrace | None, root: RootCause | None, zone: Zone
) -> tuple[str, ...]:
    """Say what would settle an open case: the trace's own questions first, then what unknown checks asked for.

    Of those, only what could explain what was recorded; what speaks of the very answer comes first.
    """
    wanted: list[str] = list(trace.missing) if trace is not None else []
    settled = root is not None and root.certainty is Certainty.PROVEN
    if settled:
        return tuple(dict.fromkeys(wanted))
    if root is None and trace is not None and trace.failure_mode is FailureMode.DELIVERED:
        return tuple(dict.fromkeys(wanted))
    asking = [f for f in findings if f.status is Outcome.UNKNOWN and f.missing and _could_explain(f, zone)]
    asking.sort(key=lambda f: _place(f.check, zone))
    wanted += [f.missing for f in asking]
    at_hand = _at_hand(trace)
    return tuple(dict.fromkeys(want for want in wanted if want not in at_hand))[:8]


def _could_explain(finding: Finding, zone: Zone) -> bool:
    check = catalog.checks().get(finding.check)
    return check is None or not check.causes or any(fits(zone, cause) for cause in check.causes)


def _place(check: str, zone: Zone) -> int:
    first = FIRST_ASKED.get(zone, ())
    return next((place for place, prefix in enumerate(first) if check.startswith(prefix)), len(first))


def _at_hand(trace: NoteTrace | None) -> set[str]:
    """Return the asks that the logs at hand have already answered as far as they can."""
    if trace is None:
        return set()
    scribe = {NoteTrace.how_to_get, ScribeLog.how_to_get} if trace.has_scribe_log else set()
    return scribe | ({AuditTrail.how_to_get} if trace.has_ehr_log else set())
