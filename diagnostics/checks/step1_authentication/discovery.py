"""Judge where the EHR says that tokens are issued, and whether it can be asked at all."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.logged_words import closed_now
from diagnostics.checks.step1_authentication.refused_tokens import live_refusal, refusal
from diagnostics.evidence.auth import Discovery, DiscoveryDocument, TokenAnswer
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.fhir import Capability
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.network import DnsAnswer, TcpConnect, TlsHandshake
from diagnostics.findings import Result
from diagnostics.parsing.scopes import parse_scopes
from diagnostics.vocabulary import Step, Strength

_METHOD_OF_FLOW = {"backend-services": "private_key_jwt"}
# RFC 6749 errors that speak of the client, not of the place: a server that answers so is a token server.
_TOKEN_SERVER_SPEAKS = ("invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope")


def normalized(url: str) -> str:
    """Return a URL with scheme and host in lower case, without a default port or a trailing slash."""
    try:
        parts = urlsplit(url.strip())
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return url.strip()
    default = {"https": 443, "http": 80}.get(parts.scheme.lower())
    place = host if port in (None, default) else f"{host}:{port}"
    return f"{parts.scheme.lower()}://{place}{parts.path.rstrip('/')}" + (f"?{parts.query}" if parts.query else "")


@check(
    id="auth.discovery.unreachable",
    step=Step.AUTHENTICATION,
    title="The EHR publishes its sign-in configuration",
    hints=causes.DISCOVERY_UNREACHABLE,
    strength=Strength.MODERATE,
    checklist=("TOKEN.4",),
)
def discovery_is_served(
    discovery: Discovery, settings: Settings, capability: Capability | None, token: TokenAnswer | None
) -> Result:
    """A scribe that finds its token endpoint through discovery stands still when discovery does."""
    if discovery.documents:
        return passed("The sign-in configuration was read.", addresses=[each.url for each in discovery.documents])
    if not discovery.answers:
        return unknown("No address for discovery is configured.", get="the authorization server's address")
    seen = sorted({str(each.status or (each.fault.kind if each.fault else "")) for each in discovery.answers})
    facts: dict[str, Any] = {"answers": seen, "addresses": [each.url for each in discovery.answers]}
    if token is not None and token.granted:
        return warned("No sign-in configuration is published, but the configured token endpoint works.", **facts)
    needed = settings.integration.auth.token_url is None
    elsewhere = capability.statement.token_endpoint if capability is not None else None
    if elsewhere and not needed:
        return warned("Only the capability statement names the token endpoint.", token_endpoint=elsewhere, **facts)
    says = "None of the well-known addresses serves a sign-in configuration."
    return failed(says, strength=Strength.STRONG if needed else Strength.MODERATE, condemns=(discovery,), **facts)


@check(
    id="auth.discovery.token_endpoint_changed",
    step=Step.AUTHENTICATION,
    title="The configured token endpoint is the one the EHR announces",
    proves=causes.DISCOVERY_TOKEN_ENDPOINT_CHANGED,
    checklist=("TOKEN.4",),
)
def token_endpoint_is_announced(
    discovery: Discovery,
    settings: Settings,
    token: TokenAnswer | None,
    trace: NoteTrace | None,
    dns: tuple[DnsAnswer, ...] | None,
    tcp: tuple[TcpConnect, ...] | None,
    tls: tuple[TlsHandshake, ...] | None,
) -> Result:
    """Upgrades move authorization servers; a scribe that keeps the old address gets nothing there."""
    configured = settings.integration.auth.token_url
    announced = sorted({normalized(d.token_endpoint) for d in discovery.documents if d.token_endpoint})
    if configured is None:
        return not_applicable("The scribe takes the token endpoint from discovery.")
    if not announced:
        return unknown("Discovery names no token endpoint.", get="the EHR's sign-in configuration")
    facts: dict[str, Any] = {"configured": configured, "announced": announced}
    if normalized(configured) in announced:
        return passed("Discovery announces the configured token endpoint.", **facts)
    says = "The EHR announces another token endpoint than the configured one."
    if token is not None and token.granted:
        return warned(f"{says} The configured one still issues tokens.", **facts)
    live = live_refusal(token)
    if live is not None and live.error in _TOKEN_SERVER_SPEAKS:
        # Somebody there judges clients: an alias more likely than an address that was given up.
        return failed(says, strength=Strength.MODERATE, **facts)
    if token is None and not closed_now("token", dns, tcp, tls):
        # nothing was posted there, so that the configured one may be a valid alias
        if trace is not None and any(t.ok and _same_place(t.asked.url, configured) for t in trace.tokens):
            return warned(f"{says} The scribe got tokens at the configured one.", **facts)
        return failed(says, conclusive=False, **facts)
    return failed(says, condemns=(token,) if token is not None else (), **facts)


def _same_place(one: str | None, other: str) -> bool:
    return one is None or normalized(one) == normalized(other)


@check(
    id="auth.discovery.capability_missing",
    step=Step.AUTHENTICATION,
    title="The authorization server offers the sign-in method the scribe uses",
    hints=causes.DISCOVERY_CAPABILITY_MISSING,
    checklist=("TOKEN.4",),
)
def method_is_offered(
    discovery: Discovery, settings: Settings, token: TokenAnswer | None, trace: NoteTrace | None
) -> Result:
    """A method that is not listed may be refused with the same invalid_client as a wrong secret."""
    auth = settings.integration.auth
    method = _METHOD_OF_FLOW.get(auth.flow, auth.auth_method if auth.client_secret else "none")
    listed, lacking = _listed(discovery.documents), _lacking(discovery.documents, settings)
    if listed is None and not any(each.capabilities for each in discovery.documents):
        return unknown("Discovery does not list the sign-in methods; the list is optional.")
    known = listed is None or method in listed or (method == "none" and auth.flow == "provider-context")
    facts: dict[str, Any] = {"method": method, "listed": listed, "lacking": lacking}
    if known and not lacking:
        return passed("The method is offered.", **facts)
    says = "the sign-in method" if not known else " and ".join(lacking)
    refused = refusal(trace, token)
    errors = _REFUSES_THE_METHOD if not known or lacking == (_SIGNED,) else (*_REFUSES_THE_METHOD, "invalid_scope")
    if refused is None or refused.error not in errors:
        return warned(f"The EHR does not announce {says}, but does not refuse it either.", **facts)
    return failed(f"The EHR does not announce {says}, and refuses the token request ({refused.error}).", **facts)


_REFUSES_THE_METHOD = ("invalid_client", "unauthorized_client", "invalid_request")
_SIGNED, _FINE_SCOPES = "client-confidential-asymmetric", "permission-v2"


def _lacking(documents: Iterable[DiscoveryDocument], settings: Settings) -> tuple[str, ...]:
    """Return the SMART capabilities this integration needs and no document announces; none where none are listed."""
    announced = {each for document in documents for each in document.capabilities or ()}
    if not announced:
        return ()
    auth = settings.integration.auth
    needed = (_SIGNED,) if auth.flow == "backend-services" else ()
    if any(scope.version == 2 for scope in parse_scopes(auth.scopes)):
        needed = (*needed, _FINE_SCOPES)
    return tuple(each for each in needed if each not in announced)


def _listed(documents: Iterable[DiscoveryDocument]) -> tuple[str, ...] | None:
    return next((each.auth_methods for each in documents if each.auth_methods is not None), None)
