"""Hold what the network showed: names, connections, TLS, and the same seen from other segments.

All of it speaks of now; `subject` is the endpoint's `host:port`. Behind a forward proxy the first hop is the proxy:
`hop` names who was really resolved and connected to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from diagnostics.evidence.base import Evidence
from diagnostics.vocabulary import Instant


@dataclass(frozen=True)
class FaultSeen:
    """Say how a network act ended without an answer; kinds and phases are those of `diagnostics.net`.

    `alert_received` is True where the peer rejected us, False where we rejected the peer (TLS alerts, RFC 8446).
    """

    kind: str  # dns refused unreachable timeout_connect timeout_first_byte timeout_total reset tls too_large protocol
    phase: str  # policy dns tcp proxy tls sending waiting reading
    says: str = ""
    errno: int | None = None
    alert: int | None = None
    alert_received: bool | None = None
    verify_code: int | None = None
    proxy_status: int | None = None


@dataclass(frozen=True)
class HttpAnswer:
    """Be one HTTP exchange without its secrets: where, what came, how it ended. `body` holds no credential.

    `body` is kept only where it says something about a failure (at most 16 KB); `clock_offset_s` is the server's
    clock minus ours, None where the answer gave no fresh Date.
    """

    method: str
    url: str
    status: int | None = None
    content_type: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: str = field(default="", repr=False)
    fault: FaultSeen | None = None
    via_proxy: bool = False
    certificate_requested: bool = False
    sent_authorization: bool = False
    clock_offset_s: float | None = None
    ms: float = 0.0

    @property
    def ok(self) -> bool:
        """Tell whether the answer is a 2xx that was read whole."""
        return self.fault is None and self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, kw_only=True)
class AtEndpoint(Evidence):
    """Be evidence about one endpoint."""

    instant: ClassVar[Instant] = Instant.NOW
    host: str
    port: int
    roles: tuple[str, ...] = ()
    hop: str = ""  # the proxy's host:port, where that is the first hop

    @property
    def subject(self) -> str:
        """Return `host:port`."""
        return f"{self.host}:{self.port}"

    @property
    def target(self) -> str:
        """Return who was really contacted: the endpoint, or the proxy before it."""
        return self.hop or self.subject


@dataclass(frozen=True, kw_only=True)
class DnsAnswer(AtEndpoint):
    """Hold the name server's answer. `outcome`: found literal nxdomain nodata servfail refused timeout invalid_name."""

    outcome: str
    addresses: tuple[str, ...] = ()
    canonical_name: str | None = None
    server: str = ""
    silent: tuple[str, ...] = ()  # name servers that were asked first and did not answer
    ms: float = 0.0

    @property
    def opens(self) -> bool:
        """Tell whether there is an address to connect to."""
        return bool(self.addresses)

    def baseline_facts(self) -> Mapping[str, Any]:
        """Return the addresses of a name that was really looked up, and the name it is an alias of."""
        if self.outcome != "found" or self.hop:
            return {}
        found: dict[str, Any] = {"dns": {self.host: sorted(self.addresses)}}
        if self.canonical_name:
            found["dns_names"] = {self.host: self.canonical_name}
        return found


@dataclass(frozen=True, kw_only=True)
class TcpConnect(AtEndpoint):
    """Hold how a connection attempt ended; `address` is the one that answered."""

    address: str | None = None
    fault: FaultSeen | None = None
    ms: float = 0.0

    @property
    def opens(self) -> bool:
        """Tell whether the connection was opened."""
        return self.fault is None


@dataclass(frozen=True)
class CertificateSeen:
    """Be one certificate of a chain, in plain facts; digests are lower-case hex SHA-256."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    fingerprint: str
    spki_sha256: str
    self_signed: bool = False


@dataclass(frozen=True, kw_only=True)
class TlsHandshake(AtEndpoint):
    """Hold a verifying handshake and the chain as presented; `used` is False where the endpoint is in the clear.

    `completed_by_issuer`: the chain verifies once the issuer that the leaf names is fetched (None: not tried).
    """

    used: bool = True
    verified: bool = False
    fault: FaultSeen | None = None
    protocol: str | None = None
    cipher: str | None = None
    chain: tuple[CertificateSeen, ...] = ()
    certificate_requested: bool = False
    client_certificate_sent: bool = False
    completed_by_issuer: bool | None = None
    issuer_known: bool | None = None  # an authority of the configured bundle has the leaf issuer's organization
    private_trust: bool = False
    ms: float = 0.0

    @property
    def opens(self) -> bool:
        """Tell whether a verified session was established (or none is needed)."""
        return not self.used or (self.verified and self.fault is None)

    def baseline_facts(self) -> Mapping[str, Any]:
        """Return the fingerprints of the chain, leaf first, and when the leaf begins and ends."""
        if not self.chain:
            return {}
        leaf = self.chain[0]
        seen = {"chain": [each.fingerprint for each in self.chain], "issuer": leaf.issuer,
                "not_before": leaf.not_before.isoformat(), "not_after": leaf.not_after.isoformat()}  # fmt: skip
        return {"certificates": {self.subject: seen}}


@dataclass(frozen=True)
class Sample:
    """Be one more handshake with an endpoint: with another of its addresses, or with the same one again."""

    address: str
    verified: bool = False
    fault: FaultSeen | None = None
    chain: tuple[CertificateSeen, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TlsSamples(AtEndpoint):
    """Hold further handshakes, because several servers behind one name need not present the same certificate."""

    samples: tuple[Sample, ...] = ()


@dataclass(frozen=True)
class Reached:
    """Be how far one endpoint could be reached from one segment: `layer` is where it ended, `ok` when it did not."""

    segment: str
    target: str
    layer: str  # ok dns tcp tls; not looked: policy (the operator's allow-list), place (this machine is not there)
    fault: FaultSeen | None = None
    dns_outcome: str = ""
    addresses: tuple[str, ...] = ()
    proxied: bool = False  # the addresses are those of the segment's proxy


@dataclass(frozen=True, kw_only=True)
class SegmentReach(Evidence):
    """Hold how far every endpoint could be reached from every further segment of the integration."""

    instant: ClassVar[Instant] = Instant.NOW
    how_to_get: ClassVar[str] = "the same network test from another segment of the facility"
    results: tuple[Reached, ...] = ()
