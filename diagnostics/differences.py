"""Compare the facts of this run with those of the last good one, and date what differs. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from diagnostics.evidence.bag import Bag
from diagnostics.evidence.case_parts import Baseline, Clock, Roles, Template
from diagnostics.evidence.fhir import Capability
from diagnostics.evidence.snapshots import moment
from diagnostics.facts import SEEN_AT
from diagnostics.findings import Change

_KINDS = {"grants": "role", "departments": "role", "account": "role", "dns_names": "dns"}
_UPGRADES = ("software", "software_version", "fhir_version")
# here what is missing now was taken away; elsewhere a run may only not have looked
_WHOLE = (("capability", "interactions"), ("capability", "profiles"))
_LONGEST = 2000

Path = tuple[str, ...]


def against_baseline(bag: Bag, facts: object) -> Iterable[Change]:
    """Yield what this run's facts say otherwise than the baseline's; what either does not hold is no change."""
    baseline = bag.get(Baseline)
    if baseline is None or not isinstance(facts, Mapping):
        return
    before = baseline.facts
    since = moment(before.get(SEEN_AT))
    yield from _certificates(before.get("certificates"), facts.get("certificates"), since, bag)
    plain = {key: value for key, value in facts.items() if key not in (SEEN_AT, "certificates")}
    for path, was, now in _differing(before, plain):
        at = _dated(bag, path, since)
        yield Change(_kind(path), " ".join(path).replace("_", " "), text(was), text(now), at, since)


def _differing(before: Mapping[str, Any], now: Mapping[str, Any], path: Path = ()) -> Iterable[tuple[Path, Any, Any]]:
    whole = path in _WHOLE
    for key in sorted({*now, *(before if whole else ())}):
        was, is_now = before.get(key), now.get(key)
        if isinstance(is_now, Mapping):
            if isinstance(was, Mapping):
                yield from _differing(was, is_now, (*path, str(key)))
        elif (whole or (was is not None and is_now is not None)) and _comparable(was) != _comparable(is_now):
            yield (*path, str(key)), was, is_now


def _comparable(value: Any) -> Any:
    return sorted(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _kind(path: Path) -> str:
    if path[0] == "capability" and path[1:2] and path[1] in _UPGRADES:
        return "upgrade"
    if path == ("token", "endpoint"):
        return "endpoint"
    return _KINDS.get(path[0], path[0])


def _dated(bag: Bag, path: Path, since: datetime | None) -> datetime | None:
    """Return when a difference came about, where something says so and that is later than the last good run."""
    at: datetime | None = None
    template, roles, capability = bag.get(Template), bag.get(Roles), bag.get(Capability)
    if path[0] == "template" and template is not None:
        at = template.changed_at
    elif path[0] in ("grants", "departments", "account") and roles is not None:
        at = roles.changed_at
    elif _kind(path) == "upgrade" and capability is not None:
        at = moment(_instant(capability.statement.release_date))
    return _past(at, since, bag)


def _instant(date: str | None) -> str | None:
    """Return a release date as an instant: FHIR lets a date stand without a time."""
    return f"{date}T00:00:00+00:00" if date and len(date) == 10 else date


def _past(at: datetime | None, since: datetime | None, bag: Bag) -> datetime | None:
    """Return an instant that lies between the last good run and this one, else None: then it dates nothing."""
    clock = bag.get(Clock)
    if at is None or (clock is not None and at > clock.now) or (since is not None and at <= since):
        return None
    return at


def _certificates(before: Any, now: Any, since: datetime | None, bag: Bag) -> Iterable[Change]:
    """Tell a renewed certificate as one change: its first day is the earliest it can have been put in place."""
    if not isinstance(before, Mapping) or not isinstance(now, Mapping):
        return
    for host in sorted(set(before) & set(now), key=str):
        was, seen = before[host], now[host]
        if not isinstance(was, Mapping) or not isinstance(seen, Mapping):
            continue
        old, new = _chain(was), _chain(seen)
        if not old or not new or old == new:
            continue
        renewed = old[0] != new[0]
        what = f"certificate of {host}" if renewed else f"certificate chain of {host}"
        at = _past(moment(seen.get("not_before")), since, bag) if renewed else None
        yield Change("certificate", what, _presented(old, was), _presented(new, seen), at, since)


def _chain(held: Mapping[str, Any]) -> list[str]:
    chain = held.get("chain")
    return [str(each) for each in chain] if isinstance(chain, list | tuple) else []


def _presented(chain: list[str], held: Mapping[str, Any]) -> str:
    prints = chain[0] if len(chain) == 1 else f"{chain[0]} and {len(chain) - 1} more"
    return f"{prints}, issued by {held.get('issuer') or 'an unnamed authority'}"[:_LONGEST]


def text(value: Any) -> str | None:
    """Return a value as a person reads it; a list as its items."""
    if value is None:
        return None
    return (", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value))[:_LONGEST]
