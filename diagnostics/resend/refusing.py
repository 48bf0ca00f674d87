"""Say why a note must not be resent, and what to do instead; pure. One sentence for the first reason that stands."""

from __future__ import annotations

from diagnostics.case import Case
from diagnostics.checks.refusal import refusal_of
from diagnostics.checks.step5_permissions import reasons
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.case_parts import EncounterFacts, Encounters, Filed, NoteFacts
from diagnostics.evidence.chart_seen import ChartSeen
from diagnostics.evidence.fhir import EncounterNow, ReadBack
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote, Hl7Message, NotePayload
from diagnostics.identity import plain
from diagnostics.resend.recognising import WITHDRAWN, capability_of, encounter_of, subject_of
from diagnostics.vocabulary import FailureMode

KINDS = ("DocumentReference", "Composition", "DiagnosticReport")
_SHUT = frozenset({"closed", "locked", "signed"})  # words of an EHR's own; FHIR's "finished" only says the visit ended
_VOID = frozenset({"cancelled", "entered-in-error"})
_BY_FATE = {
    FailureMode.DELIVERED: "The note is in the chart already, so resending it would put it there twice. If the "
    "provider cannot see it, check the filter, the author and the documents tab in the EHR.",
    FailureMode.MISPLACED: "The note is in a chart already, in the wrong place. Ask the EHR team to move or withdraw "
    "it there; a second copy would not correct the first.",
    FailureMode.PARTIAL: "A part of the note is in the chart already, so resending it would make a second document. "
    "Have the provider complete the filed note, and mend the mapping for the next ones.",
    FailureMode.DUPLICATE: "The note is in the chart more than once already. Ask the EHR team to withdraw the extra "
    "documents.",
    FailureMode.DELAYED: "It may still arrive, and then a resend would put it there twice. Wait for the usual delay; "
    "if it is over, have the EHR team look at its filing queue.",
    FailureMode.NOT_GENERATED: "The scribe never made this note, so there is nothing to send. Ask the scribe vendor, "
    "or have the provider write it.",
}


def why_not(case: Case, bag: Bag) -> str:
    """Return why this note may not be resent, or an empty string where nothing speaks against it."""
    return (
        _payload(case, bag)
        or _identity(bag)
        or _arrived(bag)
        or _seen_now(case, bag)
        or _visit_void(bag)
        or _no_address(case)
    )


def addendum_needed(bag: Bag) -> bool:
    """Tell whether the visit takes no new note any more: it was signed, or the EHR refused the note as too late.

    A visit that merely ended ("finished") still takes its note at most EHRs: notes are written after visits.
    """
    visit = visit_of(bag)
    refusal = refusal_of(bag.get(NoteTrace))
    if visit is not None and (visit.signed is True or (visit.status or "").lower() in _SHUT):
        return True
    if refusal is None or not reasons.by_the_ehr(refusal):
        return False
    codes, words = refusal.answer.issue_codes, reasons.speaks_of_state(refusal)
    if visit is None:
        return words
    if not reasons.closed(visit, refusal.at):
        return False  # a lock on an open visit passes
    if visit.signed is False:
        return words or refusal.status == 423
    of_state = refusal.status == 423 or "206" in refusal.error_codes or bool(codes & {"business-rule", "lock-error"})
    return words or of_state


def visit_of(bag: Bag) -> EncounterFacts | None:
    """Return what is known of the note's visit; a snapshot, which knows of signatures, before what was just read."""
    note = bag.get(NoteFacts)
    if note is None:
        return None
    return reasons.visit_of(note, bag.get(Encounters), bag.get(EncounterNow))[0]


def _payload(case: Case, bag: Bag) -> str:
    if case.note is None:
        return "This case is about no single note, so there is nothing to resend."
    payload = bag.get(NotePayload)
    if payload is None:
        return (
            "The payload as it was sent is not at hand, so it cannot be resent. Ask the scribe vendor to send the "
            "note again under the same identifier, or have the provider enter it."
        )
    if payload.kind == "unparseable":
        return (
            "The payload cannot be read, so its patient and its identifier are not known. Ask the scribe vendor to "
            "make the note anew."
        )
    wanted = "fhir" if case.integration.protocol == "fhir" else "hl7v2"
    if payload.kind != wanted:
        return (
            "The payload is of another protocol than the integration speaks today. Ask the scribe vendor to send the "
            "note again."
        )
    resource, message = bag.get(FhirNote), bag.get(Hl7Message)
    if resource is not None:
        return _resource(resource)
    return _message(message) if message is not None else ""


def _resource(resource: FhirNote) -> str:
    if resource.type == "Bundle":
        return (
            "The payload is a Bundle of several resources, and nothing tells which of them arrived. Ask the scribe "
            "vendor to send what is missing."
        )
    if resource.type not in KINDS:
        return f"The payload is {resource.type[:40] or 'of no type'} and no document. Only documents are resent."
    return ""


def _message(held: Hl7Message) -> str:
    message = held.message
    if message.batch or message.frame.frames > 1:
        return (
            "The payload holds several messages, and nothing tells which of them arrived. Ask the scribe vendor to "
            "send what is missing."
        )
    if not held.is_note:
        return f"The payload is {held.code[:10] or 'of no type'} and carries no note. Only MDM and ORU are resent."
    if not message.get("MSH-10"):
        return (
            "The message has no control id (MSH-10), so the receiver could not recognise a repetition. Ask the "
            "scribe vendor to send it anew."
        )
    return ""


def _identity(bag: Bag) -> str:
    """Refuse where payload and note name different people: a resend would carry the mistake into a chart."""
    facts, resource, message = bag.get(NoteFacts), bag.get(FhirNote), bag.get(Hl7Message)
    if facts is None:
        return ""
    patients: list[str] = []
    visits: list[str] = []
    if resource is not None:
        patients, visits = [subject_of(resource.resource)], [encounter_of(resource.resource)]
    elif message is not None:
        patients, visits = _ids(message, "PID", 3), _ids(message, "PV1", 19)
    if _all_differ(patients, facts.note.patient_id):
        return (
            "The payload names another patient than the note. Do not send it; ask the scribe vendor which is right, "
            "and treat it as a patient safety matter."
        )
    if _all_differ(visits, facts.note.encounter_id):
        return "The payload names another visit than the note. Do not send it; ask the scribe vendor which is right."
    visit_facts = visit_of(bag)
    if visit_facts is not None and _all_differ([visit_facts.patient_id or ""], facts.note.patient_id):
        return (
            "The visit belongs to another patient than the note. Do not send it; ask the scribe vendor which is "
            "right, and treat it as a patient safety matter."
        )
    return ""


def _ids(held: Hl7Message, segment: str, number: int) -> list[str]:
    found = held.message.first(segment)
    return [found.value(number, repetition=n) for n in range(len(found.repetitions(number)))] if found else []


def _all_differ(found: list[str], meant: str | None) -> bool:
    known = {key for each in found if (key := _key(each)) is not None}
    wanted = _key(meant)
    return wanted is not None and bool(known) and wanted not in known


def _key(value: str | None) -> str | None:
    """Return an id for comparison: without reference or assigning authority, and without leading zeros."""
    bare = plain((value or "").split("^")[0])
    return (bare.lstrip("0") or "0") if bare and bare.isdigit() else bare


def _arrived(bag: Bag) -> str:
    trace, filed = bag.get(NoteTrace), bag.get(Filed)
    if trace is not None and trace.failure_mode in _BY_FATE:
        first = f"{trace.says} " if trace.failure_mode is FailureMode.DELAYED and trace.says else ""
        return first + _BY_FATE[trace.failure_mode]
    if filed is not None and filed.found and (filed.status or "") != WITHDRAWN:
        return _BY_FATE[FailureMode.DELIVERED]
    return ""


def _seen_now(case: Case, bag: Bag) -> str:
    seen, back = bag.get(ChartSeen), bag.get(ReadBack)
    if seen is not None:
        if seen.found and seen.elsewhere:
            return (
                "The EHR holds the note under another patient. Do not send it again; tell the EHR team and the "
                "privacy officer at once."
            )
        if seen.found:
            return _BY_FATE[FailureMode.DUPLICATE if seen.found > 1 else FailureMode.DELIVERED]
        if seen.withdrawn:
            return (
                "The note was in the chart and was withdrawn there (entered in error). Ask the EHR team why before "
                "anything is sent again."
            )
        return ""
    note = bag.get(FhirNote)
    offered = capability_of(bag, note.type if note is not None else KINDS[0])
    asked = offered is not None and "identifier" in offered.search_params
    if back is not None and back.found and asked:  # a server that does not know the parameter returns anything
        return _BY_FATE[FailureMode.DUPLICATE if back.found > 1 else FailureMode.DELIVERED]
    return ""


def _visit_void(bag: Bag) -> str:
    visit, now = visit_of(bag), bag.get(EncounterNow)
    states = {visit.status if visit is not None else None, now.status if now is not None else None}
    if {(state or "").lower() for state in states} & _VOID:
        return (
            "The visit was cancelled or entered in error, so no note belongs to it. Ask the provider which visit is "
            "meant."
        )
    return ""


def _no_address(case: Case) -> str:
    integration = case.integration
    if integration.protocol == "hl7v2":
        if not integration.hl7.host or not integration.hl7.port:
            return "The integration names no host and port for HL7 messages. Enter them in its settings."
        return ""
    url = integration.write_url or integration.fhir_base_url or ""
    if not url.lower().startswith(("https://", "http://")):
        return "The integration has no web address to send notes to. Enter it in its settings."
    return ""
