"""Set aside, in the document of a test, what could only be asked of a note: nobody gave one, so nothing is missing."""

from typing import Any

from console.diagnoses.pages import catalogue
from diagnostics.evidence.case_parts import Encounters, Filed, NoteFacts
from diagnostics.evidence.fhir import EncounterNow, ReadBack, Reads
from diagnostics.evidence.logs import AuditTrail, FirewallLog, NoteTrace, ProxyLog, ScribeLog
from diagnostics.evidence.note_text import NoteSections, SentDiscrete
from diagnostics.evidence.payload import FhirNote, Hl7Message, NotePayload
from diagnostics.vocabulary import Outcome

_OF_A_NOTE = {
    NoteFacts, Filed, Encounters, EncounterNow, ReadBack, Reads, NoteSections, SentDiscrete, FhirNote, Hl7Message,
    NotePayload, NoteTrace, ScribeLog, AuditTrail, FirewallLog, ProxyLog,
}  # fmt: skip


def without_note(document: dict[str, Any]) -> dict[str, Any]:
    """Give the document with such checks as not applicable, and the state of each step without them."""
    return {**document, "steps": [_step(step) for step in document.get("steps", ())]}


def _step(step: dict[str, Any]) -> dict[str, Any]:
    checks = [_check(check) for check in step["checks"]]
    return {**step, "checks": checks, "status": _worst([check["status"] for check in checks])}


def _check(check: dict[str, Any]) -> dict[str, Any]:
    declared = catalogue()[0].get(check["id"])
    if (
        check["status"] != Outcome.UNKNOWN
        or declared is None
        or not {need.kind for need in declared.needs} & _OF_A_NOTE
    ):
        return check
    return {**check, "status": Outcome.NOT_APPLICABLE.value, "says": "Needs a note, or the log rows of one."}


def _worst(statuses: list[str]) -> str:
    """Roll up as the engine does: what passed outweighs what could not be known."""
    left = [status for status in statuses if status != Outcome.NOT_APPLICABLE]
    if Outcome.PASSED in left:
        left = [status for status in left if status != Outcome.UNKNOWN]
    order = [outcome.value for outcome in Outcome]
    return min(left, key=order.index, default=Outcome.NOT_APPLICABLE.value)
