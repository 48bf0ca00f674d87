"""Judge what stands between scribe and EHR: forward proxies, filters, gateways and their limits."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.step4_network.answers_seen import (
    SeenAnswer,
    condemned,
    last_failure,
    live_answers,
    recorded_answers,
)
from diagnostics.evidence.auth import Discovery, TokenAnswer
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.fhir import CanaryWrite, Metadata, Reads
from diagnostics.evidence.logs import NoteTrace, ProxyLog, ScribeLog, ScribeRow
from diagnostics.evidence.network import TlsHandshake
from diagnostics.explain import explain
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, Emitter
from diagnostics.vendors.model import Surface
from diagnostics.vocabulary import FailureMode, Step, Strength

GATEWAY_STATUSES = (502, 503, 504)


def _tunnel(tls: Iterable[TlsHandshake], *statuses: int) -> list[TlsHandshake]:
    refused = [each for each in tls if each.fault is not None and each.fault.proxy_status is not None]
    return [e for e in refused if e.fault and (not statuses or e.fault.proxy_status in statuses)]


def _wants_proxy_credentials(each: SeenAnswer) -> bool:
    return each.status == 407 or "proxy-authenticate" in each.answer.headers


@check(
    id="net.proxy.407",
    step=Step.NETWORK,
    title="The proxy lets us through without asking for credentials",
    proves=causes.PROXY_407,
    checklist=("NET.4",),
)
def proxy_asks_no_credentials(
    tls: tuple[TlsHandshake, ...], metadata: Metadata | None, token: TokenAnswer | None, discovery: Discovery | None
) -> Result:
    """A proxy that began to ask for a password stops every integration behind it at once."""
    refused = _tunnel(tls, 407)
    answers = [e for e in live_answers(token, metadata, discovery=discovery) if _wants_proxy_credentials(e)]
    if not refused and not answers:
        return passed("No proxy asked for credentials.")
    where = refused[0].hop if refused else urlsplit(answers[0].url).netloc
    return failed(
        f"The proxy {where} asks for credentials (407).",
        condemns=(*refused, *condemned(answers)), proxy=where, status=407,
    )  # fmt: skip


@check(
    id="net.proxy.407.log",
    step=Step.NETWORK,
    title="The scribe's log shows no proxy that asked for credentials",
    proves=causes.PROXY_407,
    checklist=("NET.4",),
)
def proxy_asked_no_credentials(trace: NoteTrace, proxy: ProxyLog | None) -> Result:
    """What the proxy answered at the failure's instant outranks what it answers now."""
    seen = [each for each in recorded_answers(trace) if _wants_proxy_credentials(each)]
    rows = [row for row in (proxy.rows if proxy else ()) if row.status == 407]
    if seen:
        return failed("The proxy answered 407 to the scribe.", at=seen[-1].at, status=407)
    last = last_failure(trace)
    if last is not None and _said(last) == causes.PROXY_407.id:
        return failed("The scribe recorded that the proxy asked for credentials.", at=last.at)
    if rows:
        return failed("The proxy's log shows 407 for the scribe's request.", conclusive=False, at=rows[-1].at)
    return passed("No answer was 407.") if trace.attempts or trace.tokens else not_applicable("Nothing was sent.")


def _said(each: SeenAnswer) -> str | None:
    """Return the cause that the client's own words name where no HTTP answer was recorded."""
    return explain(each.answer.text, protocol="net").cause if each.status is None and each.answer.text else None


def _blocked(each: SeenAnswer) -> bool:
    """Tell whether a filter answered; an ordinary page counts only where the request went through a proxy."""
    if each.answer.kind is AnswerKind.HTML_BLOCK and each.status != 407:
        ordinary = each.answer.page is not None and each.answer.page.plain
        return not ordinary or each.via_proxy or each.source is None
    return each.status == 511 or ("x-squid-error" in each.answer.headers and each.status != 407)


@check(
    id="net.proxy.block_page",
    step=Step.NETWORK,
    title="No filter answers in the EHR's place",
    proves=causes.PROXY_BLOCK_PAGE,
    checklist=("NET.4",),
)
def no_block_page(
    tls: tuple[TlsHandshake, ...], metadata: Metadata | None, token: TokenAnswer | None, discovery: Discovery | None
) -> Result:
    """A filter's page comes with a friendly status and a form; the note went nowhere."""
    refused = [each for each in _tunnel(tls) if each.fault and each.fault.proxy_status not in (407, 502, 503, 504)]
    pages = [e for e in live_answers(token, metadata, discovery=discovery) if _blocked(e)]
    if not refused and not pages:
        return passed("Nothing answered in the EHR's place.")
    if refused:
        status = refused[0].fault.proxy_status if refused[0].fault else None
        says = f"The proxy {refused[0].hop} refuses to connect us to {refused[0].subject} (status {status})."
        return failed(says, condemns=(*refused, *condemned(pages)), proxy=refused[0].hop, status=status)
    first = pages[0]
    return failed(
        f"A filter's page answered instead of {urlsplit(first.url).netloc}.",
        condemns=condemned(pages), status=first.status, product=first.answer.page.product if first.answer.page else "",
    )  # fmt: skip


@check(
    id="net.proxy.block_page.log",
    step=Step.NETWORK,
    title="The scribe's log shows no filter's page in the EHR's place",
    proves=causes.PROXY_BLOCK_PAGE,
    checklist=("NET.4",),
)
def no_block_page_then(trace: NoteTrace, proxy: ProxyLog | None) -> Result:
    """A page recorded as the EHR's answer shows who really answered."""
    last = last_failure(trace)
    if last is not None and _blocked(last):
        page = last.answer.page
        ours = last.answer.emitter is not Emitter.GATEWAY
        return failed(
            "A filter's page was recorded as the EHR's answer.",
            strength=Strength.DECISIVE if ours else Strength.STRONG,
            status=last.status, product=page.product if page else "", at=last.at,
        )  # fmt: skip
    if last is not None and _said(last) == causes.PROXY_BLOCK_PAGE.id:
        return failed("The scribe recorded that the proxy did not let it through.", conclusive=False, at=last.at)
    denied = [r for r in (proxy.rows if proxy else ()) if r.status == 403 or "DENIED" in (r.result or "").upper()]
    if last is not None and denied and last.status is None:
        return failed("The proxy's log shows that it denied the scribe's request.", conclusive=False, at=denied[-1].at)
    return (
        passed("No filter's page was recorded.")
        if trace.attempts or trace.tokens
        else not_applicable("Nothing was sent.")
    )


def _unheard(each: SeenAnswer) -> bool:
    """Tell whether the server never saw the Authorization header: a Bearer challenge without error (RFC 6750 3.1)."""
    if each.status != 401 or not each.sent_authorization:
        return False
    bearer = [c for c in each.answer.challenges if c.scheme == "bearer"]
    return bool(bearer) and not any(c.params.get("error") for c in bearer)


def _passed_through(each: SeenAnswer) -> bool:
    headers = each.answer.headers
    return any(name in headers for name in ("via", "x-cache", "x-squid-error", "proxy-status", "x-forwarded-for"))


@check(
    id="net.proxy.auth_stripped",
    step=Step.NETWORK,
    title="The token reaches the EHR",
    proves=causes.PROXY_AUTH_STRIPPED,
    checklist=("NET.4",),
)
def token_arrives(token: TokenAnswer, reads: Reads, settings: Settings, canary: CanaryWrite | None) -> Result:
    """An inspecting proxy that drops the Authorization header makes a perfect token look like none."""
    lost = [each for each in live_answers(reads=reads, canary=canary) if _unheard(each)]
    if not lost:
        return passed("No answer spoke of a missing token.", answers=len(reads.results))
    between = settings.integration.proxy is not None or any(_passed_through(each) for each in lost)
    return failed(
        "A token issued a moment ago was sent, and the EHR answered as if none had come.",
        strength=Strength.DECISIVE if between and token.granted else Strength.STRONG,
        status=401, via=lost[0].answer.headers.get("via", ""), proxy_configured=settings.integration.proxy is not None,
    )  # fmt: skip


@check(
    id="net.proxy.auth_stripped.log",
    step=Step.NETWORK,
    title="The recorded answers show that the token reached the EHR",
    proves=causes.PROXY_AUTH_STRIPPED,
    checklist=("NET.4",),
)
def token_arrived(trace: NoteTrace, settings: Settings) -> Result:
    """RFC 6750 forbids an error code where no token came: that silence tells a lost header from a bad token."""
    last = last_failure(trace)
    if last is None or last.what != "write" or last.status != 401:
        return not_applicable("No write was answered with 401.")
    if settings.integration.auth.flow in ("none", "api-key"):
        return not_applicable("This integration sends no token.")
    if not _unheard(last):
        return passed("The answer shows that the EHR saw a token.", error=last.answer.bearer_error)
    before = [token for token in trace.tokens if last.at is None or token.at <= last.at]
    if before and not before[-1].ok:
        return passed("No token had been granted before the write, so none could get lost.", asked_at=before[-1].at)
    sure = _passed_through(last) or settings.integration.proxy is not None
    return failed(
        "The EHR answered 401 as if no token had come, although the scribe sends one.",
        strength=Strength.DECISIVE if sure else Strength.STRONG, via=last.answer.headers.get("via", ""), at=last.at,
    )  # fmt: skip


def _limited(each: SeenAnswer, vendor: Vendor) -> bool:
    if each.status == 429 or "throttled" in each.answer.issue_codes:
        return True
    for code in each.answer.vendor_codes:
        known = vendor.profile.code(Surface.FHIR, code)
        if known is not None and known.cause == "net.rate.limited":
            return True
    return False


def _wait(each: SeenAnswer, vendor: Vendor) -> str:
    """Say how long to wait by this EHR's own rule; a daily limit is no burst."""
    daily = bool(set(each.answer.vendor_codes) & set(vendor.profile.daily_limit_codes))
    wait: str = vendor.profile.rate.wait(each.at, each.answer.headers.get("retry-after", ""), daily=daily)
    return wait


@check(
    id="net.rate.limited",
    step=Step.NETWORK,
    title="The EHR does not limit our requests",
    proves=causes.RATE_LIMITED,
    checklist=("NET.7",),
)
def requests_are_not_limited(
    vendor: Vendor, metadata: Metadata, token: TokenAnswer | None, reads: Reads | None
) -> Result:
    """Over its limit an EHR refuses good notes; resending them at once makes it worse."""
    limited = [each for each in live_answers(token, metadata, reads) if _limited(each, vendor)]
    if not limited:
        return passed("No answer spoke of a limit.")
    return failed(
        f"The EHR says that too many requests come (429). {_wait(limited[0], vendor)}",
        condemns=condemned(limited), status=limited[0].status,
        retry_after=limited[0].answer.headers.get("retry-after", ""),
    )  # fmt: skip


def _busiest_minute(rows: Iterable[ScribeRow]) -> int:
    minutes: dict[int, int] = {}
    for row in rows:
        if row.event in ("sent", "token"):
            minute = int(row.at.timestamp() // 60)
            minutes[minute] = minutes.get(minute, 0) + 1
    return max(minutes.values(), default=0)


@check(
    id="net.rate.limited.log",
    step=Step.NETWORK,
    title="The EHR did not limit the scribe's requests",
    proves=causes.RATE_LIMITED,
    checklist=("NET.7",),
)
def requests_were_not_limited(trace: NoteTrace, vendor: Vendor, settings: Settings, log: ScribeLog | None) -> Result:
    """The answer to the note itself says best whether it fell to a limit."""
    last = last_failure(trace)
    limit = settings.integration.rate_limit_per_minute or vendor.profile.rate.per_minute
    busiest = _busiest_minute(log.rows if log else ())
    if last is not None and _limited(last, vendor):
        return failed(
            f"The EHR refused the request because too many came. {_wait(last, vendor)}",
            status=last.status, retry_after=last.answer.headers.get("retry-after", ""), busiest_minute=busiest,
            limit=limit, at=last.at,
        )  # fmt: skip
    if limit and busiest > limit:
        return warned(f"The scribe sent {busiest} requests in one minute; the limit is {limit}.", limit=limit)
    if trace.attempts or trace.tokens:
        return passed("No answer spoke of a limit.", busiest_minute=busiest, limit=limit)
    return not_applicable("Nothing was sent.")


@check(
    id="net.timeout.gateway",
    step=Step.NETWORK,
    title="No gateway answers in place of the EHR",
    proves=causes.TIMEOUT_GATEWAY,
    strength=Strength.MODERATE,
)
def gateway_reaches_the_ehr(metadata: Metadata, token: TokenAnswer | None, reads: Reads | None) -> Result:
    """A gateway's 502, 503 or 504 says that the EHR behind it was not reached in time."""
    answers = live_answers(token, metadata, reads)
    bad = [e for e in answers if e.status in GATEWAY_STATUSES and e.answer.kind is not AnswerKind.OPERATION_OUTCOME]
    if not bad:
        return passed("No gateway answered in the EHR's place.", answers=len(answers))
    return failed(
        f"A gateway answered {bad[0].status} instead of the EHR.",
        condemns=condemned(bad), status=bad[0].status, via=bad[0].answer.headers.get("via", ""),
    )  # fmt: skip


@check(
    id="net.timeout.gateway.log",
    step=Step.NETWORK,
    title="The scribe's request was answered by the EHR in time",
    proves=causes.TIMEOUT_GATEWAY,
    strength=Strength.MODERATE,
)
def ehr_answered_in_time(trace: NoteTrace) -> Result:
    """After a gateway's timeout nobody knows whether the note arrived: it is read back before it is sent again."""
    late = [a for a in trace.attempts if a.status in GATEWAY_STATUSES or a.outcome == "lost"]
    if not late:
        return passed("Every request was answered.") if trace.attempts else not_applicable("Nothing was sent.")
    last = late[-1]
    if trace.last is not last and trace.failure_mode is not FailureMode.DELIVERED:
        return passed("A later request was answered.", at=last.at)
    answer = next((e for e in recorded_answers(trace) if e.at == last.at), None)
    if last.status in GATEWAY_STATUSES:
        if answer and answer.answer.kind is AnswerKind.OPERATION_OUTCOME:
            return passed("The server error came from the EHR itself, not from a gateway.", status=last.status)
        emitter = answer.answer.emitter if answer else Emitter.UNKNOWN
        strength = Strength.MODERATE if emitter is Emitter.GATEWAY else Strength.WEAK
        return failed(
            f"A gateway answered {last.status} before the EHR did; whether the note arrived must be read back.",
            strength=max(strength, Strength.MODERATE), status=last.status, emitter=emitter.value, at=last.at,
        )  # fmt: skip
    return failed("The scribe sent the note and no answer came back in time.", at=last.at, latency_ms=last.answer
                  and last.answer.latency_ms)  # fmt: skip
