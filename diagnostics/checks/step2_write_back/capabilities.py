"""Judge what the server's statement offers against what the scribe relies on: updates, searches, conditions."""

from collections.abc import Iterator, Mapping

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.refusal import refusal_of
from diagnostics.checks.step2_write_back.server_addresses import plain_fhir
from diagnostics.checks.step2_write_back.weighing import taken
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.fhir import Capability, ResourceCapability
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.parsing.fhir_structure import values_at
from diagnostics.vocabulary import Step, Strength

_INTERACTION = {"PUT": "update", "PATCH": "patch"}
_NOTES = ("DocumentReference", "Composition", "DiagnosticReport")


@check(
    id="fhir.capability.update_missing",
    step=Step.WRITE_BACK,
    title="The server offers the updates that the scribe makes",
    hints=causes.CAPABILITY_UPDATE_MISSING,
    checklist=("WRITE.1",),
    applies=plain_fhir,
)
def updates_are_offered(capability: Capability, trace: NoteTrace | None, note: FhirNote | None) -> Result:
    """Many servers create documents and never change them; a scribe that amends by PUT fails there every time."""
    made = dict.fromkeys([*_by_address(trace), *_by_bundle(note)])
    if not made:
        return not_applicable("The scribe changes nothing in place: no PUT and no PATCH is recorded.")
    lacking = [(method, kind) for method, kind in made if _INTERACTION[method] not in _interactions(capability, kind)]
    if not lacking:
        return passed("The statement lists the updates that are made.", made=[f"{m} {k}" for m, k in made])
    method, kind = lacking[0]
    says = f"The scribe sends {method} for {kind}, and the server's statement does not offer {_INTERACTION[method]}."
    if taken(trace):
        return warned(f"{says} It took the note all the same.", strength=Strength.WEAK, method=method, resource=kind)
    refusal = refusal_of(trace)
    other = refusal is not None and refusal.status not in (400, 403, 404, 405, 412, 422, 501)
    return failed(says, strength=Strength.MODERATE if other else Strength.STRONG, method=method, resource=kind,
                  offered=sorted(_interactions(capability, kind)))  # fmt: skip


def _by_address(trace: NoteTrace | None) -> Iterator[tuple[str, str]]:
    """Yield method and resource type of each update of the note, the last attempt first."""
    for attempt in reversed(trace.attempts if trace is not None else ()):
        method = (attempt.sent.method or "").upper()
        steps = [step for step in (attempt.url or "").split("?")[0].split("/") if step]
        kind = next((step for step in reversed(steps) if step[:1].isupper() and step.isalpha()), "")
        if method in _INTERACTION and kind:
            yield method, kind


def _by_bundle(note: FhirNote | None) -> Iterator[tuple[str, str]]:
    for request, _ in values_at(note.resource, "entry.request", note.type) if note is not None else ():
        method = request.get("method") if isinstance(request, Mapping) else None
        url = request.get("url") if isinstance(request, Mapping) else None
        if method in _INTERACTION and isinstance(url, str):
            yield str(method), url.split("?")[0].strip("/").split("/")[0][:60]


def _interactions(capability: Capability, kind: str) -> tuple[str, ...]:
    found = capability.statement.resource(kind)
    return found.interactions if found is not None else ()


def _written(capability: Capability, settings: Settings) -> ResourceCapability | None:
    """Return what the statement says of the kind of resource that notes are written as."""
    needed = [kind for kind in settings.integration.resources_needed if kind in _NOTES] or ["DocumentReference"]
    return capability.statement.resource(needed[0])


@check(
    id="fhir.capability.readback",
    step=Step.WRITE_BACK,
    title="The server can be searched for the notes that were written",
    hints=causes.CAPABILITY_READBACK,
    strength=Strength.WEAK,
    checklist=("WRITE.1", "DONE.1"),
    applies=plain_fhir,
)
def notes_can_be_searched(capability: Capability, settings: Settings) -> Result:
    """A note nobody can look for is proven to have arrived only by the address its create was answered with."""
    offered = _written(capability, settings)
    if offered is None:
        return not_applicable("The statement does not list the kind of resource that notes are written as.")
    absent = [p for p in ("patient", "encounter", "type", "date", "identifier") if p not in offered.search_params]
    if "identifier" in offered.search_params or {"patient", "date"} <= set(offered.search_params):
        return passed("Notes can be looked for.", resource=offered.type, absent=absent)
    says = f"The statement offers no search by which a written {offered.type} could be found again."
    return warned(says, resource=offered.type, absent=absent)


@check(
    id="fhir.capability.cond_create",
    step=Step.WRITE_BACK,
    title="The server promises the conditional creates that the scribe relies on",
    hints=causes.CAPABILITY_COND_CREATE,
    strength=Strength.WEAK,
    checklist=("WRITE.1", "DONE.1"),
    applies=plain_fhir,
)
def conditions_are_honoured(capability: Capability, note: FhirNote | None, trace: NoteTrace | None) -> Result:
    """A server that does not know If-None-Exist may ignore it without a word, and each retry makes another note."""
    kinds = list(dict.fromkeys([*_conditional(note), *_if_none_exist(trace)]))
    if not kinds:
        return not_applicable("The scribe makes no conditional create.")
    lacking = [k for k in kinds if not ((found := capability.statement.resource(k)) and found.conditional_create)]
    if not lacking:
        return passed("The statement promises conditional creates.", resources=kinds)
    return warned(f"The scribe relies on If-None-Exist for {lacking[0]}, and the statement does not promise it: a "
                  "second attempt may make a second note.", resources=lacking)  # fmt: skip


def _conditional(note: FhirNote | None) -> Iterator[str]:
    for entry, _ in values_at(note.resource, "entry", note.type) if note is not None else ():
        request, inner = (entry.get("request"), entry.get("resource")) if isinstance(entry, Mapping) else (None, None)
        if isinstance(request, Mapping) and isinstance(inner, Mapping) and request.get("ifNoneExist"):
            yield str(inner.get("resourceType"))[:60]


def _if_none_exist(trace: NoteTrace | None) -> Iterator[str]:
    """Yield the type written to by requests that the log shows with the header (docs/case-additions.md)."""
    for attempt in trace.attempts if trace is not None else ():
        headers = attempt.sent.extra.get("request_headers")
        if any(str(name).lower() == "if-none-exist" for name in (headers if isinstance(headers, Mapping) else ())):
            yield (attempt.url or "").split("?")[0].rstrip("/").rsplit("/", 1)[-1][:60]


@check(
    id="fhir.capability.profile",
    step=Step.WRITE_BACK,
    title="The server lists the profile that the note is written by",
    hints=causes.CAPABILITY_PROFILE,
    strength=Strength.MODERATE,
    checklist=("WRITE.1", "WRITE.2"),
    applies=plain_fhir,
)
def profile_is_listed(
    capability: Capability, settings: Settings, note: FhirNote | None, trace: NoteTrace | None
) -> Result:
    """A server that validates against its own profiles may refuse a note that follows another."""
    offered = _written(capability, settings)
    listed = offered.supported_profiles if offered is not None else ()
    if not listed:
        return not_applicable("The statement lists no profiles, which it need not.")
    stated = [
        str(p) for one, path in (note.documents() if note else ()) for p, _ in values_at(one, "meta.profile", path)
    ]
    wanted = list(dict.fromkeys([*stated, *([settings.integration.profile] if settings.integration.profile else [])]))
    if not wanted:
        return not_applicable("The note claims no profile.")
    bare: dict[str, set[str]] = {}
    for each in listed:
        bare.setdefault(each.partition("|")[0], set()).add(each.partition("|")[2])
    unknown = [p for p in wanted if p.partition("|")[0] not in bare]
    if unknown:
        says = "The note is written by a profile that the server's statement does not list."
        refusal = refusal_of(trace)
        if refusal is not None and refusal.status in (400, 422):
            return failed(says, profile=unknown[0][:200], listed=len(listed))
        return warned(says, strength=Strength.WEAK, profile=unknown[0][:200], listed=len(listed))
    versions = [p for p in wanted if (v := p.partition("|")[2]) and v not in (held := bare[p.partition("|")[0]])
                and "" not in held]  # fmt: skip
    if versions:
        return warned("The server lists another version of the note's profile.", strength=Strength.WEAK,
                      profile=versions[0][:200])  # fmt: skip
    return passed("The statement lists the note's profile.", profiles=len(wanted))
