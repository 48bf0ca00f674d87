"""Judge the life of a token: expiry before use, and a lifetime that changed."""

from datetime import datetime, timedelta
from statistics import median

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.step4_network.answers_seen import last_failure
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.case_parts import Baseline, Vendor
from diagnostics.evidence.logs import NoteTrace, ScribeLog, ScribeRow
from diagnostics.explain import explain
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

_SKEW = timedelta(seconds=60)


def _token_in_use(trace: NoteTrace, log: ScribeLog | None, at: datetime) -> ScribeRow | None:
    """Return the token row whose token was used at an instant: the same fingerprint, else the last one before it."""
    sent = trace.last.sent if trace.last else None
    rows = {id(row): row for row in (log.rows if log else ())}
    issued = [row for row in rows.values() if row.event == "token" and row.at <= at and _came(row)]
    issued += [t.asked for t in trace.tokens if t.ok and t.at <= at and t.asked not in issued]
    if sent is not None and sent.token_id:
        same = [row for row in issued if row.token_id == sent.token_id]
        return max(same, key=lambda row: row.at) if same else None
    if sent is not None and sent.site:
        issued = [row for row in issued if row.site in (None, sent.site)] or issued
    return max(issued, key=lambda row: row.at, default=None)


def _came(row: ScribeRow) -> bool:
    return row.error is None and (row.status is None or 200 <= row.status < 300)


@check(
    id="auth.token.expired",
    step=Step.AUTHENTICATION,
    title="The access token was still valid when the note was sent",
    proves=causes.TOKEN_EXPIRED,
    checklist=("TOKEN.1",),
)
def token_was_live(trace: NoteTrace, log: ScribeLog | None, vendor: Vendor) -> Result:
    """An expired token makes every write fail with 401 until someone asks for a new one."""
    last = last_failure(trace)
    if last is None or last.what != "write" or last.status != 401 or last.at is None:
        return not_applicable("No write was answered with 401.")
    issued = _token_in_use(trace, log, last.at)
    lifetime = issued.expires_in if issued else None
    if issued is not None and lifetime is not None:
        ended = issued.at + timedelta(seconds=lifetime)
        if last.at > ended:
            sure = last.at > ended + _SKEW or last.answer.bearer_error == "invalid_token"
            return failed(
                f"The token had ended {_span(last.at - ended)} before the note was sent, and the EHR answered 401.",
                strength=Strength.DECISIVE if sure else Strength.STRONG,
                issued_at=issued.at, expires_in=lifetime, sent_at=last.at,
            )  # fmt: skip
        return passed("The token was still valid when the note was sent.", ended_at=ended, sent_at=last.at)
    if last.answer.bearer_error == "invalid_token":
        says = explain(last.answer.text, status=401, protocol="fhir").cause == causes.TOKEN_EXPIRED.id
        return failed(
            "The EHR says that the token is not valid; when it was issued is not recorded.",
            strength=Strength.STRONG if says else Strength.MODERATE, sent_at=last.at,
        )  # fmt: skip
    return unknown("When the token was issued is not recorded.", get="the scribe's token rows with their lifetime")


def _span(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    return f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"


@check(
    id="auth.token.cached_past_expiry",
    step=Step.AUTHENTICATION,
    title="The scribe drops a token when it ends",
    hints=causes.TOKEN_CACHED_PAST_EXPIRY,
    checklist=("TOKEN.1",),
)
def ended_tokens_are_dropped(log: ScribeLog) -> Result:
    """A token used again and again after its end is a fault of the scribe's cache, not of one request."""
    ends = {
        row.token_id: row.at + timedelta(seconds=row.expires_in)
        for row in log.rows
        if row.event == "token" and row.token_id and row.expires_in is not None
    }
    if not ends:
        return unknown("The log does not say which token was used when.", get="token fingerprints in the scribe's log")
    late = [r for r in log.rows if r.event == "sent" and r.token_id in ends and r.at > ends[r.token_id]]
    if len(late) >= 2:
        return failed(f"{len(late)} requests used a token after its end.", first=late[0].at, last=late[-1].at)
    return passed("No token was used twice after its end.", tokens=len(ends))


@check(
    id="auth.token.ttl_changed",
    step=Step.AUTHENTICATION,
    title="Tokens live as long as they used to",
    hints=causes.TOKEN_TTL_CHANGED,
    strength=Strength.MODERATE,
    checklist=("TOKEN.2",),
)
def lifetime_is_unchanged(
    baseline: Baseline, token: TokenAnswer | None, log: ScribeLog | None, trace: NoteTrace | None
) -> Result:
    """A vendor that shortens the lifetime breaks every scribe that had it written down as a fixed number."""
    known = baseline.facts.get("token")
    before = known.get("lifetime_s") if isinstance(known, dict) else None
    now = token.expires_in if token is not None and token.granted else None
    recorded = [
        row.expires_in for row in (log.rows if log else ()) if row.event == "token" and row.expires_in is not None
    ]
    if now is None and recorded:
        now = float(median(recorded[-50:]))
    if not isinstance(before, int | float) or isinstance(before, bool) or now is None:
        return unknown("The lifetime then or now is not known.", get="the token lifetime of an earlier good run")
    if abs(now - before) <= max(60.0, 0.2 * before):
        return passed("Tokens live as long as before.", before=before, now=now)
    last = last_failure(trace) if trace is not None else None
    says = f"Tokens lived {int(before)} seconds in the last good run and live {int(now)} seconds now."
    if now < before and last is not None and last.status == 401:
        return failed(says, before=before, now=now)
    return warned(says, before=before, now=now)
