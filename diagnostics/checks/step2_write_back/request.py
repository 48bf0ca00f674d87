"""Judge the FHIR request as the scribe's log shows it: content type, size, method and address."""

import re
from typing import Any
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.refusal import refusal_of
from diagnostics.checks.step2_write_back.payload import over_fhir
from diagnostics.checks.step2_write_back.weighing import taken
from diagnostics.evidence.case_parts import Vendor
from diagnostics.evidence.logs import Attempt, NoteTrace, ScribeLog
from diagnostics.evidence.payload import FhirNote, NotePayload
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, Emitter
from diagnostics.parsing.fhir_definitions import known_names
from diagnostics.vocabulary import Category, Step, Strength, WhoActs

_FHIR_TYPES = ("application/fhir+json", "application/fhir+xml")
_LEGACY = (
    "application/json",
    "application/json+fhir",
    "application/xml",
    "application/xml+fhir",
    "text/json",
    "text/xml",
)


@check(
    id="fhir.request.content_type",
    step=Step.WRITE_BACK,
    title="The request announced a content type that the EHR accepts",
    proves=causes.REQUEST_CONTENT_TYPE,
    checklist=("WRITE.6",),
    applies=over_fhir,
)
def content_type(trace: NoteTrace, vendor: Vendor, payload: NotePayload | None) -> Result:
    """A server that does not know the content type never looks at the note inside."""
    refusal = refusal_of(trace)
    last = trace.last
    if refusal is not None and refusal.status == 415 and last is not None:
        sent = last.sent.content_type
        named = f" The request was sent as {sent[:80]}." if sent else ""
        return failed(
            f"The EHR answered 415: it does not take this content type.{named}", content_type=sent, status=415
        )
    sent = last.sent.content_type if last is not None else None
    if not sent:
        return not_applicable("The log does not say which content type was sent.")
    kind = sent.split(";")[0].strip().lower()
    if vendor.profile.separate_write_route and kind not in (*_FHIR_TYPES, *_LEGACY):
        return not_applicable(
            "This EHR takes notes by a route of its own, with its own content type.", content_type=kind
        )
    body = _contradicts(kind, payload)
    wrong = kind not in _FHIR_TYPES
    if not body and (not wrong or (vendor.profile.separate_write_route and kind in _LEGACY)):
        return passed(f"The request was sent as {kind}.", content_type=kind)
    says = f"The request was sent as {kind[:60]}, {body or 'which is not a FHIR content type'}."
    if kind in _LEGACY and not body:
        # many servers take it: it explains a refusal only where the answer names no other fault
        silent = refusal is not None and refusal.status in (400, 406) and not refusal.answer.issue_codes
        if silent and refusal is not None and refusal.answer.emitter is not Emitter.GATEWAY:
            return failed(says, strength=Strength.MODERATE, content_type=kind)
        return warned(f"{says} Many servers take it all the same.", strength=Strength.WEAK, content_type=kind)
    if taken(trace):
        return warned(f"{says} The EHR took it all the same.", strength=Strength.WEAK, content_type=kind)
    if refusal is not None and refusal.status in (400, 406, 422):
        return failed(says, strength=Strength.DECISIVE if body else Strength.STRONG, content_type=kind)
    return failed(says, strength=Strength.MODERATE, content_type=kind)


def _contradicts(kind: str, payload: NotePayload | None) -> str:
    if payload is None or payload.kind != "fhir":
        return ""
    if payload.xml and "json" in kind:
        return "and its body is XML"
    return "and its body is JSON" if not payload.xml and "xml" in kind else ""


@check(
    id="fhir.request.size",
    step=Step.WRITE_BACK,
    title="The request was not too large",
    proves=causes.REQUEST_SIZE,
    checklist=("WRITE.2",),
    applies=over_fhir,
)
def size(trace: NoteTrace, payload: NotePayload | None) -> Result:
    """Large attachments are stopped by the EHR or by a device in front of it, and a retry cannot help."""
    refusal = refusal_of(trace)
    sent = len(payload.data) if payload is not None else None
    if refusal is None:
        return passed("Nothing was refused for its size.") if trace.attempts else not_applicable("Nothing was sent.")
    too_long = refusal.answer.issue_codes & {"too-long", "too-costly"}
    if refusal.status == 413:
        emitter = refusal.answer.emitter
        if emitter is Emitter.PROXY:
            return failed("A proxy on the way refused the request as too large.", category=Category.NETWORK,
                          who_acts=WhoActs.NETWORK_TEAM, status=413, bytes=sent)  # fmt: skip
        if emitter is Emitter.GATEWAY:
            return failed("A device in front of the EHR refused the request as too large.", category=Category.NETWORK,
                          who_acts=WhoActs.NETWORK_TEAM, status=413, bytes=sent)  # fmt: skip
        return failed("The answer was 413: the request is too large.", status=413, bytes=sent)
    if too_long:
        return failed("The EHR's answer says that the content is too long.", strength=Strength.STRONG, bytes=sent,
                      codes=sorted(too_long))  # fmt: skip
    return passed("The note was not refused for its size.", status=refusal.status, bytes=sent)


@check(
    id="fhir.request.accept",
    step=Step.WRITE_BACK,
    title="The EHR can answer in the format the scribe asks for",
    proves=causes.REQUEST_ACCEPT,
    checklist=("WRITE.6",),
    applies=over_fhir,
)
def accept(trace: NoteTrace) -> Result:
    """A wrong Accept header stops a note that is otherwise right."""
    refusal = refusal_of(trace)
    if refusal is not None and refusal.status == 406:
        return failed("The EHR answered 406: it does not give the format that the request asks for.", status=406)
    return passed("No answer was 406.") if trace.attempts else not_applicable("Nothing was sent.")


@check(
    id="fhir.request.method_path",
    step=Step.WRITE_BACK,
    title="The note was sent with a method and to an address that the server serves",
    proves=causes.REQUEST_METHOD_PATH,
    checklist=("WRITE.1", "WRITE.3"),
    applies=over_fhir,
)
def method_path(trace: NoteTrace, vendor: Vendor, note: FhirNote | None, log: ScribeLog | None) -> Result:
    """A note sent to the wrong address is refused by whoever happens to live there."""
    refusal = refusal_of(trace)
    last = trace.last
    if refusal is None or last is None:
        return passed("No address was refused.") if trace.attempts else not_applicable("Nothing was sent.")
    facts: dict[str, Any] = {"status": refusal.status, "method": last.sent.method, "allow": last.headers.get("allow")}
    wrong = _wrong_type(last, note, vendor)
    if refusal.status in (405, 501):
        allow = facts["allow"]
        allowed = f" It allows {str(allow)[:60]}." if allow else ""
        says = f"The server answered {refusal.status}: it does not serve this method there.{allowed}"
        # on the right address the server may simply not take notes: its capability statement tells
        return failed(says, conclusive=bool(wrong), **facts)
    if refusal.status not in (404, 410):
        return passed("The address was not what was refused.", **facts)
    page = refusal.answer.kind in (AnswerKind.HTML_BLOCK, AnswerKind.HTML_LOGIN)
    if refusal.answer.emitter is Emitter.GATEWAY or page:
        return not_applicable("The 404 came from a device in front of the EHR.", **facts)
    if _about_a_reference(refusal.answer.says, [e for i in refusal.answer.errors for e in i.expressions]):
        return not_applicable("The 404 speaks of a resource that the note refers to, not of the address.", **facts)
    if wrong:
        return failed(f"The note was posted to {wrong}, which is not the address of its resource type.", **facts)
    if refusal.answer.kind is AnswerKind.EMPTY:
        return unknown(
            "The answer was 404 without a word: address, resource type or something the note refers to.",
            get="the body of the 404 answer, and the server's /metadata",
            **facts,
        )
    says = "The server answered 404 to the create: nothing is served at this address."
    if log is not None and any(r.url == last.url and r.event == "acked" and r.status in (200, 201) for r in log.rows):
        return failed(f"{says} The same address took notes at another time.", strength=Strength.MODERATE, **facts)
    return failed(says, conclusive=False, **facts)


def _about_a_reference(says: str, expressions: list[str]) -> bool:
    if re.search(r"\b(?:Patient|Encounter|Practitioner(?:Role)?|Organization)/|\b(?:patient|encounter)\b", says):
        return True
    return any(re.search(r"\.(?:subject|encounter|author|context)", e) for e in expressions)


def _wrong_type(last: Attempt, note: FhirNote | None, vendor: Vendor) -> str:
    """Return the last step of the address where it is no address for the payload's type."""
    if not last.url or (last.sent.method or "POST").upper() != "POST" or vendor.profile.separate_write_route:
        return ""
    step = urlsplit(last.url).path.rstrip("/").rsplit("/", 1)[-1]
    kind = note.type if note is not None else ""
    misspelt = step not in known_names() and step.lower() in {name.lower() for name in known_names()}
    if step == kind or step.startswith("$") or (kind in ("Bundle", "") and not misspelt):
        return ""
    return f"…/{step[:60]}"
