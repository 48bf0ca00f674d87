"""Warn of upgrades whose release notes nobody has read, or after which nobody has checked the interface.

Both rest on the EHR's change rows of kind `upgrade`; that a review or a validation was done is a row of the same kind
(docs/case-additions.md). Neither is ever why a note failed: they say where to look before the next one does.
"""

import re
from datetime import datetime, timedelta

from diagnostics import causes
from diagnostics.check import check, not_applicable, passed, unknown, warned
from diagnostics.evidence.case_parts import Clock
from diagnostics.evidence.logs import AuditTrail, EhrRow
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

_NINETY_DAYS = timedelta(days=90)
_A_DAY = timedelta(hours=24)
_INTERFACE = re.compile(
    r"\b(?:fhir|hl7|mdm|oru|mllp|oauth2?|openid|smart|token|scopes?|jwks?|api|interfaces?|authori[sz]ation"
    r"|authentication|sign-?in|DocumentReference|integration)\b",
    re.IGNORECASE,
)
_NOTES = re.compile(r"\brelease[ -]?notes?\b|\bchange ?log\b|\bwhat'?s new\b", re.IGNORECASE)
_VALIDATION = re.compile(r"\bpost-?upgrade\b|\bvalidat\w{1,5}\b|\bcheck-?list\b|\bsmoke test\b", re.IGNORECASE)
_DONE = re.compile(
    r"\b(?:reviewed|read|acknowledged|done|completed?|passed|closed|signed off|validated|finished)\b", re.IGNORECASE
)
_NOT = re.compile(r"\b(?:not|un|never|pending|open|outstanding|overdue)[ -]?", re.IGNORECASE)


@check(
    id="ops.release_notes",
    step=Step.MONITORING,
    title="The release notes of the last 90 days about the EHR's interfaces were reviewed",
    hints=causes.RELEASE_NOTES,
    strength=Strength.WEAK,
    checklist=("WRITE.7",),
)
def release_notes_were_read(trail: AuditTrail, clock: Clock) -> Result:
    """A release that touches FHIR, HL7 or sign-in is announced; who reads it is not surprised by it."""
    recent = [row for row in _upgrades(trail, clock.now) if not _VALIDATION.search(_what(row))]
    if not recent:
        return not_applicable("No upgrade or release note of the last 90 days is on record.")
    about = [row for row in recent if _INTERFACE.search(_text(row)) or _NOTES.search(_what(row))]
    if not about:
        return unknown("Whether the recorded upgrade touches the interfaces is not known.",
                       get="the EHR's release notes of the past 90 days")  # fmt: skip
    open_ones = [row for row in about if not _is_done(row) and not _reviewed_later(row, about)]
    if not open_ones:
        return passed("Each of them was reviewed.", notes=len(about))
    return warned(
        f"{open_ones[-1].at:%Y-%m-%d}: {_what(open_ones[-1])[:120]}. That its release note was reviewed is not on "
        "record.",
        open=len(open_ones), since=open_ones[0].at,
    )  # fmt: skip


@check(
    id="ops.post_upgrade",
    step=Step.MONITORING,
    title="The checks after the EHR's last upgrade were made within a day",
    hints=causes.POST_UPGRADE,
    strength=Strength.WEAK,
    checklist=("UPGRADE.1", "UPGRADE.2", "UPGRADE.3"),
)
def upgrade_was_validated(trail: AuditTrail, clock: Clock) -> Result:
    """An upgrade changes scopes, roles and templates quietly; the first failed note should not be the test."""
    rows = _upgrades(trail, clock.now)
    upgrades = [row for row in rows if not _VALIDATION.search(_what(row)) and not _NOTES.search(_what(row))]
    if not upgrades:
        return not_applicable("No upgrade of the last 90 days is on record.")
    last = upgrades[-1]
    checked = [row for row in rows if row.at >= last.at and _VALIDATION.search(_what(row)) and _is_done(row)]
    if checked:
        return passed("The checks after the upgrade were made.", upgraded_at=last.at, checked_at=checked[0].at)
    if clock.now - last.at <= _A_DAY:
        return passed("The upgrade is less than a day old: there is still time for the checks.", upgraded_at=last.at)
    return warned(
        f"The EHR was upgraded on {last.at:%Y-%m-%d} ({_what(last)[:120]}). That the checks after an upgrade were made "
        "is not on record.",
        upgraded_at=last.at,
    )  # fmt: skip


def _upgrades(trail: AuditTrail, now: datetime) -> list[EhrRow]:
    """Return the change rows of kind upgrade of the last 90 days, oldest first."""
    return [
        row
        for row in trail.rows
        if row.event == "change" and (row.change or {}).get("kind") == "upgrade" and now - _NINETY_DAYS <= row.at <= now
    ]


def _what(row: EhrRow) -> str:
    return str((row.change or {}).get("what") or "upgrade")[:300]


def _text(row: EhrRow) -> str:
    change = row.change or {}
    return " ".join(str(change.get(key) or "")[:300] for key in ("what", "from", "to"))


def _is_done(row: EhrRow) -> bool:
    after = str((row.change or {}).get("to") or "")[:300]
    return bool(_DONE.search(after)) and not _NOT.search(after)


def _reviewed_later(row: EhrRow, others: list[EhrRow]) -> bool:
    """Tell whether a later row records the review of this one, by the same name or of the release notes as such."""
    return any(
        other.at >= row.at and _is_done(other) and (_what(other) == _what(row) or _NOTES.search(_what(other)))
        for other in others
        if other is not row
    )
