"""Bring the words by which firewalls name what they did down to the four of the contract."""

import re

_WORDS = {
    "allow": "allow", "allowed": "allow", "accept": "allow", "accepted": "allow", "pass": "allow", "passed": "allow",
    "permit": "allow", "permitted": "allow", "built": "allow",
    "drop": "drop", "dropped": "drop", "block": "drop", "blocked": "drop", "discard": "drop", "discarded": "drop",
    "deny": "deny", "denied": "deny", "reject": "deny", "rejected": "deny",
    "reset": "reset", "rst": "reset",
}  # fmt: skip
_WORD = re.compile(r"(?<![A-Za-z])[A-Za-z]{3,10}(?![A-Za-z])")
_LIMIT = 300


def action_of(text: str) -> str | None:
    """Return allow, drop, deny or reset for a rule's action or a log prefix; None where it names none.

    `reset-both` is a reset, `FINAL-REJECT` a denial. Where several words stand there the last one counts.
    """
    found = None
    for match in _WORD.finditer(text[:_LIMIT]):
        word = _WORDS.get(match[0].lower())
        if word is not None:
            found = word
    return found
