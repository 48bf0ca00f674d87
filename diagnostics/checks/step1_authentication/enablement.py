"""Tell the change rows that say a client was enabled from those that replace or end a credential. No checks here."""

import re

from diagnostics.evidence.logs import EhrRow

_ENABLED = re.compile(r"\b(?:enabl(?:ed|ement)|activat(?:ed|ion)|download(?:ed)?|provision(?:ed|ing)|active)\b", re.I)
_OTHERWISE = re.compile(  # a credential that was replaced, or a client that was switched off
    r"\b(?:rotat|replac|renew|regenerat|reissu|disabl|deactivat|inactiv|suspend|revok|remov|delet|expir|lock|not\b|off\b)",
    re.IGNORECASE,
)


def enabled_row(row: EhrRow) -> bool:
    """Tell whether a change row says that a client was enabled, which replaces no credential and ends none."""
    change = row.change or {}
    if row.event != "change" or change.get("kind") not in ("credential", "endpoint"):
        return False
    said = f"{change.get('what') or ''} {change.get('to') or ''}"[:400]
    return bool(_ENABLED.search(said)) and not _OTHERWISE.search(said)
