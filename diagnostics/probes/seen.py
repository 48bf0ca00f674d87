"""Turn what the door kept into evidence: plain, bounded, and without any credential."""

from __future__ import annotations

from datetime import timedelta

from diagnostics.evidence.network import CertificateSeen, FaultSeen, HttpAnswer
from diagnostics.net import AlertDirection, Exchange, Fault
from diagnostics.parsing.certificate import Certificate, read_certificate
from diagnostics.parsing.http_dates import parse_http_date
from diagnostics.redaction import redact_text, secret_name

BODY_KEPT = 16 * 1024
_HEADERS_KEPT = frozenset(
    """
    age allow cache-control content-type date etag location proxy-authenticate retry-after server via www-authenticate
    x-amzn-requestid x-cache x-correlation-id x-request-id x-squid-error x-ratelimit-limit x-ratelimit-remaining
    ratelimit-limit ratelimit-remaining opc-request-id content-length proxy-status x-forwarded-for
    """.split()  # noqa: SIM905
)


def fault_seen(fault: Fault | None) -> FaultSeen | None:
    """Return the evidence form of a fault."""
    if fault is None:
        return None
    received = None if fault.alert_direction is None else fault.alert_direction is AlertDirection.RECEIVED
    return FaultSeen(
        kind=fault.kind.value,
        phase=fault.phase.value,
        says=fault.detail,
        errno=fault.errno,
        alert=fault.alert,
        alert_received=received,
        verify_code=fault.verify_code,
        proxy_status=fault.proxy_status,
    )


def http_answer(exchange: Exchange, *, keep_body: bool) -> HttpAnswer:
    """Return the evidence form of an exchange; a body is kept only where it tells about a failure."""
    headers = {
        name: value[:2000]
        for name, value in exchange.headers.items()
        if name in _HEADERS_KEPT or (name.startswith("x-") and not secret_name(name) and len(value) < 200)
    }
    return HttpAnswer(
        method=exchange.method,
        url=exchange.url,
        status=exchange.status,
        content_type=exchange.content_type,
        headers=headers,
        body=redact_text(exchange.text()[:BODY_KEPT]) if keep_body else "",
        fault=fault_seen(exchange.fault),
        via_proxy=exchange.via_proxy,
        certificate_requested=exchange.certificate_requested,
        sent_authorization="authorization" in exchange.request_headers,
        clock_offset_s=clock_offset(exchange),
        ms=exchange.timings.total,
    )


def clock_offset(exchange: Exchange) -> float | None:
    """Return the server's clock minus ours in seconds, or None where the answer may come from a cache.

    The Date header counts whole seconds and was written about when the first byte came.
    """
    date = parse_http_date(exchange.headers.get("date", ""))
    if date is None or exchange.headers.get("age", "0").strip() not in ("", "0"):
        return None
    if "hit" in exchange.headers.get("x-cache", "").lower():
        return None
    waited = exchange.timings.first_byte or 0.0
    before = exchange.timings.total - waited if exchange.timings.total > waited else 0.0
    answered_at = exchange.started_at + timedelta(milliseconds=before + waited / 2)
    return (date - answered_at).total_seconds() + 0.5


def certificate_seen(der: bytes) -> CertificateSeen | None:
    """Return the facts of one presented certificate, or None where it is damaged."""
    facts = read_certificate(der)
    return None if facts is None else _seen(facts)


def _seen(facts: Certificate) -> CertificateSeen:
    return CertificateSeen(
        subject=facts.subject,
        issuer=facts.issuer,
        names=facts.names,
        not_before=facts.not_before,
        not_after=facts.not_after,
        fingerprint=facts.fingerprint,
        spki_sha256=facts.spki_sha256,
        self_signed=facts.self_signed,
    )
