"""Judge whether the granted scopes fit this note: their context, their constraint, and no more than needed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from diagnostics import causes
from diagnostics.case import Case
from diagnostics.check import check, failed, passed, unknown, warned
from diagnostics.checks.refusal import ARRIVED, Refusal, refusal_of
from diagnostics.checks.step5_permissions import reasons
from diagnostics.checks.tokens_used import token_of
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.case_parts import NoteFacts, Settings
from diagnostics.evidence.fhir import CanaryWrite
from diagnostics.evidence.logs import NoteTrace, ScribeLog
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.identity import differs
from diagnostics.parsing.scopes import Scope, constraints, granting, parse_scopes
from diagnostics.vocabulary import Step

_WITHOUT_A_PERSON = ("backend-services", "client-secret")


def _fhir(case: Case) -> bool:
    return case.integration.protocol == "fhir" and case.integration.auth.flow not in ("none", "api-key")


def _scopes(
    settings: Settings, trace: NoteTrace | None, log: ScribeLog | None, token: TokenAnswer | None
) -> tuple[Scope, ...]:
    """Return the resource scopes of the token in use: as recorded, else as granted now, else as configured."""
    refusal = refusal_of(trace)
    recorded = reasons.granted_scope(trace, log, refusal)
    now = (token.scope if token.scope is not None else token.requested_scope) if token and token.granted else None
    for said in (recorded, now, " ".join(settings.integration.auth.scopes)):
        if said:
            return parse_scopes(said)
    return ()


def _denied(refusal: Refusal | None) -> bool:
    """Tell whether the EHR refused as a server does that looks at scopes."""
    return refusal is not None and refusal.forbidden and reasons.by_the_ehr(refusal)


def _worked(trace: NoteTrace | None, canary: CanaryWrite | None) -> bool:
    arrived = trace is not None and trace.failure_mode in ARRIVED
    return arrived or (canary is not None and canary.state == "written")


@check(
    id="perm.scope.context",
    step=Step.PERMISSIONS,
    title="The scopes are for the kind of account that writes",
    hints=causes.SCOPE_CONTEXT,
    checklist=("PERM.1",),
    applies=_fhir,
)
def context_fits_the_account(
    settings: Settings,
    trace: NoteTrace | None,
    log: ScribeLog | None,
    token: TokenAnswer | None,
    note: NoteFacts | None,
    canary: CanaryWrite | None,
) -> Result:
    """A user/ scope needs a user and a patient/ scope a launch patient; an account of its own has neither."""
    scopes = _scopes(settings, trace, log, token)
    if not scopes:
        return unknown("The scopes of the token are not known.", get="the scope in the token endpoint's answer")
    type = reasons.needed_type(trace, settings)
    writing = granting(scopes, type, "c")
    says = ""
    if settings.integration.auth.flow in _WITHOUT_A_PERSON:
        personal = [scope for scope in (writing or scopes) if scope.context != "system"]
        if personal and len(personal) == len(writing or scopes):
            kinds = " and ".join(sorted({f"{scope.context}/" for scope in personal}))
            says = f"The token holds {kinds} scopes, and the account works without a person."
    elif writing and all(scope.context == "patient" for scope in writing):
        launched = token_of(trace.last, trace, log) if trace is not None else None
        if launched is not None and note is not None and differs(launched.patient_id, note.note.patient_id):
            says = "The token's patient/ scopes are for another patient than the note's."
    facts: dict[str, Any] = {"scopes": [scope.raw for scope in scopes], "type": type}
    if not says:
        return passed("The scopes are for the kind of account that writes.", **facts)
    refusal = refusal_of(trace)
    if _worked(trace, canary):
        return warned(f"{says} This EHR takes notes all the same.", **facts)
    refused_now = canary is not None and canary.answer is not None and canary.answer.status == 403
    if _denied(refusal) and refusal is not None:
        return failed(f"{says} The EHR answered {refusal.named}.", **facts)
    if refusal is None and refused_now:
        return failed(f"{says} The EHR refuses the canary.", **facts)
    return warned(f"{says} No refusal speaks of it.", **facts)


@check(
    id="perm.scope.query_constraint",
    step=Step.PERMISSIONS,
    title="The note is of a category that the scope allows to write",
    hints=causes.SCOPE_QUERY_CONSTRAINT,
    checklist=("PERM.1",),
    applies=_fhir,
)
def constraint_fits_the_note(
    settings: Settings,
    trace: NoteTrace | None,
    log: ScribeLog | None,
    token: TokenAnswer | None,
    payload: FhirNote | None,
    canary: CanaryWrite | None,
) -> Result:
    """A scope may end in a query (`?category=…`): then it is good for what the query matches only (SMART 2)."""
    writing = granting(_scopes(settings, trace, log, token), reasons.needed_type(trace, settings), "c")
    bound = [scope for scope in writing if scope.query]
    if not bound or len(bound) < len(writing):
        return passed("No query narrows what may be written.", scopes=[scope.raw for scope in writing])
    facts: dict[str, Any] = {"scopes": [scope.raw for scope in bound]}
    if payload is None:
        return unknown("Whether the note matches the scope's query cannot be told without it.", get=FhirNote.how_to_get)
    resource = next((one for one, _ in payload.resources() if one.get("resourceType") == bound[0].resource), None)
    resource = resource if resource is not None else payload.resource
    verdicts = [_matches(scope, resource) for scope in bound]
    if True in verdicts:
        return passed("The note matches the query of a scope.", **facts)
    if None in verdicts:
        return unknown("The scope's query asks for something that cannot be read from the note.",
                       get="what the EHR takes the query in the scope to mean", **facts)  # fmt: skip
    says = f"The token may write only what matches {' or '.join(scope.query or '' for scope in bound)[:200]}."
    refusal = refusal_of(trace)
    if _worked(trace, canary):
        return warned(f"{says} This EHR took the note all the same.", **facts)
    if _denied(refusal) and refusal is not None:
        return failed(f"{says} The note does not, and the EHR answered {refusal.named}.", **facts)
    return warned(f"{says} The note does not; no refusal speaks of it.", **facts)


_READ = {"category": "category", "type": "type", "status": "status", "doc-status": "docStatus"}


def _matches(scope: Scope, resource: Mapping[str, Any]) -> bool | None:
    """Tell whether a resource matches a scope's query; None where it asks for what is not read here."""
    verdict: bool | None = True
    for name, wanted in constraints(scope):
        element = _READ.get(name)
        if element is None:
            verdict = None if verdict else verdict
        elif not any(_token_matches(each, held) for each in wanted for held in _codings(resource.get(element))):
            return False
    return verdict


def _codings(value: Any) -> Iterator[tuple[str, str]]:
    """Yield (system, code) of a code, a CodeableConcept or a list of either."""
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str):
            yield "", each
        held = each.get("coding") if isinstance(each, Mapping) else None
        for coding in held if isinstance(held, list) else ():
            if isinstance(coding, Mapping):
                yield str(coding.get("system") or ""), str(coding.get("code") or "")


def _token_matches(wanted: str, held: tuple[str, str]) -> bool:
    """Compare as a FHIR token search does: `system|code`, `system|`, `|code` (no system), or a bare code."""
    system, bar, code = wanted.rpartition("|")
    return (not bar or system == held[0]) and (not code or code == held[1])


@check(
    id="perm.scope.excess",
    step=Step.PERMISSIONS,
    title="The token allows no more than writing notes needs",
    hints=causes.SCOPE_EXCESS,
    applies=_fhir,
)
def scopes_are_least(
    settings: Settings, trace: NoteTrace | None, log: ScribeLog | None, token: TokenAnswer | None
) -> Result:
    """A token that may delete, or touch every type, does more harm when it leaks (least privilege)."""
    scopes = _scopes(settings, trace, log, token)
    if not scopes:
        return unknown("The scopes of the token are not known.", get="the scope in the token endpoint's answer")
    much = list(_excess(scopes))
    if not much:
        return passed("The scopes allow no deletion and no wildcard.", scopes=[scope.raw for scope in scopes])
    return warned(f"More is granted than writing notes needs: {'; '.join(much)[:300]}.", excess=much)


def _excess(scopes: Iterable[Scope]) -> Iterator[str]:
    for scope in scopes:
        raw = scope.raw[:80]
        if scope.resource == "*":
            yield f"{raw} names every resource type"
        elif scope.version == 1 and scope.letters == frozenset("cruds"):
            yield f"{raw} names every interaction"
        elif scope.version == 2 and "d" in scope.letters:
            yield f"{raw} allows deletion"
