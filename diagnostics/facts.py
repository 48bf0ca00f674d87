"""Collect what was seen of an integration, so that a good run can serve as a baseline. Pure.

The key names are public (docs/facts.md) and kept from release to release. Secrets and clinical text are not among
them.
"""

from collections.abc import Mapping
from typing import Any

from diagnostics.evidence.bag import Bag
from diagnostics.evidence.case_parts import Clock
from diagnostics.evidence.logs import NoteTrace

SEEN_AT = "seen_at"


def facts_of(bag: Bag) -> dict[str, Any]:
    """Return the facts of every piece of evidence; what a probe saw now wins over what a log recorded."""
    merged: dict[str, Any] = {}
    for item in sorted(bag, key=lambda e: (not isinstance(e, NoteTrace), type(e).__name__, e.subject)):
        _merge(merged, item.baseline_facts())
    clock = bag.get(Clock)
    if merged and clock is not None:
        merged[SEEN_AT] = clock.now.isoformat()
    return {key: merged[key] for key in sorted(merged)}


def _merge(into: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        held = into.get(key)
        if isinstance(value, Mapping):
            if not isinstance(held, dict):
                held = into[key] = {}
            _merge(held, value)
        else:
            into[key] = value
