"""Judge where the EHR says that tokens are issued, and whether it can be asked at all."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.step1_authentication.refused_tokens import live_refusal, refusal
from diagnostics.evidence.auth import Discovery, DiscoveryDocument, TokenAnswer
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.fhir import Capability
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
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
    discovery: Discovery, settings: Settings, token: TokenAnswer | None, trace: NoteTrace | None
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
    return failed(says, condemns=(token,) if token is not None else (), **facts)


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
    listed = _listed(discovery.documents)
    if listed is None:
        return unknown("Discovery does not list the sign-in methods; the list is optional.")
    if method in listed or (method == "none" and auth.flow == "provider-context"):
        return passed("The method is offered.", method=method, listed=listed)
    refused = refusal(trace, token)
    if refused is None or refused.error not in ("invalid_client", "unauthorized_client", "invalid_request"):
        return warned("The method is not listed, but it is not refused either.", method=method, listed=listed)
    return failed("The scribe signs in by a method that the server does not offer.", method=method, listed=listed)


def _listed(documents: Iterable[DiscoveryDocument]) -> tuple[str, ...] | None:
    return next((each.auth_methods for each in documents if each.auth_methods is not None), None)
