"""Judge the life of a token: expiry before use, and a lifetime that changed."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.logged_words import closed_now, weight_of, words_of
from diagnostics.checks.step4_network.answers_seen import last_failure
from diagnostics.checks.tokens_used import came, ends_at, requests, token_of
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.case_parts import Baseline
from diagnostics.evidence.logs import AuditTrail, NoteTrace, ScribeLog, ScribeRow
from diagnostics.evidence.network import DnsAnswer, TcpConnect, TlsHandshake
from diagnostics.findings import Result
from diagnostics.vocabulary import Certainty, Step, Strength

_SKEW = timedelta(seconds=60)
_DAY = timedelta(hours=24)


@check(
    id="auth.token.expired",
    step=Step.AUTHENTICATION,
    title="The access token was still valid when the note was sent",
    proves=causes.TOKEN_EXPIRED,
    checklist=("TOKEN.1",),
)
def token_was_live(
    trace: NoteTrace,
    log: ScribeLog | None,
    dns: tuple[DnsAnswer, ...] | None,
    tcp: tuple[TcpConnect, ...] | None,
    tls: tuple[TlsHandshake, ...] | None,
) -> Result:
    """An expired token makes every write fail with 401 until someone asks for a new one."""
    last = last_failure(trace)
    if last is None or last.what != "write" or last.at is None or last.status is None:
        return not_applicable("No write was answered with 401.")
    said = words_of(last.answer, last.status)
    named = said.cause == causes.TOKEN_EXPIRED.id and said.certainty is not Certainty.POSSIBLE
    if last.status != 401 and not (named and last.status in _MEANT_401):
        return not_applicable("No write was answered with 401.")
    issued = token_of(trace.last, trace, log)
    ended = ends_at(issued)
    now = closed_now("fhir", dns, tcp, tls)
    if issued is not None and ended is not None:
        facts: dict[str, Any] = {"issued_at": issued.at, "expires_in": issued.expires_in, "sent_at": last.at}
        if last.at > ended:
            sure = last.at > ended + _SKEW or last.answer.bearer_error == "invalid_token" or named
            return failed(
                f"The token had ended {_span(last.at - ended)} before the note was sent, and the EHR answered "
                f"{last.status}.",
                strength=Strength.DECISIVE if sure else Strength.STRONG, **facts,
            )  # fmt: skip
        if named:
            return failed(
                f"The EHR says that the token had expired, although it had {_span(ended - last.at)} left by its own "
                f"answer: the clocks differ, or the lifetime it was given with is not kept.{now}",
                strength=Strength.MODERATE, **facts,
            )  # fmt: skip
        return passed("The token was still valid when the note was sent.", ended_at=ended, sent_at=last.at)
    if named or said.cause == causes.TOKEN_EXPIRED.id:
        says = "had expired" if named else "is not valid any more"
        return failed(
            f"The EHR's answer says that the token {says}; when it was issued is not recorded.{now}",
            strength=weight_of(said), sent_at=last.at,
        )  # fmt: skip
    return unknown("When the token was issued is not recorded.", get="the scribe's token rows with their lifetime")


# some servers answer so for an expired token as well (domain.md trap 6 and section 3.3)
_MEANT_401 = (400, 403, 422, 500)


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
    ends: dict[str, datetime] = {}
    for row in log.rows:
        end = ends_at(row) if row.event == "token" and came(row) else None
        if row.token_id and end is not None:
            ends[row.token_id] = max(end, ends.get(row.token_id, end))
    if not ends:
        return unknown("The log does not say which token was used when.", get="token fingerprints in the scribe's log")
    late: dict[str, list[ScribeRow]] = {}
    for row in log.rows:
        if row.event == "sent" and row.token_id in ends and row.at > ends[row.token_id]:
            late.setdefault(row.token_id, []).append(row)
    used = max(late.values(), key=len, default=[])
    if len(used) >= 2:
        return failed(f"{len(used)} requests used one token after its end.", first=used[0].at, last=used[-1].at)
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
    baseline: Baseline | None,
    token: TokenAnswer | None,
    log: ScribeLog | None,
    trace: NoteTrace | None,
    trail: AuditTrail | None,
) -> Result:
    """A vendor that shortens the lifetime breaks every scribe that had it written down as a fixed number."""
    recorded = [t.asked for t in requests(log, trace) if t.ok and t.asked.expires_in is not None]
    until = trace.first_failure_at if trace is not None else None
    recent = _of_the_last_day(recorded, until)
    change = _last_change(trail, until)
    before = _baseline_lifetime(baseline)
    if before is None:
        # without a good run, what the log holds of the time before the day (or before the EHR's change) serves
        since = change if change is not None else (recent[0].at if recent else None)
        earlier = [row for row in recorded if since is not None and row.at < since]
        before = _median(earlier) if len(earlier) >= 3 else None
    if change is not None and any(row.at >= change for row in recent):
        recent = [row for row in recent if row.at >= change]
    now = _median(recent) if recent else (token.expires_in if token is not None and token.granted else None)
    if before is None or now is None:
        return unknown("The lifetime then or now is not known.", get="the token lifetime of an earlier good run")
    facts: dict[str, Any] = {"before": before, "now": now, "issued": len(recent)}
    if abs(now - before) <= max(60.0, 0.2 * before):
        return passed("Tokens live as long as before.", **facts)
    last = last_failure(trace) if trace is not None else None
    says = f"Tokens lived {int(before)} seconds before and live {int(now)} seconds now."
    if now < before and last is not None and last.what == "write" and last.status == 401:
        if change is not None:
            return failed(f"{says} The EHR recorded a change in between.", conclusive=False, changed_at=change, **facts)
        return failed(says, **facts)
    return warned(says, **facts)


def _baseline_lifetime(baseline: Baseline | None) -> float | None:
    known = baseline.facts.get("token") if baseline is not None else None
    value = known.get("lifetime_s") if isinstance(known, Mapping) else None
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value > 0 else None


def _of_the_last_day(rows: list[ScribeRow], until: datetime | None) -> list[ScribeRow]:
    """Return the rows of the day before an instant that asked where the last of them did: grants may differ."""
    rows = [row for row in rows if until is None or row.at <= until]
    end = until or (rows[-1].at if rows else None)
    return [row for row in rows if end is not None and end - row.at <= _DAY and row.url in (None, rows[-1].url)]


def _median(rows: list[ScribeRow]) -> float | None:
    return float(median(row.expires_in for row in rows if row.expires_in is not None)) if rows else None


def _last_change(trail: AuditTrail | None, until: datetime | None) -> datetime | None:
    """Return when the EHR last recorded an upgrade or a change of credentials or endpoints."""
    kinds = ("upgrade", "credential", "endpoint")
    for row in reversed(trail.rows if trail is not None else ()):
        if row.event == "change" and (row.change or {}).get("kind") in kinds and (until is None or row.at <= until):
            return row.at
    return None
