"""Judge what stands between scribe and EHR: forward proxies, filters, and devices that open what passes them."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.logged_words import explained
from diagnostics.checks.step4_network.answers_seen import (
    SeenAnswer,
    condemned,
    last_failure,
    live_answers,
    recorded_answers,
)
from diagnostics.checks.step4_network.flows import NEAR, place_of
from diagnostics.evidence.auth import Discovery, TokenAnswer
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.fhir import CanaryWrite, Metadata, Reads
from diagnostics.evidence.logs import NoteTrace, ProxyLog, ProxyRow, TokenAttempt
from diagnostics.evidence.network import TlsHandshake
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, Emitter
from diagnostics.vocabulary import Certainty, Step, Strength


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
    last = last_failure(trace)
    if last is not None and _wants_proxy_credentials(last):
        return failed("The proxy answered 407 to the scribe.", at=last.at, status=407)
    if last is not None and _said(last) == causes.PROXY_407.id:
        return failed("The scribe recorded that the proxy asked for credentials.", at=last.at)
    rows = [row for row in _about(proxy, last) if row.status == 407]
    if rows:
        return failed("The proxy's log shows 407 for the scribe's request.", conclusive=False, at=rows[-1].at)
    earlier = [each for each in recorded_answers(trace) if _wants_proxy_credentials(each)]
    if earlier:
        return warned("The proxy asked for credentials once; a later attempt got past it.", at=earlier[-1].at)
    return passed("No answer was 407.") if trace.attempts or trace.tokens else not_applicable("Nothing was sent.")


def _about(proxy: ProxyLog | None, last: SeenAnswer | None) -> list[ProxyRow]:
    """Return the proxy's rows about the request that failed last and had no answer: its host, and its minutes."""
    place = place_of(last.url) if last is not None and last.status is None else None
    if proxy is None or last is None or last.at is None or place is None:
        return []
    near = [row for row in proxy.rows if abs(row.at - last.at) <= NEAR]
    return [row for row in near if _host_of(row.url) in (None, place[0])]


def _host_of(url: str | None) -> str | None:
    """Return the host of a proxy's row; a tunnel is logged as `host:port`."""
    if not url:
        return None
    place = place_of(url if "://" in url else f"https://{url}")
    return place[0] if place else None


def _said(each: SeenAnswer) -> str | None:
    """Return the cause that the client's own words name where no HTTP answer was recorded."""
    return explained(each.answer.text, protocol="net").cause if each.status is None and each.answer.text else None


def _blocked(each: SeenAnswer) -> bool:
    """Tell whether a filter answered; an ordinary page counts only where the request went through a proxy."""
    redirected = each.status is not None and 300 <= each.status < 400
    if each.answer.kind is AnswerKind.HTML_BLOCK and each.status != 407:
        page = each.answer.page
        ordinary = page is not None and (page.plain or (redirected and (page.in_front_of_server or not page.product)))
        return not ordinary or each.via_proxy or (each.source is None and not redirected)
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
    if last is not None and last.status == 403 and _filters_words(last):
        return failed("The refusal is in the words of a filter, not of the EHR.", conclusive=False, at=last.at)
    denied = [r for r in _about(proxy, last) if r.status == 403 or "DENIED" in (r.result or "").upper()]
    if denied:
        return failed("The proxy's log shows that it denied the scribe's request.", conclusive=False, at=denied[-1].at)
    return (
        passed("No filter's page was recorded.")
        if trace.attempts or trace.tokens
        else not_applicable("Nothing was sent.")
    )


def _filters_words(each: SeenAnswer) -> bool:
    """Tell whether a bare text, and no answer in the EHR's own form, reads like a filter's or a firewall's."""
    if each.answer.kind is not AnswerKind.TEXT or not each.answer.text:
        return False
    found = explained(each.answer.text, status=each.status)
    return found.cause == causes.PROXY_BLOCK_PAGE.id and found.certainty is not Certainty.POSSIBLE


def _unheard(each: SeenAnswer) -> bool:
    """Tell whether the server never saw the Authorization header: a Bearer challenge without error (RFC 6750 3.1)."""
    if each.status != 401 or not each.sent_authorization:
        return False
    bearer = [c for c in each.answer.challenges if c.scheme == "bearer"]
    return bool(bearer) and not any(c.params.get("error") for c in bearer)


def _outlived(token: TokenAttempt, last: SeenAnswer) -> bool:
    """Tell whether a token's life was over when it was sent."""
    life = token.asked.expires_in
    return life is not None and last.at is not None and (last.at - token.at).total_seconds() >= life


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
    said = explained(last.answer.text, status=401, context="authorization was sent") if last.answer.text else None
    told = said is not None and said.cause == causes.PROXY_AUTH_STRIPPED.id and said.certainty is Certainty.LIKELY
    if not _unheard(last) and not told:
        return passed("The answer does not say that the token was missing.", error=last.answer.bearer_error)
    before = [token for token in trace.tokens if last.at is None or token.at <= last.at]
    if before and not before[-1].ok:
        return passed("No token had been granted before the write, so none could get lost.", asked_at=before[-1].at)
    if before and _outlived(before[-1], last):
        return passed("The token had reached its end; some servers give no reason then.", granted_at=before[-1].at)
    sure = _passed_through(last) or settings.integration.proxy is not None
    return failed(
        "The EHR answered 401 as if no token had come, although the scribe sends one.",
        strength=Strength.DECISIVE if sure else Strength.STRONG, via=last.answer.headers.get("via", ""), at=last.at,
    )  # fmt: skip
