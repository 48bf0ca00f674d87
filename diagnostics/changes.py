"""Say what changed: the EHR's own change rows, dated snapshots, and the difference to the last good run. Pure.

One thing that changed is told once, however many sources tell of it. Each change is dated by whatever dates it, and
set against the first failure: what came after it cannot be why.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from diagnostics.causes.model import Cause, Kind
from diagnostics.differences import against_baseline, text
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.case_parts import Baseline, Clock, Roles, SectionMapping, Template
from diagnostics.evidence.logs import AuditTrail, NoteTrace, ScribeLog
from diagnostics.evidence.snapshots import moment
from diagnostics.facts import SEEN_AT
from diagnostics.findings import Bearing, Change
from diagnostics.tracing.attempts import outcome

RECENT = timedelta(days=30)
_MOST = 200  # a baseline of another server differs in everything; nobody reads more
_SAME_DAY, _SAME_MOMENT = timedelta(days=1), timedelta(minutes=5)

# which causes a change of a kind can explain; the words of change rows first, then those of the facts (docs/facts.md)
_AREAS: dict[str, tuple[str, ...]] = {
    "template": ("tmpl.", "map."),
    "mapping": ("map.", "tmpl."),
    "role": ("perm.", "auth.client."),
    "credential": ("auth.",),
    "keys": ("auth.",),
    "token": ("auth.token.", "auth.refresh.", "perm.scope."),
    "certificate": ("net.tls.", "net.proxy.tls_inspection", "auth.jwks."),
    "endpoint": ("fhir.base.", "auth.discovery.", "auth.audience.", "net.dns.", "net.egress.", "net.gateway.",
                 "net.revproxy.", "net.tcp.", "net.fwlog.", "net.segment.", "hl7.mllp."),
    "dns": ("net.dns.", "net.egress.", "net.tcp.", "net.fwlog.", "net.segment.", "net.tls.hostname"),
    "capability": ("fhir.",),
}  # fmt: skip
# an upgrade may touch whatever the EHR does; it explains less the less it names, and never what the scribe did not do
_NOT_BY_UPGRADE = ("scribe.", "net.dns.", "net.proxy.", "net.segment.")


def changes(bag: Bag, facts: object) -> tuple[Change, ...]:
    """Return every change known, each once: dated ones first, in order of time. `facts` are those of this run."""
    merged: list[Change] = []
    for change in (*_logged(bag), *_snapshots(bag), *against_baseline(bag, facts)):
        _merge(merged, change)
    good, failed = _last_good(bag), _first_failure(bag)
    told = [replace(change, bearing=_bearing(change, good, failed)) for change in merged]
    told.sort(key=lambda c: (c.at is None, c.at.timestamp() if c.at else 0.0, c.kind, c.what))
    return tuple(told[:_MOST])


def related(change: Change, cause: Cause) -> bool:
    """Tell whether a change of this kind can be why this cause came about; the time it came is another question."""
    if cause.kind is not Kind.CAUSE:
        return False
    if change.kind == "upgrade":
        return not cause.id.startswith(_NOT_BY_UPGRADE)
    return cause.id.startswith(_AREAS.get(change.kind, ()))


def suspect(change: Change, cause: Cause) -> bool:
    """Tell whether a change may be told as a reason for a cause: related, and known to have come before it."""
    return change.bearing is Bearing.BEFORE_FAILURE and related(change, cause)


def _logged(bag: Bag) -> Iterable[Change]:
    trail = bag.get(AuditTrail)
    for row in trail.rows if trail else ():
        if row.event == "change" and row.change is not None:
            yield Change(
                kind=str(row.change.get("kind") or "change"),
                what=str(row.change.get("what") or "something changed at the EHR"),
                before=text(row.change.get("from")),
                after=text(row.change.get("to")),
                at=row.at - _offset(bag),
            )


def _offset(bag: Bag) -> timedelta:
    """Return what to take from the EHR's clock to read it by the scribe's."""
    trace = bag.get(NoteTrace)
    return timedelta(seconds=trace.clock_offset_s or 0.0) if trace else timedelta()


def _snapshots(bag: Bag) -> Iterable[Change]:
    """Name what a snapshot says of its own last change, where it is recent or the mapping was written before it."""
    baseline, clock = bag.get(Baseline), bag.get(Clock)
    template, mapping, roles = bag.get(Template), bag.get(SectionMapping), bag.get(Roles)
    if template is not None and template.changed_at is not None:
        held = baseline.facts.get("template") if baseline else None
        known = text(held.get("version")) if isinstance(held, dict) else None
        known = known or (mapping.template_version if mapping else None)
        if known is not None and known != template.version:
            what = f"template {template.template_id or ''}".strip()
            yield Change("template", what, known, template.version, template.changed_at)
    changed_at = roles.changed_at if roles is not None else None
    if roles is not None and changed_at is not None and clock and clock.now - RECENT <= changed_at <= clock.now:
        yield Change("role", f"grants of {roles.account or 'the integration account'}", at=changed_at)


def _merge(into: list[Change], new: Change) -> None:
    """Keep a change, or let it complete the one that tells of the same thing already."""
    for place, held in enumerate(into):
        if _same(held, new):
            into[place] = replace(
                held,
                before=held.before or new.before,
                after=held.after or new.after,
                at=held.at or new.at,
                since=held.since or new.since,
            )
            return
    into.append(new)


def _same(one: Change, other: Change) -> bool:
    if one.kind != other.kind or (_ids(one.what) and _ids(other.what) and not _ids(one.what) & _ids(other.what)):
        return False
    apart = abs(one.at - other.at) if one.at is not None and other.at is not None else None
    if _values(one) == _values(other) and all(_values(one)):
        return apart is None or apart <= _SAME_DAY
    silent = not any(_values(one)) or not any(_values(other))
    return silent and apart is not None and apart <= _SAME_MOMENT


def _values(change: Change) -> tuple[str, str]:
    return _plain(change.before), _plain(change.after)


def _plain(value: str | None) -> str:
    """Return a value without the ways of writing it: `v7`, `version 7` and `7` are one version."""
    words = (value or "").strip().lower().removeprefix("version").strip()
    return words[1:] if words[:1] == "v" and words[1:2].isdigit() else words


def _ids(what: str) -> set[str]:
    return {word for word in what.lower().replace(",", " ").split() if any(letter.isdigit() for letter in word)}


def _first_failure(bag: Bag) -> datetime | None:
    """Return when the note first failed; of one that was taken and misfiled, when it was sent."""
    trace = bag.get(NoteTrace)
    if trace is None:
        return None
    return trace.first_failure_at or (trace.last.at if trace.last else None)


def _last_good(bag: Bag) -> datetime | None:
    """Return when a note of this integration was last taken before this note failed, or when the last run was good."""
    failed = _first_failure(bag)
    baseline, log = bag.get(Baseline), bag.get(ScribeLog)
    found = [moment(baseline.facts.get(SEEN_AT))] if baseline else []
    if log is not None and failed is not None:
        found += [row.at for row in log.rows if row.event == "acked" and row.at < failed and outcome(row) == "accepted"]
    known = [at for at in found if at is not None and (failed is None or at < failed)]
    return max(known, default=None)


def _bearing(change: Change, good: datetime | None, failed: datetime | None) -> Bearing:
    if failed is None:
        return Bearing.UNKNOWN
    if change.at is None:
        late = change.since is not None and change.since > failed
        return Bearing.AFTER_FAILURE if late else Bearing.UNKNOWN
    if change.at > failed:
        return Bearing.AFTER_FAILURE
    return Bearing.WORKED_SINCE if good is not None and change.at < good else Bearing.BEFORE_FAILURE
