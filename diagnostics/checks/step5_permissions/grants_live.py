"""Judge what the token may do, as the token server and the FHIR server show it now."""

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.fhir import CanaryWrite, Reads
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, read_answer
from diagnostics.parsing.scopes import granting, parse_scopes, split_scopes
from diagnostics.vocabulary import Category, Step, Strength

_WRITTEN = ("DocumentReference", "Composition", "DiagnosticReport")


@check(
    id="perm.scope.write_missing",
    step=Step.PERMISSIONS,
    title="The granted scopes allow notes to be created",
    proves=causes.SCOPE_WRITE_MISSING,
    checklist=("PERM.1",),
)
def write_scope_is_granted(token: TokenAnswer, settings: Settings) -> Result:
    """A token may be perfectly valid and still allow only reading."""
    if not token.granted:
        return unknown("No token was granted, so its scopes are not known.", get="a working token")
    wanted = [t for t in settings.integration.resources_needed if t in _WRITTEN] or ["DocumentReference"]
    granted = token.scope if token.scope is not None else token.requested_scope  # RFC 6749 5.1: absent means as asked
    scopes = parse_scopes(granted)
    facts = {"granted": split_scopes(granted), "needed": [f"create {t}" for t in wanted]}
    if not scopes:
        return unknown("The token answer names no resource scopes.", get="the scopes granted to this client")
    lacking = [t for t in wanted if not granting(scopes, t, "c")]
    if lacking:
        return failed(f"The granted scopes do not allow to create {', '.join(lacking)}.", granted=facts["granted"],
                      needed=facts["needed"])  # fmt: skip
    return passed("The granted scopes allow the note to be created.", granted=facts["granted"])


@check(
    id="perm.read_ok_write_denied",
    step=Step.PERMISSIONS,
    title="The token that may read may also write",
    proves=causes.READ_OK_WRITE_DENIED,
    checklist=("PERM.2",),
)
def writing_is_allowed_too(
    reads: Reads, canary: CanaryWrite | None, token: TokenAnswer | None, settings: Settings, trace: NoteTrace | None
) -> Result:
    """Read allowed and write denied with one token is a missing grant at the EHR, not a broken sign-in."""
    if not reads.allowed:
        return unknown("No read succeeded, so reading and writing cannot be compared.", get="a read with this token")
    if not _scoped(token, settings):
        return not_applicable("The scopes already forbid writing; that is judged on its own.")
    if canary is not None and canary.state == "written":
        return passed("The canary was written with the token that reads.")
    if canary is not None and canary.state == "refused" and canary.answer is not None:
        if canary.answer.status != 403:
            return passed("The canary was refused, but not for want of permission.", status=canary.answer.status)
        answer = read_answer(canary.answer.body, 403, canary.answer.headers, canary.answer.content_type)
        if answer.kind in (AnswerKind.HTML_BLOCK, AnswerKind.HTML_LOGIN):
            return passed("The canary was stopped by a page on the way, not by the EHR.", status=403)
        return failed("The token reads (200), and the canary write is forbidden (403).", category=Category.PERMISSIONS,
                      condemns=(canary,), status=403)  # fmt: skip
    last = trace.last if trace is not None else None
    if last is not None and last.status == 403:
        return failed("The token reads now (200), and the note's write was forbidden (403).",
                      strength=Strength.MODERATE, status=403, at=last.at)  # fmt: skip
    return unknown("Nothing was written with this token.", get=CanaryWrite.how_to_get)


def _scoped(token: TokenAnswer | None, settings: Settings) -> bool:
    if token is None:
        return True
    scopes = parse_scopes(token.scope if token.scope is not None else token.requested_scope)
    wanted = [t for t in settings.integration.resources_needed if t in _WRITTEN] or ["DocumentReference"]
    return not scopes or all(granting(scopes, type, "c") for type in wanted)
