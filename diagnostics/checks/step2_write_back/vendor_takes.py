"""Judge what a vendor is known to take, by kind and build, and what its answers without a number mean."""

import re
from datetime import datetime
from typing import Any

from diagnostics import catalog, causes
from diagnostics.case import Case
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.refusal import refusal_of
from diagnostics.checks.step2_write_back.payload import over_fhir
from diagnostics.checks.step2_write_back.weighing import taken
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.fhir import Capability
from diagnostics.evidence.logs import AuditTrail, NoteTrace
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength


def _plain_create(case: Case) -> bool:
    return over_fhir(case) and case.integration.write_url is None and not case.vendor.separate_write_route


@check(
    id="fhir.capability.create_missing.known",
    step=Step.WRITE_BACK,
    title="This EHR is not known to refuse the payload's kind of resource",
    hints=causes.CAPABILITY_CREATE_MISSING,
    checklist=("WRITE.1",),
    applies=_plain_create,
)
def kind_is_created(note: FhirNote, vendor: Vendor, capability: Capability | None, trace: NoteTrace | None) -> Result:
    """What a vendor's published metadata lack is told before anybody reaches the server; its own statement decides."""
    profile = vendor.profile
    if capability is not None:
        return not_applicable("The server's own capability statement is at hand.")
    if note.type not in profile.no_creates:
        return passed(f"{profile.name} is not known to refuse {note.type}.")
    says = f"{profile.name}'s published metadata offer no create for {note.type}."
    if taken(trace):
        return warned(f"{says} It took the note all the same.", resource=note.type)
    refusal = refusal_of(trace)
    other = refusal is not None and refusal.status not in (400, 403, 404, 405, 422, 501)
    strength = Strength.MODERATE if other or not profile.verified("no_creates") else Strength.STRONG
    return failed(says, strength=strength, resource=note.type, known_to_be_created=list(profile.creates))


@check(
    id="fhir.capability.create_missing.build",
    step=Step.WRITE_BACK,
    title="The EHR's build is new enough to take notes",
    hints=causes.CAPABILITY_CREATE_MISSING,
    strength=Strength.MODERATE,
    checklist=("WRITE.1",),
    applies=lambda case: case.vendor.version_floor is not None,
)
def build_is_new_enough(
    vendor: Vendor, capability: Capability | None, trail: AuditTrail | None, trace: NoteTrace | None
) -> Result:
    """A practice that has not been upgraded yet lists the same interface, and takes no notes by it."""
    floor = vendor.profile.version_floor
    refusal = refusal_of(trace)
    build = _build(capability, trail, refusal.at if refusal is not None else None)
    reached = floor.reached(build) if build else None
    if reached is None:
        if refusal is None:
            return not_applicable("Nothing was refused, and the EHR's build is not known.")
        return unknown(f"The EHR's build is not known; {floor.what} needs {floor.build}.", get="the EHR's build number")
    if reached:
        return passed("The EHR's build is new enough.", build=build, needed=floor.build)
    says = f"The EHR runs build {build}; {floor.what} needs {floor.build}."
    if taken(trace):
        return warned(f"{says} It took the note all the same.", build=build, needed=floor.build)
    return failed(says, build=build, needed=floor.build)


def _build(capability: Capability | None, trail: AuditTrail | None, before: datetime | None) -> str:
    """Return the build at the refusal: of the last upgrade recorded before it, else what the server says now."""
    for row in reversed(trail.rows if trail else ()):
        change = row.change or {}
        if row.event != "change" or change.get("kind") != "upgrade" or (before is not None and row.at > before):
            continue
        if re.match(r"v?\d+\.\d", str(change.get("to"))):
            return str(change.get("to")).lstrip("v")[:40]
    return (capability.statement.software_version or "")[:40] if capability is not None else ""


@check(
    id="fhir.outcome.issue.vendor",
    step=Step.WRITE_BACK,
    title="The EHR's answer is none its vendor is known to give for a fault",
    hints=(
        causes.OUTCOME_ISSUE, causes.PAYLOAD_EXTENSION, causes.BASE_ENVIRONMENT, causes.SERVER_ERROR,
        causes.PROXY_AUTH_STRIPPED, causes.PRACTICE_SCOPE, causes.GATEWAY_UNROUTED, causes.RBAC_MATRIX,
        causes.RATE_LIMITED,
    ),
    checklist=("WRITE.2",),
    applies=lambda case: bool(case.vendor.answers),
)  # fmt: skip
def answer_by_vendor(trace: NoteTrace, vendor: Vendor, settings: Settings) -> Result:
    """Some vendors refuse in words and without a number; what those words mean is known of them alone."""
    refusal = refusal_of(trace)
    if refusal is None:
        return passed("The EHR refused nothing.") if trace.attempts else not_applicable("Nothing was sent.")
    url = refusal.attempt.url if refusal.attempt is not None else None
    known = vendor.profile.known_answer(
        settings.integration.protocol, refusal.status, refusal.answer.issue_codes, refusal.answer.text, url
    )
    facts: dict[str, Any] = {"status": refusal.status, "codes": sorted(refusal.answer.issue_codes)}
    if known is None:
        return passed("The answer is none that is known of this vendor.", **facts)
    says = f"From {vendor.profile.name} this answer means: {known.says}."
    if known.cause is None:
        return unknown(says, get="the whole body of the EHR's answer", **facts)
    return failed(says, cause=catalog.cause(known.cause), strength=known.strength, **facts)
