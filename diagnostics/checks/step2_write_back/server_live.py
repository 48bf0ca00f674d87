"""Judge what the FHIR server says of itself now: is it one, is it the right one, and does it take notes."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.case import Case
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.step2_write_back.weighing import taken
from diagnostics.evidence.case_parts import Baseline, Clock, Settings, Vendor
from diagnostics.evidence.fhir import CanaryWrite, Capability, CapabilityFacts, Metadata, ReadBack
from diagnostics.evidence.logs import AuditTrail, NoteTrace
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, read_answer
from diagnostics.vocabulary import FailureMode, Step, Strength

# Words by which a server calls itself a place for tests; whole words, because "test" hides in "latest".
_NOT_PRODUCTION = re.compile(
    r"\b(?:sandbox|non-?prod(?:uction)?|preview|staging|stage|training|playground|demo|uat|qa|test(?:ing)?"
    r"|pre-?prod(?:uction)?)\b",
    re.IGNORECASE,
)
_WRITTEN = ("DocumentReference", "Composition", "DiagnosticReport")


def _fhir(case: Case) -> bool:
    return case.integration.protocol == "fhir" and bool(case.integration.fhir_base_url)


@check(
    id="fhir.base.not_fhir",
    step=Step.WRITE_BACK,
    title="A FHIR server answers at the configured base URL",
    proves=causes.BASE_NOT_FHIR,
    checklist=("WRITE.3",),
    applies=_fhir,
)
def base_is_fhir(metadata: Metadata) -> Result:
    """A base URL that is one path segment off answers politely and never takes a note."""
    answer = metadata.answer
    facts = {"status": answer.status or 0, "content_type": answer.content_type, "url": answer.url}
    if metadata.capability is not None:
        return passed("The base URL serves a capability statement.", url=answer.url)
    if metadata.protected:
        return passed("The server protects its capability statement; it is there.", status=answer.status)
    if answer.fault is not None:
        kind, phase = answer.fault.kind, answer.fault.phase
        if kind == "too_large":
            return warned("The capability statement is larger than we read.", url=answer.url)
        if kind == "protocol" and phase == "reading":
            return failed("What answers at the base URL does not speak HTTP.", condemns=(metadata,), url=answer.url)
        return unknown(f"The server did not answer: {answer.fault.says}.", get=Metadata.how_to_get)
    read = read_answer(answer.body, answer.status, answer.headers, answer.content_type)
    ordinary = read.page is not None and read.page.plain and not answer.via_proxy
    if read.kind in (AnswerKind.HTML_LOGIN, AnswerKind.HTML_BLOCK) and answer.status != 404 and not ordinary:
        page = "sign-in page" if read.kind is AnswerKind.HTML_LOGIN else "filter's page"
        return failed(f"A {page} answers at the base URL, not a FHIR server.", strength=Strength.MODERATE,
                      condemns=(metadata,), status=answer.status, url=answer.url)  # fmt: skip
    if answer.status is not None and (answer.status >= 500 or answer.status in (407, 408, 429)):
        return unknown(f"The server answered {answer.status}; that does not say what it is.", get=Metadata.how_to_get)
    if answer.status is not None and 300 <= answer.status < 400:
        place = urlsplit(answer.headers.get("location", "")).netloc
        return failed(f"The base URL redirects to {place or 'another address'}.", conclusive=False,
                      condemns=(metadata,), status=answer.status, url=answer.url)  # fmt: skip
    why = metadata.problem.rstrip(".")
    return failed(f"No FHIR server answers at the base URL: {why}.", condemns=(metadata,),
                  status=facts["status"], content_type=answer.content_type, url=answer.url)  # fmt: skip


@check(
    id="fhir.base.environment",
    step=Step.WRITE_BACK,
    title="The server belongs to the environment the integration is for",
    proves=causes.BASE_ENVIRONMENT,
    checklist=("WRITE.3",),
    applies=_fhir,
)
def environment_fits(
    settings: Settings, vendor: Vendor, capability: Capability | None, trace: NoteTrace | None
) -> Result:
    """A note accepted by a sandbox is accepted and gone: nobody will ever read it there."""
    integration = settings.integration
    if integration.environment is None:
        return unknown("The integration does not say for which environment it is.", get="the integration's environment")
    wants_production = integration.environment == "production"
    shown = vendor.profile.environment_of(integration.fhir_base_url or "")
    sent_to = trace.last.url if trace is not None and trace.last is not None else None
    shown = (vendor.profile.environment_of(sent_to) if sent_to else None) or shown
    statement = capability.statement if capability is not None else None
    own_words = " ".join(filter(None, (statement.description, statement.software_name))) if statement else ""
    says_test = bool(_NOT_PRODUCTION.search(own_words))
    facts = {"configured": integration.environment, "vendor_list": shown or "", "own_words_say_test": str(says_test)}
    if shown is not None and wants_production != (shown == "production"):
        return failed(f"The integration is for {integration.environment}, and the address is the vendor's {shown}.",
                      **_texts(facts))  # fmt: skip
    if wants_production and says_test and shown is None:
        return failed("The integration is for production, and the server calls itself a place for tests.",
                      **_texts(facts))  # fmt: skip
    return passed("Nothing speaks of another environment.", **_texts(facts))


def _texts(facts: dict[str, str]) -> dict[str, Any]:
    return dict(facts)


@check(
    id="fhir.version.mismatch",
    step=Step.WRITE_BACK,
    title="The server speaks FHIR R4",
    proves=causes.VERSION_MISMATCH,
    checklist=("WRITE.1",),
    applies=_fhir,
)
def version_is_r4(capability: Capability, settings: Settings, trace: NoteTrace | None) -> Result:
    """The same resource has another shape in another version; a server refuses it or keeps half of it."""
    version = capability.statement.fhir_version or ""
    if capability.statement.dstu2 or (version and not version.startswith("4.")):
        chosen = "fhirversion" in (settings.integration.fhir_format or "").lower()
        if taken(trace) or chosen:
            # a server of several versions picks one by the request's Accept header, and metadata tells only one
            return warned(f"The server's statement is of FHIR {version or 'DSTU2'}; it may speak R4 as well.",
                          fhir_version=version)  # fmt: skip
        return failed(f"The server speaks FHIR {version or 'DSTU2'}; the scribe sends R4.", fhir_version=version)
    if version.startswith(("4.1", "4.2", "4.4", "4.5", "4.6")):
        return warned(f"The server speaks the interim version {version}.", fhir_version=version)
    if not version:
        return unknown("The statement names no FHIR version.", get="the server's FHIR version")
    return passed(f"The server speaks FHIR {version}.", fhir_version=version)


@check(
    id="fhir.capability.create_missing",
    step=Step.WRITE_BACK,
    title="The server offers to create what the scribe sends",
    proves=causes.CAPABILITY_CREATE_MISSING,
    checklist=("WRITE.1",),
    applies=_fhir,
)
def create_is_offered(
    capability: Capability,
    settings: Settings,
    vendor: Vendor,
    trace: NoteTrace | None,
    canary: CanaryWrite | None,
) -> Result:
    """Reading is mandated, writing is not: many servers list a resource and take none."""
    integration = settings.integration
    wanted = [t for t in integration.resources_needed if t in _WRITTEN] or ["DocumentReference"]
    lacking = [t for t in wanted if not _creates(capability.statement, t)]
    facts = {"resources": wanted, "offered": {t: _interactions(capability.statement, t) for t in wanted}}
    if not lacking:
        return passed("The statement lists create.", resources=wanted)
    if integration.write_url is not None or vendor.profile.separate_write_route:
        return not_applicable("Notes go by a route of their own, which this statement does not describe.",
                              resources=wanted)  # fmt: skip
    if canary is not None and canary.state == "written":
        return warned("The statement does not list create, but a note was created.", resources=wanted)
    says = f"The server's capability statement does not offer to create {', '.join(lacking)}."
    if trace is not None and any(a.outcome == "accepted" for a in trace.attempts):
        return warned(f"{says} It took the note all the same.", resources=wanted)
    last = trace.last if trace is not None else None
    other = last is not None and last.status is not None and last.status not in (400, 403, 404, 405, 422, 501)
    return failed(says, strength=Strength.MODERATE if other else Strength.DECISIVE, resources=wanted,
                  offered=facts["offered"])  # fmt: skip


def _interactions(statement: CapabilityFacts, type: str) -> list[str]:
    found = statement.resource(type)
    return sorted(found.interactions) if found else []


def _creates(statement: CapabilityFacts, type: str) -> bool:
    return "create" in _interactions(statement, type)


@check(
    id="fhir.capability.changed",
    step=Step.WRITE_BACK,
    title="The server is the same as in the last good run",
    hints=causes.CAPABILITY_CHANGED,
    strength=Strength.MODERATE,
    applies=_fhir,
)
def server_is_unchanged(
    capability: Capability, baseline: Baseline, trace: NoteTrace | None, trail: AuditTrail | None
) -> Result:
    """What an upgrade took away shows in the statement before anybody tells."""
    known = baseline.facts.get("capability")
    if not isinstance(known, dict):
        return unknown("The last good run recorded no capability statement.", get="the facts of an earlier good run")
    now = capability.baseline_facts()["capability"]
    changed = sorted(k for k in _DATED if known.get(k) and known[k] != now.get(k))
    lost = [*_lost(known.get("interactions"), now["interactions"]),
            *_lost(known.get("profiles"), now["profiles"], "profile "),
            *_lost(known.get("search"), now["search"], "search by ")]  # fmt: skip
    before = known.get("conditional_create")
    gone = (
        [t for t in before if t in _WRITTEN and t not in now["conditional_create"]] if isinstance(before, list) else []
    )
    lost += [f"conditional create of {type}" for type in gone]
    if not changed and not lost:
        return passed("Version and interactions are those of the last good run.")
    says = f"The server lost {', '.join(lost)[:300]}." if lost else (
        "The server's version differs from the last good run.")  # fmt: skip
    facts = {name: [known.get(name), now.get(name)] for name in changed}
    failing = trace is not None and trace.failure_mode in (FailureMode.REJECTED, FailureMode.PARTIAL)
    if failing and (lost or _upgraded_before(trace, trail)):
        return failed(says, lost=lost, changed=facts)
    return warned(says, lost=lost, changed=facts)


_DATED = ("fhir_version", "release_date", "software_version")


def _upgraded_before(trace: NoteTrace | None, trail: AuditTrail | None) -> bool:
    """Tell whether the EHR's own log dates an upgrade before the note first failed."""
    failed_at = trace.first_failure_at if trace is not None else None
    rows = trail.rows if trail is not None else ()
    return failed_at is not None and any(
        row.event == "change" and (row.change or {}).get("kind") == "upgrade" and row.at <= failed_at for row in rows
    )


def _lost(before: object, now: dict[str, list[str]], what: str = "") -> list[str]:
    """Return what the written types had before and have no more; a type without any now may not have been told."""
    if not isinstance(before, dict):
        return []
    gone = []
    for type, had in before.items():
        if type in _WRITTEN and isinstance(had, list) and (now.get(type) or not what):
            gone += [f"{what}{each} of {type}" for each in had if each not in now.get(type, [])]
    return gone


@check(
    id="fhir.outcome.duplicate.stored",
    step=Step.WRITE_BACK,
    title="The EHR holds the note once",
    hints=causes.OUTCOME_DUPLICATE,
    strength=Strength.MODERATE,
    checklist=("DONE.1",),
    applies=_fhir,
)
def note_is_stored_once(read_back: ReadBack) -> Result:
    """Two documents of one identifier leave the reader to guess which one counts; an addendum supersedes or says so."""
    if read_back.found is None:
        return unknown("The note could not be looked for.", get="read access to documents")
    standing = [status for status in read_back.statuses if status == "current"]
    if read_back.found < 2 or len(standing) < 2:
        return passed("No second document of this note stands.", found=read_back.found)
    return failed(f"{len(standing)} documents with the note's own identifier are current in the chart.",
                  found=read_back.found, current=len(standing))  # fmt: skip


@check(
    id="fhir.readback.absent",
    step=Step.WRITE_BACK,
    title="A note that was accepted can be read back",
    hints=causes.READBACK_ABSENT,
    strength=Strength.MODERATE,
    applies=_fhir,
)
def accepted_note_is_readable(read_back: ReadBack, trace: NoteTrace, clock: Clock, vendor: Vendor) -> Result:
    """Accepted and not to be found: unsigned, filtered, waiting in a queue, or gone."""
    taken_at = [a for a in trace.attempts if a.outcome == "accepted"]
    if not taken_at:
        return not_applicable("The note was not accepted, so there is nothing to read back.")
    if read_back.found or any(each.ok for each in read_back.locations):
        return passed("The note was read back.", found=read_back.found)
    refused = [each for each in (read_back.answer, *read_back.locations) if each.status in (401, 403)]
    if refused or read_back.found is None:
        return unknown("The note could not be looked for with this token.", get="read access to documents")
    gone = [each.status for each in read_back.locations if each.status in (404, 410)]
    if read_back.locations and not gone:
        return unknown("The server gave no clear answer to the read-back.", get="the chart's documents")
    if clock.now - taken_at[-1].at < timedelta(minutes=vendor.profile.usual_filing_minutes):
        return unknown("The note cannot be found yet, and the EHR's usual delay is not over.",
                       get="the chart, once the EHR's usual delay is over")  # fmt: skip
    return failed("The note was accepted, but it cannot be found at the EHR.", found=0, locations=gone)
