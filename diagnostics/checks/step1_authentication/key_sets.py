"""Judge whether the EHR can fetch the client's key set."""

from typing import Any
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.case import Case
from diagnostics.check import blocked, check, failed, passed, unknown, warned
from diagnostics.checks.step1_authentication.refused_tokens import proof_was_taken
from diagnostics.evidence.auth import ClientKeySet, TokenAnswer
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.network import DnsAnswer, TcpConnect, TlsHandshake
from diagnostics.findings import Result
from diagnostics.vocabulary import Step


def _has_key_set(case: Case) -> bool:
    return case.integration.auth.flow == "backend-services" and case.integration.auth.jwks_url is not None


@check(
    id="auth.jwks.unreachable",
    step=Step.AUTHENTICATION,
    title="The client's key set can be fetched by anybody",
    proves=causes.JWKS_UNREACHABLE,
    checklist=("TOKEN.5",),
    applies=_has_key_set,
)
def key_set_is_public(
    settings: Settings,
    keys: ClientKeySet | None,
    dns: tuple[DnsAnswer, ...] | None,
    tcp: tuple[TcpConnect, ...] | None,
    tls: tuple[TlsHandshake, ...] | None,
    token: TokenAnswer | None,
    trace: NoteTrace | None,
) -> Result:
    """The EHR fetches the key set for every sign-in; a page, a redirect or a bad certificate there means no token."""
    ours = _closed_before_the_host(dns or (), tcp or (), tls or ())
    if ours is not None:
        return blocked("Our own proxy is in the way; the EHR may have another.", behind=ours)
    closed = _closed_way(dns or (), tcp or (), tls or ())
    if closed is not None:
        evidence, says = closed
        return _judged(says, (evidence,), trace, token, address=settings.integration.auth.jwks_url)
    if keys is None:
        return unknown("The key set was not fetched.", get="the client's key set, fetched from outside")
    if keys.readable and keys.keys:
        return passed("The key set was fetched.", keys=[key.kid for key in keys.keys])
    answer = keys.answer
    facts = {"status": answer.status, "content_type": answer.content_type}
    if keys.readable:
        return _judged("The key set is empty.", (keys,), trace, token, **facts)
    if answer.fault is not None:
        return _judged(f"The key set cannot be fetched: {answer.fault.says}.", (keys,), trace, token, **facts)
    if answer.status is not None and 300 <= answer.status < 400:
        place = urlsplit(answer.headers.get("location", "")).netloc or "another address"
        return _judged(f"The key set's address redirects to {place}.", (keys,), trace, token, **facts)
    if not answer.ok:
        return _judged(f"The key set's address answers {answer.status}.", (keys,), trace, token, **facts)
    return _judged(f"What is served is no key set: {keys.problem}.", (keys,), trace, token, **facts)


def _judged(
    says: str,
    evidence: tuple[Evidence, ...],
    trace: NoteTrace | None,
    token: TokenAnswer | None,
    **facts: object,
) -> Result:
    if proof_was_taken(trace, token):
        return warned(
            f"{says} The token endpoint takes our assertions all the same: the EHR may hold a copy.", **_any(facts)
        )
    refused = (token,) if token is not None and not token.granted else ()
    return failed(says, condemns=(*evidence, *refused), **_any(facts))


def _any(facts: dict[str, object]) -> dict[str, Any]:
    return dict(facts)


def _closed_before_the_host(
    dns: tuple[DnsAnswer, ...], tcp: tuple[TcpConnect, ...], tls: tuple[TlsHandshake, ...]
) -> Evidence | None:
    """Give what shows that the proxy, not the key set's host, stopped us: that says nothing of the EHR's own way."""
    for each in (*dns, *tcp):
        if "jwks" in each.roles and each.hop and not each.opens:
            return each
    for handshake in tls:
        if "jwks" in handshake.roles and handshake.fault is not None and handshake.fault.phase == "proxy":
            return handshake
    return None


def _closed_way(
    dns: tuple[DnsAnswer, ...], tcp: tuple[TcpConnect, ...], tls: tuple[TlsHandshake, ...]
) -> tuple[Evidence, str] | None:
    for name in dns:
        if "jwks" in name.roles and not name.opens:
            return name, f"The key set's host {name.host} has no address ({name.outcome})."
    for connection in tcp:
        if "jwks" in connection.roles and connection.fault is not None:
            return connection, f"The key set's host {connection.host} cannot be connected to: {connection.fault.says}."
    for handshake in tls:
        if "jwks" in handshake.roles and handshake.fault is not None:
            return handshake, f"The key set's host {handshake.host} fails in TLS: {handshake.fault.says}."
    return None
