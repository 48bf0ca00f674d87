"""Judge what devices in front of the EHR do to addresses: redirects, inner names, paths nobody serves."""

import re
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.step2_write_back.server_addresses import first_rewritten, plain_fhir
from diagnostics.checks.step4_network.answers_seen import SeenAnswer, condemned, live_answers
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.fhir import CanaryWrite, Capability, Metadata
from diagnostics.evidence.logs import NoteTrace, ProxyLog, ScribeLog
from diagnostics.explain import explain
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, read_answer
from diagnostics.parsing.fhir_addresses import reencoded, rewritten
from diagnostics.vocabulary import Step, Strength

_REDIRECTS = (301, 302, 303, 307, 308)
_TURNS_POST_INTO_GET = (301, 302, 303)
_SIGN_IN = re.compile(r"log-?in|sign-?in|sso\b|saml|authorize|\bidp\b|oauth2?\b|adfs", re.IGNORECASE)


@check(
    id="net.revproxy.rewrite",
    step=Step.NETWORK,
    title="Nothing in front of the EHR sends requests on or names inner addresses",
    hints=causes.REVPROXY_REWRITE,
    checklist=("NET.4",),
    applies=plain_fhir,
)
def addresses_pass_unchanged(settings: Settings, canary: CanaryWrite | None, capability: Capability | None,
                             trace: NoteTrace | None) -> Result:  # fmt: skip
    """A redirect turns a create into a read; an inner name leads every client that follows it to nowhere."""
    base = settings.integration.fhir_base_url or ""
    if canary is None and capability is None:
        return not_applicable("No answer of the server is at hand.")
    answer = canary.answer if canary is not None else None
    if answer is not None and answer.status in _REDIRECTS:
        where = answer.headers.get("location", "")
        return _redirected(answer.status, where, answer.url)
    told = first_rewritten([(answer.headers.get("location", ""), answer.url)], base) if answer is not None else None
    if told is not None and told.inner:
        return failed(f"The answer names an address of the inside: {told.named}.", named=told.named)
    own = capability.statement.implementation_url if capability is not None else None
    other = rewritten(own, base) if own else None
    if other is not None and other.inner:
        says = f"The server's statement names an address of the inside: {other.named}."
        lost = trace is not None and trace.last is not None and trace.last.status in (*_REDIRECTS, 404)
        if lost:
            return failed(says, strength=Strength.MODERATE, named=other.named)
        return warned(says, strength=Strength.WEAK, named=other.named)
    return passed("No answer was sent on, and none names an address of the inside.")


@check(
    id="net.revproxy.rewrite.log",
    step=Step.NETWORK,
    title="The note was neither sent on nor its address changed on the way",
    hints=causes.REVPROXY_REWRITE,
    checklist=("NET.4",),
    applies=plain_fhir,
)
def note_was_not_sent_on(trace: NoteTrace, settings: Settings, proxy: ProxyLog | None) -> Result:
    """A device that redirects, decodes or shortens an address makes a right request wrong before the EHR sees it."""
    last = trace.last
    if last is None:
        return not_applicable("Nothing was sent.")
    base = settings.integration.fhir_base_url or ""
    sent = last.url or base
    if last.status in _REDIRECTS and last.outcome != "accepted":
        return _redirected(last.status, last.headers.get("location", ""), sent)
    if last.outcome == "accepted":
        told = first_rewritten([(last.headers.get("location", ""), sent)], base)
        if told is not None and told.inner:
            return failed(f"The answer names an address of the inside: {told.named}.", named=told.named)
        return passed("The EHR took the note at the address it was sent to.", status=last.status)
    seen = next((row.url for row in (proxy.rows if proxy else ()) if row.url and reencoded(sent, row.url)), None)
    if seen is not None and last.status in (400, 404):
        return failed("A proxy changed the encoding of the address on the way.", status=last.status)
    return passed("The answer does not speak of a changed address.", status=last.status)


def _redirected(status: int | None, location: str, sent: str) -> Result:
    """Weigh a redirect: elsewhere on the same host it is a proxy's doing, a sign-in page is another matter."""
    target = urlsplit(location[:2000])
    if location and (_SIGN_IN.search(target.path) or _SIGN_IN.search(target.netloc)):
        return not_applicable("The request was sent on to a place to sign in.", status=status)
    same = not target.netloc or target.netloc.lower() == urlsplit(sent).netloc.lower()
    turned = " Status 301 or 302 turns a create into a read." if status in _TURNS_POST_INTO_GET else ""
    where = "another address of the same host" if same else (target.netloc or "another address")[:80]
    resource = same or bool(re.search(r"/[A-Z][A-Za-z]{2,60}/?$", target.path))
    return failed(
        f"The create was answered {status} and sent on to {where}.{turned}",
        strength=Strength.STRONG if resource else Strength.MODERATE,
        status=status,
        to=target.netloc[:80],
    )


@check(
    id="net.gateway.unrouted",
    step=Step.NETWORK,
    title="The gateway in front of the EHR knows the address the note is sent to",
    hints=causes.GATEWAY_UNROUTED,
    checklist=("WRITE.3", "NET.4"),
    applies=plain_fhir,
)
def gateway_knows_the_address(metadata: Metadata | None, canary: CanaryWrite | None, settings: Settings) -> Result:
    """A gateway without a route answers for the EHR, which never hears of the note."""
    for seen in live_answers(metadata=metadata, canary=canary):
        strength = _unrouted(seen)
        if strength is not None:
            return failed(
                f"A gateway answered {seen.status}: it knows no such address.",
                strength=strength,
                condemns=condemned([seen]),
                status=seen.status,
                what=seen.what,
            )
    if metadata is None and canary is None:
        return not_applicable("No answer of the server is at hand.")
    return passed("No gateway answered in the EHR's place.")


@check(
    id="net.gateway.unrouted.log",
    step=Step.NETWORK,
    title="The note was not turned away by a gateway without a route",
    hints=causes.GATEWAY_UNROUTED,
    checklist=("WRITE.3", "NET.4"),
)
def gateway_knew_the_address(trace: NoteTrace, log: ScribeLog | None) -> Result:
    """A gateway's own 404 says that path, version or practice are wrong, or that a deployment is under way."""
    last = trace.last
    if last is None or last.outcome != "rejected" or last.sent.method == "MLLP":
        return passed("No gateway refused the note.") if trace.attempts else not_applicable("Nothing was sent.")
    seen = SeenAnswer("write", last.url or "", read_answer(last.error, last.status, last.headers), last.status, last.at)
    strength = _unrouted(seen)
    if strength is None:
        return passed("The answer is not that of a gateway without a route.", status=last.status)
    worked = (
        any(r.url == last.url and r.status in (200, 201) and r.event == "acked" for r in log.rows) if log else False
    )
    says = f"A gateway answered {last.status}: it knows no such address."
    if worked:
        return failed(f"{says} The same address took notes at another time.", strength=Strength.MODERATE,
                      status=last.status)  # fmt: skip
    return failed(says, strength=strength, status=last.status)


def _unrouted(seen: SeenAnswer) -> Strength | None:
    """Return how surely an answer is that of a gateway without a route: 404 without a word of FHIR, in its own form."""
    answer = seen.answer
    if seen.status != 404 or answer.kind is AnswerKind.OPERATION_OUTCOME:
        return None
    found = explain(answer.text, status=seen.status, protocol="fhir", context=_server(answer.headers.get("server", "")))
    return Strength.STRONG if found.cause == causes.GATEWAY_UNROUTED.id else None


def _server(name: str) -> str:
    return f"behind {name[:60]}" if name else ""
