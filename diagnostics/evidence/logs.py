"""Hold the rows of both systems' logs, the network's logs, and the trace of one note.

Row fields are those of the public contract (log rows). Times are aware datetimes. A log that is not at hand is
missing evidence; a log that is at hand and holds no row of the note says something.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from diagnostics.evidence.base import Evidence
from diagnostics.findings import JourneyStage
from diagnostics.vocabulary import FailureMode, Instant, Stage


@dataclass(frozen=True)
class ScribeRow:
    """Be one row of the scribe's log."""

    at: datetime
    event: str  # generated packaged token sent acked failed queued
    note_id: str | None = None
    transaction_id: str | None = None
    request_id: str | None = None
    encounter_id: str | None = None
    patient_id: str | None = None
    provider_id: str | None = None
    site: str | None = None
    method: str | None = None
    url: str | None = None
    status: int | None = None
    ack: str | None = None
    ack_id: str | None = None
    latency_ms: float | None = None
    attempt: int | None = None
    error: str | None = None
    content_type: str | None = None
    response_headers: Mapping[str, str] = field(default_factory=dict)
    expires_in: float | None = None
    scope: str | None = None
    token_id: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class EhrRow:
    """Be one row of the EHR's audit trail."""

    at: datetime
    event: str  # received accepted rejected filed token change
    transaction_id: str | None = None
    request_id: str | None = None
    client_id: str | None = None
    resource: str | None = None
    encounter_id: str | None = None
    patient_id: str | None = None
    author_id: str | None = None
    fields: Mapping[str, str] | None = None
    status: int | str | None = None
    ack: str | None = None
    error: str | None = None
    change: Mapping[str, Any] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class FirewallRow:
    """Be one row of a firewall's log."""

    at: datetime
    action: str  # allow drop deny reset
    source: str | None = None
    destination: str | None = None
    port: int | None = None


@dataclass(frozen=True)
class ProxyRow:
    """Be one row of a forward proxy's access log."""

    at: datetime
    method: str | None = None
    url: str | None = None
    status: int | None = None
    result: str | None = None
    client: str | None = None


@dataclass(frozen=True, kw_only=True)
class ScribeLog(Evidence):
    """Hold every row of the scribe's log, in time order."""

    instant: ClassVar[Instant] = Instant.THEN
    how_to_get: ClassVar[str] = "the AI scribe's log rows from the hour of the failure"
    rows: tuple[ScribeRow, ...]


@dataclass(frozen=True, kw_only=True)
class AuditTrail(Evidence):
    """Hold every row of the EHR's audit trail, in time order (its own clock)."""

    instant: ClassVar[Instant] = Instant.THEN
    how_to_get: ClassVar[str] = "the EHR's audit rows from the hour of the failure"
    rows: tuple[EhrRow, ...]


@dataclass(frozen=True, kw_only=True)
class FirewallLog(Evidence):
    """Hold the firewall's rows."""

    instant: ClassVar[Instant] = Instant.THEN
    how_to_get: ClassVar[str] = "the firewall's log around the failure, from the network team"
    rows: tuple[FirewallRow, ...]


@dataclass(frozen=True, kw_only=True)
class ProxyLog(Evidence):
    """Hold the forward proxy's access rows."""

    instant: ClassVar[Instant] = Instant.THEN
    how_to_get: ClassVar[str] = "the proxy's access log around the failure, from the network team"
    rows: tuple[ProxyRow, ...]


@dataclass(frozen=True)
class Attempt:
    """Be one outbound write of the note: what was sent and what came back.

    `outcome`: `accepted` (2xx, AA or CA), `rejected` (an answer that says no), `unreached` (no connection),
    `lost` (sent, no answer), `pending` (no answer yet).
    """

    sent: ScribeRow
    answer: ScribeRow | None
    outcome: str

    @property
    def at(self) -> datetime:
        """Return when it was sent, by the scribe's clock."""
        return self.sent.at

    @property
    def status(self) -> int | None:
        """Return the HTTP status of the answer."""
        return self.answer.status if self.answer else None

    @property
    def ack(self) -> str | None:
        """Return the acknowledgement code of the answer (MSA-1)."""
        return self.answer.ack if self.answer else None

    @property
    def error(self) -> str | None:
        """Return the error text or body of the answer."""
        return self.answer.error if self.answer else None

    @property
    def url(self) -> str | None:
        """Return where it was sent."""
        return self.sent.url or (self.answer.url if self.answer else None)

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the answer's headers, names in lower case."""
        return self.answer.response_headers if self.answer else {}


@dataclass(frozen=True)
class TokenAttempt:
    """Be one request for a token in the scribe's log: the `token` row and, where it failed, the `failed` row."""

    asked: ScribeRow
    answer: ScribeRow | None  # the `failed` row; None where the token came
    ok: bool

    @property
    def at(self) -> datetime:
        """Return when it was asked for."""
        return self.asked.at

    @property
    def status(self) -> int | None:
        """Return the HTTP status of the token endpoint's answer."""
        return (self.answer.status if self.answer else None) or self.asked.status

    @property
    def error(self) -> str | None:
        """Return the error text or body."""
        return (self.answer.error if self.answer else None) or self.asked.error

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the answer's headers, names in lower case."""
        row = self.answer or self.asked
        return row.response_headers


@dataclass(frozen=True, kw_only=True)
class NoteTrace(Evidence):
    """Hold the log rows of one note, correlated, and what they say of its fate.

    `attempts` are its writes in time order, `tokens` every token request up to its last row. `received`, `accepted`,
    `rejected`, `filed` are the EHR's rows of this note. `filed_now` is the chart's present content as given.
    `clock_offset_s` is EHR minus scribe in seconds. `keys` names what joined the logs, strongest first. `candidates`
    are rows of which several documents' could be this note's: they decide nothing.
    """

    instant: ClassVar[Instant] = Instant.THEN
    how_to_get: ClassVar[str] = "the AI scribe's log rows of this note"
    rows: tuple[ScribeRow, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    tokens: tuple[TokenAttempt, ...] = ()
    ehr_rows: tuple[EhrRow, ...] = ()
    candidates: tuple[EhrRow, ...] = ()
    failure_mode: FailureMode = FailureMode.UNKNOWN
    journey: tuple[JourneyStage, ...] = ()
    broke_at: Stage | None = None
    keys: tuple[str, ...] = ()
    confidence: float = 0.0
    clock_offset_s: float | None = None
    has_scribe_log: bool = False
    has_ehr_log: bool = False
    says: str = ""
    missing: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[Attempt, ...]:
        """Return the attempts that did not succeed."""
        return tuple(a for a in self.attempts if a.outcome in ("rejected", "unreached", "lost"))

    @property
    def last(self) -> Attempt | None:
        """Return the last attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def first_failure_at(self) -> datetime | None:
        """Return when the note first failed: its first failed write, else its first failed token request."""
        failed = [a.at for a in self.failures] + [t.at for t in self.tokens if not t.ok]
        return min(failed) if failed else None

    def baseline_facts(self) -> Mapping[str, Any]:
        """Return lifetime and scope of the last token granted, as the scribe logged them."""
        granted = [t.asked for t in self.tokens if t.ok]
        if not granted:
            return {}
        last = granted[-1]
        token: dict[str, Any] = {}
        if last.expires_in is not None:
            token["lifetime_s"] = int(last.expires_in)
        if last.scope:
            token["scope"] = sorted(last.scope.split())
        return {"token": token} if token else {}

    def ehr(self, event: str) -> tuple[EhrRow, ...]:
        """Return the EHR's rows of this note with one event."""
        return tuple(row for row in self.ehr_rows if row.event == event)
