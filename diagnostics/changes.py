"""Say what changed: the EHR's own change rows, dated snapshots, and the difference to the last good run. Pure."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from diagnostics.evidence.bag import Bag
from diagnostics.evidence.case_parts import Baseline, Clock, Roles, SectionMapping, Template
from diagnostics.evidence.logs import AuditTrail
from diagnostics.findings import Change

RECENT = timedelta(days=30)


def changes(bag: Bag, facts: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return every change known, dated ones first and in order of time."""
    found = [*_logged(bag), *_snapshots(bag), *_against_baseline(bag, facts)]
    return tuple(sorted(found, key=lambda c: (c.at is None, c.at.timestamp() if c.at else 0.0, c.kind, c.what)))


def _logged(bag: Bag) -> Iterable[Change]:
    trail = bag.get(AuditTrail)
    for row in trail.rows if trail else ():
        if row.event == "change" and row.change is not None:
            yield Change(
                kind=str(row.change.get("kind", "change")),
                what=str(row.change.get("what", "something changed at the EHR")),
                before=_text(row.change.get("from")),
                after=_text(row.change.get("to")),
                at=row.at,
            )


def _snapshots(bag: Bag) -> Iterable[Change]:
    """Name what a snapshot says of its own last change, where it is recent or the mapping was written before it."""
    baseline, clock = bag.get(Baseline), bag.get(Clock)
    template, mapping, roles = bag.get(Template), bag.get(SectionMapping), bag.get(Roles)
    before = baseline.facts if baseline else {}
    if template is not None and template.changed_at is not None:
        known = _text(_dig(before, "template", "version")) or (mapping.template_version if mapping else None)
        if known is not None and known != template.version:
            yield Change(
                "template",
                f"template {template.template_id or ''}".strip(),
                known,
                template.version,
                template.changed_at,
            )
    changed_at = roles.changed_at if roles is not None else None
    if roles is not None and changed_at is not None and clock and clock.now - RECENT <= changed_at <= clock.now:
        yield Change("role", f"grants of {roles.account or 'the integration account'}", at=changed_at)


def _against_baseline(bag: Bag, facts: Mapping[str, Any]) -> Iterable[Change]:
    baseline = bag.get(Baseline)
    if baseline is None:
        return
    for path, now in _flat(facts):
        before = _dig(baseline.facts, *path)
        if before is not None and now is not None and _comparable(before) != _comparable(now):
            yield Change(path[0], " ".join(path).replace("_", " "), _text(before), _text(now))


def _comparable(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list) else str(value)


def _flat(facts: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any]]:
    for key, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, (*path, str(key)))
        else:
            yield (*path, str(key)), value


def _dig(data: Mapping[str, Any], *path: str) -> Any:
    value: Any = data
    for key in path:
        if not isinstance(value, Mapping) or key not in value:
            return None
        value = value[key]
    return value


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
