"""Name what went wrong on the network as data: a refused connection is evidence, not an exception."""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass
from enum import StrEnum


class FaultKind(StrEnum):
    """List the ways a network act can end without an answer."""

    DNS = "dns"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    TIMEOUT_CONNECT = "timeout_connect"
    TIMEOUT_FIRST_BYTE = "timeout_first_byte"
    TIMEOUT_TOTAL = "timeout_total"
    RESET = "reset"
    TLS = "tls"
    TOO_LARGE = "too_large"
    PROTOCOL = "protocol"
    PROXY = "proxy"
    POLICY = "policy"


class Phase(StrEnum):
    """Name the layer at which an act was when it ended; upstream first."""

    POLICY = "policy"
    DNS = "dns"
    TCP = "tcp"
    PROXY = "proxy"
    TLS = "tls"
    SENDING = "sending"
    WAITING = "waiting"
    READING = "reading"


class AlertDirection(StrEnum):
    """Say who refused whom in TLS: an alert received rejects us, one sent rejects the peer."""

    RECEIVED = "received"
    SENT = "sent"


@dataclass(frozen=True, slots=True)
class Fault:
    """Describe one failed network act. `detail` holds no payload, no secret and no query string."""

    kind: FaultKind
    phase: Phase
    detail: str
    errno: int | None = None
    dns_outcome: str | None = None
    alert: int | None = None
    alert_direction: AlertDirection | None = None
    verify_code: int | None = None
    proxy_status: int | None = None

    @property
    def request_may_have_arrived(self) -> bool:
        """Tell whether the peer may have acted on the request although no answer came."""
        return self.phase in (Phase.SENDING, Phase.WAITING, Phase.READING)


class NetworkFault(Exception):
    """Carry a Fault through the layers of net/; the door turns it into data and never lets it out."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.detail)
        self.fault = fault


# OpenSSL names a received alert in its error's reason (RFC 8446 section 6 gives the numbers).
_ALERTS: dict[str, int] = {
    "UNEXPECTED_MESSAGE": 10,
    "BAD_RECORD_MAC": 20,
    "RECORD_OVERFLOW": 22,
    "HANDSHAKE_FAILURE": 40,
    "NO_CERTIFICATE": 41,
    "BAD_CERTIFICATE": 42,
    "UNSUPPORTED_CERTIFICATE": 43,
    "CERTIFICATE_REVOKED": 44,
    "CERTIFICATE_EXPIRED": 45,
    "CERTIFICATE_UNKNOWN": 46,
    "ILLEGAL_PARAMETER": 47,
    "UNKNOWN_CA": 48,
    "ACCESS_DENIED": 49,
    "DECODE_ERROR": 50,
    "DECRYPT_ERROR": 51,
    "PROTOCOL_VERSION": 70,
    "INSUFFICIENT_SECURITY": 71,
    "INTERNAL_ERROR": 80,
    "INAPPROPRIATE_FALLBACK": 86,
    "USER_CANCELLED": 90,
    "NO_RENEGOTIATION": 100,
    "MISSING_EXTENSION": 109,
    "UNSUPPORTED_EXTENSION": 110,
    "UNRECOGNIZED_NAME": 112,
    "CERTIFICATE_REQUIRED": 116,
    "NO_APPLICATION_PROTOCOL": 120,
}
# Reasons for which our own side stops, with the alert it sends.
_OWN_REFUSALS: dict[str, int] = {
    "UNSUPPORTED_PROTOCOL": 70,
    "WRONG_SSL_VERSION": 70,
    "NO_PROTOCOLS_AVAILABLE": 70,
    "DH_KEY_TOO_SMALL": 40,
    "EE_KEY_TOO_SMALL": 40,
    "NO_SHARED_CIPHER": 40,
}


def _received_alert(reason: str) -> int | None:
    for prefix in ("TLSV13_ALERT_", "TLSV1_ALERT_", "SSLV3_ALERT_", "TLSV1_"):
        if reason.startswith(prefix):
            return _ALERTS.get(reason.removeprefix(prefix))
    return None


def fault_of(error: BaseException, phase: Phase) -> Fault:
    """Translate an exception of the socket or TLS layer into a Fault at `phase`."""
    if isinstance(error, NetworkFault):
        return error.fault
    if isinstance(error, ssl.SSLCertVerificationError):
        return Fault(
            FaultKind.TLS,
            Phase.TLS,
            error.verify_message or "certificate verification failed",
            alert_direction=AlertDirection.SENT,
            verify_code=error.verify_code,
        )
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Fault(FaultKind.RESET, phase, "the peer closed the TLS connection")
    if isinstance(error, ssl.SSLError):
        return _tls_fault(error)
    if isinstance(error, TimeoutError):
        kind = FaultKind.TIMEOUT_CONNECT if phase in (Phase.TCP, Phase.TLS) else FaultKind.TIMEOUT_TOTAL
        return Fault(kind, phase, "no answer in time", errno=error.errno)
    if isinstance(error, ConnectionRefusedError):
        return Fault(FaultKind.REFUSED, phase, "connection refused", errno=error.errno)
    if isinstance(error, ConnectionError):
        return Fault(FaultKind.RESET, phase, "connection reset by the peer", errno=error.errno)
    if isinstance(error, OSError):
        if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EACCES, errno.EPERM):
            return Fault(FaultKind.UNREACHABLE, phase, "no route to the host", errno=error.errno)
        return Fault(FaultKind.RESET, phase, f"socket error {error.errno}", errno=error.errno)
    return Fault(FaultKind.PROTOCOL, phase, f"the answer is not understood ({type(error).__name__})")


def _tls_fault(error: ssl.SSLError) -> Fault:
    reason = error.reason or ""
    words = reason.replace("_", " ").lower() or "TLS failed"
    alert = _received_alert(reason)
    if alert is not None:
        return Fault(FaultKind.TLS, Phase.TLS, words, alert=alert, alert_direction=AlertDirection.RECEIVED)
    own = _OWN_REFUSALS.get(reason)
    direction = AlertDirection.SENT if own is not None else None
    return Fault(FaultKind.TLS, Phase.TLS, words, alert=own, alert_direction=direction)
