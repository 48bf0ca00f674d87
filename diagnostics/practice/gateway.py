"""The gateway in front of the FHIR server: it answers by itself, in HTML, and signs with Via."""

from __future__ import annotations

from diagnostics.practice.http_server import Response, html_response
from diagnostics.practice.pages import plain_page
from diagnostics.practice.tenant import Tenant


def intercept(tenant: Tenant) -> Response | None:
    """Answer in the server's place where the gateway is set to; None lets the request through."""
    mode = tenant.behaviour.gateway
    if mode == "bad_gateway":
        return gateway_page(tenant, 502, "The service behind this gateway did not answer.")
    if mode == "unavailable":
        return gateway_page(tenant, 503, "The service is not available.")
    if mode == "throttle":
        response = gateway_page(tenant, 429, "Too many requests.")
        response.headers.append(("Retry-After", "30"))
        return response
    return None


def gateway_page(tenant: Tenant, status: int, text: str) -> Response:
    """Write the gateway's own error page."""
    name = tenant.texts.path("/edge").strip("/")
    return html_response(status, plain_page(tenant.texts, "Gateway", text), ("Via", f"1.1 {name}"), ("Server", name))
