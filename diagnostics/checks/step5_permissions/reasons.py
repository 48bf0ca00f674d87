"""Read from snapshots and logs why the EHR could refuse a write: scope, grants, encounter, owner, department. Pure.

Each reading is a fact of its own; the checks weigh it against what the EHR answered.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

from diagnostics.checks.refusal import Refusal
from diagnostics.checks.tokens_used import token_of
from diagnostics.evidence.case_parts import EncounterFacts, Encounters, NoteFacts, Roles, Settings
from diagnostics.evidence.fhir import EncounterNow
from diagnostics.evidence.logs import NoteTrace, ScribeLog, ScribeRow
from diagnostics.identity import differs, same
from diagnostics.parsing import scopes as smart
from diagnostics.parsing.answers import AnswerKind, Emitter

CLOSED = frozenset(
    {"finished", "cancelled", "entered-in-error", "completed", "discharged", "closed", "locked", "signed"}
)
RESTRICTED = frozenset({"R", "V"})  # HL7 Confidentiality: restricted, very restricted
_TYPE = re.compile(r"[A-Z][A-Za-z]{2,40}\Z")
_GRANT = re.compile(r"\s{0,20}([a-z*][a-z_-]{0,40}?)s?\s{0,20}[:./]\s{0,20}([a-z*]{1,20})\s{0,20}\Z", re.I)
_WRITING = frozenset({"write", "create", "*", "all", "readwrite", "full"})
_SPEAKS_OF_STATE = re.compile(
    r"\b(?:encounter|visit|chart|note|document|record|episode)\b[^.\n]{0,60}\b(?:closed|locked|signed|finali[sz]ed)\b"
    r"|\b(?:closed|locked|signed|finali[sz]ed)\b[^.\n]{0,30}\b(?:encounter|visit|chart|record|episode)\b",
    re.I,
)


def by_the_ehr(refusal: Refusal | None) -> bool:
    """Tell whether the EHR itself refused, and not a proxy or gateway on the way."""
    if refusal is None or refusal.answer.emitter in (Emitter.PROXY, Emitter.GATEWAY):
        return False
    return refusal.answer.kind not in (AnswerKind.HTML_BLOCK, AnswerKind.HTML_LOGIN, AnswerKind.HTML_GATEWAY)


def of_permission(refusal: Refusal | None) -> bool:
    """Tell whether the EHR refused for want of a permission: 403, a lock, a rule of business, or ERR code 206."""
    if refusal is None or not by_the_ehr(refusal):
        return False
    if refusal.status in (403, 423) or "206" in refusal.error_codes:
        return True
    codes = refusal.answer.issue_codes
    return refusal.of_business and bool(codes & {"business-rule", "forbidden", "suppressed", "lock-error", "conflict"})


def needed_type(trace: NoteTrace | None, settings: Settings) -> str:
    """Return the resource type the note is written as: from the URL written to, else as configured."""
    for attempt in reversed(trace.attempts if trace is not None else ()):
        last = urlsplit(attempt.url or "").path.rstrip("/").rsplit("/", 1)[-1]
        if _TYPE.match(last):
            return last
    named = [t for t in settings.integration.resources_needed if t in ("DocumentReference", "Composition")]
    return named[0] if named else "DocumentReference"


def granted_scope(trace: NoteTrace | None, log: ScribeLog | None, refusal: Refusal | None) -> str | None:
    """Return the scope of the token that the refused write (else the last write) used, or None where no row says."""
    row = token_used(trace, log, refusal)
    return row.scope if row is not None else None


def token_used(trace: NoteTrace | None, log: ScribeLog | None, refusal: Refusal | None) -> ScribeRow | None:
    """Return the row of the token that the refused write used, or where nothing was refused the last write."""
    if trace is None:
        return None
    attempt = refusal.attempt if refusal is not None and refusal.attempt is not None else trace.last
    if attempt is not None:
        return token_of(attempt, trace, log)
    good = [t for t in trace.tokens if t.ok and (refusal is None or t.at <= refusal.at)]
    return good[-1].asked if good else None


def lacks_create(scope: str, type: str) -> bool | None:
    """Tell whether SMART scopes do not allow creating a type; None where the list holds no SMART scope at all."""
    parsed = smart.parse_scopes(scope)
    if not parsed and not any("/" in one for one in scope.split()):
        return None
    return not smart.granting(parsed, type, "c")


def visit_of(
    note: NoteFacts, encounters: Encounters | None, now: EncounterNow | None
) -> tuple[EncounterFacts | None, bool]:
    """Return the note's encounter and whether it was read just now; a snapshot comes first."""
    candidates = encounters.candidates if encounters is not None else ()
    named = [c for c in candidates if same(c.id, note.note.encounter_id)]
    chosen = named[0] if named else (candidates[0] if len(candidates) == 1 else None)
    if chosen is not None:
        return chosen, False
    if now is None or now.status is None:
        return None, False
    confidential = next((code for code in now.confidentiality if code in RESTRICTED), None)
    owner = now.participants[0] if len(now.participants) == 1 else None
    return EncounterFacts(status=now.status, owner=owner, confidentiality=confidential, patient_id=now.patient,
                          start=now.start, end=now.end), True  # fmt: skip


def closed(visit: EncounterFacts | None, at: datetime | None) -> bool:
    """Tell whether the encounter was closed or signed at an instant; one that ended later was still open."""
    if visit is None:
        return False
    if at is not None and visit.end is not None and visit.end > at:
        return False
    return visit.signed is True or (visit.status or "").lower() in CLOSED


def another_owner(visit: EncounterFacts | None, note: NoteFacts) -> bool:
    """Tell whether the encounter belongs to another provider than the note's."""
    return visit is not None and differs(visit.owner, note.note.provider_id)


def department_of(note: NoteFacts, visit: EncounterFacts | None) -> str | None:
    """Return the department of the encounter, else of the note."""
    return (visit.department if visit is not None else None) or note.note.department


def outside(roles: Roles | None, department: str | None) -> bool:
    """Tell whether the account's grants do not reach a department."""
    if roles is None or roles.departments is None or not department:
        return False
    return department.casefold() not in {one.casefold() for one in roles.departments}


def changed_since(roles: Roles, at: datetime | None) -> bool:
    """Tell whether the account was changed after an instant: then what it lacks now does not explain that instant."""
    return at is not None and roles.changed_at is not None and roles.changed_at > at


def grants_in(words: Iterable[str]) -> frozenset[str]:
    """Return the grants among words in one spelling: `documents.create` is `document:write`."""
    found = set()
    for word in words:
        match = _GRANT.match(word)
        if match:
            thing, right = match[1].lower(), match[2].lower()
            found |= {f"{thing}:{'write' if right in _WRITING else right}"}
            if right in ("*", "all", "full", "readwrite"):
                found.add(f"{thing}:read")
    return frozenset(found)


def lacks(grants: frozenset[str], grant: str) -> bool:
    """Tell whether a grant is not covered, neither by name nor by a wildcard."""
    thing, right = grant.split(":")
    return not grants & {grant, f"*:{right}", "*:write", f"{thing}:admin"} - ({"*:write"} if right == "read" else set())


def speaks_of_state(refusal: Refusal) -> bool:
    """Tell whether the answer's own words say that the encounter or document is closed, locked or signed."""
    return bool(_SPEAKS_OF_STATE.search(refusal.answer.says))


def reason_of_its_own(
    note: NoteFacts, roles: Roles | None, visit: EncounterFacts | None, refusal: Refusal, scope_lacks: bool | None
) -> str | None:
    """Name what else would explain a 403, so that a bare "reading works, writing does not" does not outweigh it."""
    if scope_lacks:
        return "the token's scope"
    if roles is not None and roles.grants is not None and lacks(grants_in(roles.grants), "document:write"):
        return "the account's grants"
    codes = refusal.answer.issue_codes
    if "suppressed" in codes or outside(roles, department_of(note, visit)):
        return "the department"
    if closed(visit, refusal.at):
        return "the encounter's state"
    if another_owner(visit, note) and "forbidden" not in codes:
        return "the encounter's owner"
    if "business-rule" in codes or speaks_of_state(refusal):
        return "a rule about this encounter"
    return None
