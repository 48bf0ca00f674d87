"""Keep each network act as a record that names what was asked, what came, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from diagnostics.net.connect import Attempt
from diagnostics.net.faults import Fault

_PLAIN_QUERY = frozenset({"_count", "_summary", "_format", "_elements", "_sort"})


def redacted_url(url: str) -> str:
    """Return `url` without user information and without query values, which may hold tokens or patients."""
    try:
        parts = urlsplit(url)
        netloc = parts.netloc.rpartition("@")[2]
        pairs = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        return "(unreadable address)"
    query = "&".join(f"{key}={value if key in _PLAIN_QUERY else '…'}" for key, value in pairs)
    return urlunsplit((parts.scheme, netloc, parts.path, query, ""))


@dataclass(frozen=True, slots=True)
class Timings:
    """Give the milliseconds of each phase; None where the act did not get that far."""

    dns: float | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class TcpAttempt:
    """Keep one connection attempt: where to, from where, and how every address answered."""

    host: str
    port: int
    address: str | None
    fault: Fault | None
    attempts: tuple[Attempt, ...] = ()
    timings: Timings = Timings()


@dataclass(frozen=True, slots=True)
class TlsSession:
    """Keep what a verifying and a reading handshake showed. `chain` is DER as presented, leaf first.

    `completed_by_issuer` is True when the chain verifies once the issuer that the leaf names was fetched:
    the server forgot an intermediate. None when that was not tried.
    """

    host: str
    port: int
    address: str | None
    verified: bool
    fault: Fault | None
    protocol: str | None = None
    cipher: str | None = None
    chain: tuple[bytes, ...] = field(default=(), repr=False)
    client_certificate_sent: bool = False
    certificate_requested: bool = False
    completed_by_issuer: bool | None = None
    private_trust: bool = False
    via_proxy: bool = False
    timings: Timings = Timings()


@dataclass(frozen=True, slots=True)
class Exchange:
    """Keep one HTTP exchange. `body` is decoded and capped; it may hold secrets and never leaves unredacted."""

    purpose: str
    method: str
    url: str
    started_at: datetime
    request_headers: tuple[str, ...] = ()
    request_content_type: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)
    truncated: bool = False
    address: str | None = None
    via_proxy: bool = False
    certificate_requested: bool = False
    fault: Fault | None = None
    timings: Timings = Timings()

    @property
    def answered(self) -> bool:
        """Tell whether a whole HTTP answer was read."""
        return self.status is not None and self.fault is None

    @property
    def ok(self) -> bool:
        """Tell whether the answer is a 2xx."""
        return self.answered and self.status is not None and 200 <= self.status < 300

    @property
    def content_type(self) -> str:
        """Return the media type in lower case without parameters."""
        return self.headers.get("content-type", "").split(";", 1)[0].strip().lower()

    def text(self) -> str:
        """Return the body as text; bytes that do not decode are replaced."""
        return self.body.decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class MllpExchange:
    """Keep one MLLP exchange: the framed answers as received and every deviation from the frame."""

    host: str
    port: int
    control_id: str
    started_at: datetime
    answers: tuple[bytes, ...] = field(default=(), repr=False)
    unframed: bytes = field(default=b"", repr=False)
    sent: bool = False
    fault: Fault | None = None
    address: str | None = None
    timings: Timings = Timings()

    @property
    def framing_deviates(self) -> bool:
        """Tell whether the peer answered with bytes outside the frame: it is not silent, it is misframed."""
        return bool(self.unframed.strip())
