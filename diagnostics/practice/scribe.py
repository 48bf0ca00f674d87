"""Behave as an AI scribe does: write a note, package it, get a token, send it, keep a log of all that."""

from __future__ import annotations

import base64
import datetime
import json
import random
import secrets
import time
import uuid
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from joserfc import jwt

from diagnostics.practice.client import NetworkFailure, Reply, Way, exchange, exchange_mllp
from diagnostics.practice.fault import Habits
from diagnostics.practice.ledger import fingerprint
from diagnostics.practice.notes import Note
from diagnostics.practice.packaging import (
    discrete_resources,
    document_reference,
    frame,
    mdm_message,
    payload_bytes,
)
from diagnostics.practice.smart import ASSERTION_TYPE
from diagnostics.practice.tenant import Tenant

DEFAULT_SCOPES = (
    "system/DocumentReference.write",
    "system/DocumentReference.read",
    "system/Encounter.read",
    "system/Patient.read",
    "system/Condition.write",
    "system/Observation.write",
)
_NOT_LOGGED = ("set-cookie", "authorization", "proxy-authorization")


class Practice(Protocol):
    """What the scribe needs to know of the practice."""

    @property
    def resolver(self) -> str:
        """Give the DNS server."""

    @property
    def ca_pem(self) -> bytes:
        """Give the root certificate."""


@dataclass
class Attempt:
    """What remains of one delivery: the payload as sent and the last assertion."""

    note: Note
    payload: bytes = b""
    assertion: str | None = None
    delivered: bool = False


@dataclass
class PracticeScribe:
    """A scribe of one tenant with its habits and its log."""

    practice: Practice
    tenant: Tenant
    habits: Habits
    source: random.Random
    trust_pem: bytes
    site: str = "main"
    rows: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with the refresh token that was handed over at set-up and no access token."""
        self.refresh_token = self.tenant.first_refresh_token
        self._token: tuple[str, str] | None = None

    # -- what the configuration says --------------------------------------------------------

    @property
    def fhir_base(self) -> str:
        """Give the base URL the scribe was set up with, right or wrong."""
        if self.habits.target == "portal":
            return self.tenant.url("fhir") + self.tenant.texts.path("/portal")
        return self.tenant.fhir_base

    @property
    def write_url(self) -> str | None:
        """Give the write address where it is not the base and the type."""
        if self.habits.target == "wrong_type":
            return f"{self.tenant.fhir_base}/DocumentReferences"
        if self.tenant.behaviour.write_route:
            return self.tenant.url("fhir") + self.tenant.write_path
        return None

    @property
    def proxy(self) -> str | None:
        """Give the proxy's address where one is used."""
        return f"http://127.0.0.1:{self.tenant.ports['proxy']}" if self.habits.proxy else None

    @property
    def audience(self) -> str:
        """Give the audience the assertion is signed for."""
        return self.tenant.fhir_base if self.habits.audience == "base" else self.tenant.token_url

    def signing_key(self) -> tuple[Any, str, bytes]:
        """Give key, key id and PEM of the key that signs."""
        keys = self.tenant.keys
        if self.habits.algorithm == "ES384":
            return keys.ec, f"{self.tenant.key_id}-ec", keys.ec.as_pem(private=True)
        return keys.rsa, self.tenant.key_id, keys.rsa.as_pem(private=True)

    # -- one delivery -----------------------------------------------------------------------

    def deliver(self, note: Note) -> Attempt:
        """Carry one note as far as it gets; every act leaves its row."""
        attempt = Attempt(note)
        if self.habits.stops == "before_generating":
            return attempt
        self._row("generated", note)
        self._pass_time(4)
        attempt.payload = self._package(note)
        self._row("packaged", note)
        self._pass_time(2)
        if self.habits.stops == "after_packaging":
            self._row("queued", note)
            return attempt
        if self._is_hl7:
            attempt.delivered = self._send_hl7(note, attempt.payload)
            return attempt
        if not self._ensure_token(note, attempt):
            return attempt
        self._pass_time(1)
        attempt.delivered = self._send_fhir(note, attempt.payload, 1)
        if not attempt.delivered and self.habits.retry == "new_identifier":
            self._pass_time(20)
            again = replace(note, transaction_id=f"TX-{self.source.randrange(16**10):010X}")
            self.habits = replace(self.habits, timeout_s=5.0)
            attempt.delivered = self._send_fhir(again, self._package(again), 2)
        return attempt

    @property
    def _is_hl7(self) -> bool:
        return not self.tenant.discrete

    def _package(self, note: Note) -> bytes:
        now = self.tenant.clock.now()
        if self._is_hl7:
            texts = self.tenant.texts
            return mdm_message(note, now, self.habits, texts.ident("SCRIBE"), texts.ident("EHR"))
        return payload_bytes(document_reference(note, now, self.habits))

    def _way(self) -> Way:
        return Way(self.practice.resolver, self.trust_pem, self.proxy, self.habits.timeout_s)

    def _pass_time(self, seconds: float) -> None:
        self.tenant.clock.shift_s += seconds

    def _row(self, event: str, note: Note, **values: Any) -> None:
        at: datetime.datetime = self.tenant.clock.now()
        row: dict[str, Any] = {
            "at": at.isoformat(timespec="milliseconds"),
            "event": event,
            "note_id": note.note_id,
            "transaction_id": note.transaction_id,
            "encounter_id": note.encounter_id,
            "patient_id": note.patient_id,
            "provider_id": note.provider_id,
            "site": self.site,
        }
        row |= {key: value for key, value in values.items() if value is not None}
        self.rows.append(row)

    # -- tokens -----------------------------------------------------------------------------

    def _ensure_token(self, note: Note, attempt: Attempt) -> bool:
        if self.habits.flow == "api-key" or (self.habits.reuse_token and self._token):
            return True
        self._token = None
        request_id = str(uuid.UUID(int=self.source.getrandbits(128)))
        url = self.tenant.token_url
        started = time.monotonic()
        method = "GET" if self.habits.discover else "POST"
        if self.habits.discover:
            url = f"{self.tenant.url('auth')}/.well-known/smart-configuration"
        common = {"method": method, "url": url, "request_id": request_id, "attempt": 1}
        try:
            reply = (
                exchange(url, "GET", {"Accept": "application/json"}, b"", self._way()) if self.habits.discover else None
            )
            if reply is not None and reply.status == 200:
                url = str(json.loads(reply.body)["token_endpoint"])
                common |= {"method": "POST", "url": url}
                reply = None
            if reply is None:
                headers, body = self._token_request(attempt)
                reply = exchange(url, "POST", {**headers, "X-Request-Id": request_id}, body, self._way())
        except NetworkFailure as failure:
            self._row("token", note, **common)
            self._pass_time(self.habits.nominal_timeout_s if failure.timed_out else 0)
            self._row("failed", note, **common, error=failure.text, latency_ms=self._latency(started, failure))
            return False
        document = _json_object(reply.body)
        if reply.status == 200 and isinstance(document.get("access_token"), str):
            self._token = (document["access_token"], fingerprint(document["access_token"]) or "")
            self.refresh_token = document.get("refresh_token", self.refresh_token)
            self._row(
                "token",
                note,
                **common,
                status=200,
                expires_in=document.get("expires_in"),
                scope=document.get("scope"),
                token_id=self._token[1],
                latency_ms=self._latency(started),
                response_headers=_loggable(reply),
            )
            return True
        self._row("token", note, **common)
        self._row("failed", note, **common, **self._answer(reply, started))
        return False

    def _token_request(self, attempt: Attempt) -> tuple[dict[str, str], bytes]:
        habits, tenant = self.habits, self.tenant
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        form = {"grant_type": "client_credentials", "scope": " ".join(self.scopes)}
        if habits.flow in ("client-secret", "provider-context"):
            secret = tenant.other_secret if habits.wrong_secret else tenant.client_secret
            pair = f"{quote(tenant.client_id, safe='')}:{quote(secret, safe='')}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        if habits.flow == "provider-context":
            form = {"grant_type": "refresh_token", "refresh_token": self.refresh_token}
        if habits.flow == "backend-services":
            attempt.assertion = self._assertion()
            form["client_assertion_type"] = (
                ASSERTION_TYPE.replace("jwt-bearer", "saml2-bearer")
                if habits.token_form == "wrong_type"
                else ASSERTION_TYPE
            )
            form["client_assertion"] = attempt.assertion
        if habits.token_form == "json":
            headers["Content-Type"] = "application/json"
            return headers, json.dumps(form).encode()
        return headers, urlencode(form).encode()

    @property
    def scopes(self) -> tuple[str, ...]:
        """Give the scopes the scribe asks for."""
        return DEFAULT_SCOPES if self.habits.scopes is None else self.habits.scopes

    def _assertion(self) -> str:
        habits, tenant = self.habits, self.tenant
        now = int(tenant.clock.timestamp())
        key, kid, _pem = self.signing_key()
        claims = {
            "iss": f"{tenant.client_id}-app" if habits.issuer == "other" else tenant.client_id,
            "sub": tenant.client_id,
            "aud": self.audience,
            "iat": now,
            "exp": now + habits.assertion_life_s,
            "jti": secrets.token_hex(12),
        }
        header = {"alg": habits.algorithm, "typ": "JWT", "kid": kid}
        return jwt.encode(header, claims, key, algorithms=[habits.algorithm])

    # -- sending ----------------------------------------------------------------------------

    def _send_fhir(self, note: Note, payload: bytes, number: int) -> bool:
        url = self.write_url or f"{self.fhir_base}/DocumentReference"
        request_id = str(uuid.UUID(int=self.source.getrandbits(128)))
        headers = {
            "Content-Type": self.habits.media_type,
            "Accept": "application/fhir+json",
            "X-Request-Id": request_id,
        }
        if self._token:
            headers["Authorization"] = f"Bearer {self._token[0]}"
        if self.habits.flow == "api-key" and self.habits.send_api_key:
            headers["X-Api-Key"] = self.tenant.api_key
        common = {"method": "POST", "url": url, "request_id": request_id, "attempt": number}
        self._row(
            "sent",
            note,
            **common,
            content_type=self.habits.media_type,
            token_id=self._token[1] if self._token else None,
        )
        started = time.monotonic()
        try:
            reply = exchange(url, "POST", headers, payload, self._way())
        except NetworkFailure as failure:
            self._pass_time(self.habits.nominal_timeout_s if failure.timed_out else 0)
            self._row("failed", note, **common, error=failure.text, latency_ms=self._latency(started, failure))
            return False
        if not 200 <= reply.status < 300:
            self._row("failed", note, **common, **self._answer(reply, started))
            return False
        self._row(
            "acked",
            note,
            **common,
            status=reply.status,
            latency_ms=self._latency(started),
            response_headers=_loggable(reply),
        )
        self._send_discrete(note, headers)
        return True

    def _send_discrete(self, note: Note, headers: dict[str, str]) -> None:
        """Send vital signs and diagnoses; that feed keeps no log of its own here."""
        for resource in discrete_resources(note, self.habits):
            url = f"{self.tenant.fhir_base}/{resource['resourceType']}"
            own = {name: value for name, value in headers.items() if name != "X-Request-Id"}
            exchange(url, "POST", own, payload_bytes(resource), replace(self._way(), timeout_s=5.0))

    def _send_hl7(self, note: Note, payload: bytes) -> bool:
        role = "mllps" if self.habits.mllp_tls else "mllp"
        host, port = self.tenant.host(role), self.tenant.ports[role]
        common = {"method": "MLLP", "url": f"{role}://{host}:{port}", "attempt": 1}
        self._row("sent", note, **common)
        started = time.monotonic()
        try:
            answer = exchange_mllp(host, port, frame(payload, self.habits), self._way(), tls=self.habits.mllp_tls)
        except NetworkFailure as failure:
            self._pass_time(self.habits.nominal_timeout_s if failure.timed_out else 0)
            self._row("failed", note, **common, error=failure.text, latency_ms=self._latency(started, failure))
            return False
        text = answer.decode("utf-8", "replace")
        msa = next((line.split("|") for line in text.split("\r") if line.startswith("MSA")), ["MSA", "", ""])
        ack, ack_id = msa[1], msa[2] if len(msa) > 2 else ""
        good = ack in ("AA", "CA") and ack_id == note.transaction_id
        self._row(
            "acked" if good else "failed",
            note,
            **common,
            ack=ack or None,
            ack_id=ack_id or None,
            error=None if good else text,
            latency_ms=self._latency(started),
        )
        return good

    def _latency(self, started: float, failure: NetworkFailure | None = None) -> int:
        if failure and failure.timed_out:
            return int(self.habits.nominal_timeout_s * 1000)
        return max(1, int((time.monotonic() - started) * 1000))

    def _answer(self, reply: Reply, started: float) -> dict[str, Any]:
        return {
            "status": reply.status,
            "error": reply.text,
            "latency_ms": self._latency(started),
            "response_headers": _loggable(reply),
        }


def _loggable(reply: Reply) -> dict[str, str]:
    return {name: value for name, value in reply.headers.items() if name not in _NOT_LOGGED}


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
