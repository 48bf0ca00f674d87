"""Name the address a note goes to, without what in it may be secret; pure."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from diagnostics.case import Case, Integration


def write_address(case: Case, kind: str) -> str:
    """Return the whole address of a create; it may hold a key in its query and is never shown."""
    integration = case.integration
    if integration.write_url:
        return integration.write_url
    return f"{(integration.fhir_base_url or '').rstrip('/')}/{kind}"


def listener(integration: Integration) -> str:
    """Return the address of the HL7 listener as logs write it."""
    hl7 = integration.hl7
    return f"{'mllps' if hl7.tls else 'mllp'}://{hl7.host}:{hl7.port}"


def bare(url: str) -> str:
    """Return an address without user information, query and fragment."""
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return ""
