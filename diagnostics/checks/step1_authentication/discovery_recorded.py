"""Judge what the scribe's log recorded of finding the token endpoint."""

from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.step1_authentication.sessions import asks_a_person
from diagnostics.evidence.logs import AuditTrail, NoteTrace, ScribeLog, TokenAttempt
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, read_answer
from diagnostics.vocabulary import Instant, Step, Strength

_WELL_KNOWN = "/.well-known/"
_GONE = (301, 308, 404, 405, 410)


def _last_refused(trace: NoteTrace) -> TokenAttempt | None:
    return trace.tokens[-1] if trace.tokens and not trace.tokens[-1].ok else None


@check(
    id="auth.discovery.unreachable.log",
    step=Step.AUTHENTICATION,
    title="The scribe could read the sign-in configuration",
    hints=causes.DISCOVERY_UNREACHABLE,
    checklist=("TOKEN.4",),
)
def discovery_was_served(trace: NoteTrace) -> Result:
    """A scribe that looks its token endpoint up each time cannot even begin when the look-up fails."""
    last = _last_refused(trace)
    if last is None:
        return passed("No look-up failed.") if trace.tokens or trace.attempts else not_applicable("Nothing was asked.")
    if _WELL_KNOWN not in urlsplit(last.asked.url or "").path:
        return passed("The scribe had got as far as the token endpoint.", url=last.asked.url)
    if last.status is None:
        return passed("No answer came; that is judged as a network error.")
    return failed(f"The scribe's look-up of the sign-in configuration was answered with {last.status}.",
                  status=last.status, at=last.at, url=last.asked.url)  # fmt: skip


@check(
    id="auth.discovery.token_endpoint_changed.log",
    step=Step.AUTHENTICATION,
    title="A token server answered at the configured token endpoint",
    hints=causes.DISCOVERY_TOKEN_ENDPOINT_CHANGED,
    checklist=("TOKEN.4",),
)
def token_endpoint_was_there(trace: NoteTrace, log: ScribeLog | None, trail: AuditTrail | None) -> Result:
    """Where tokens came from yesterday and nothing is found today, the endpoint has moved."""
    last = _last_refused(trace)
    if last is None or last.status is None or _WELL_KNOWN in (last.asked.url or ""):
        return passed("The token endpoint answered.") if trace.tokens else not_applicable("No token was asked for.")
    answer = read_answer(last.error, last.status, last.headers)
    if last.status not in _GONE or answer.kind is AnswerKind.OAUTH:
        return passed("A token server answered.", status=last.status)
    if asks_a_person(answer, last.status, last.asked.url or ""):
        return passed("The answer asks for a person; that is judged on its own.", status=last.status)
    rows = log.rows if log is not None else ()
    worked = any(r.event == "token" and r.url == last.asked.url and r.at < last.at and r.status == 200 for r in rows)
    moved = any(
        r.event == "change" and (r.change or {}).get("kind") in ("endpoint", "upgrade") and r.at <= last.at
        for r in (trail.rows if trail is not None else ())
    )
    return failed(
        f"Nothing that issues tokens answers at the configured token endpoint any more (status {last.status}).",
        strength=Strength.STRONG if worked or moved else Strength.MODERATE,
        instant=Instant.THEN, status=last.status, at=last.at, worked_before=worked, change_recorded=moved,
    )  # fmt: skip
