"""Describe one tenant of the practice: its names, clients, faults, store and clock."""

from __future__ import annotations

import datetime
import random
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from diagnostics.practice.behaviour import Behaviour
from diagnostics.practice.filing import Template
from diagnostics.practice.ledger import AuditTrail, Ledger, StoryClock
from diagnostics.practice.store import Resource, ResourceStore
from diagnostics.practice.texts import PracticeTexts

ROLES = ("fhir", "auth", "keys", "login", "mllp", "mllps", "proxy")

NEEDED_SCOPES = (
    "system/DocumentReference.cru",
    "system/DocumentReference.s",
    "system/DocumentReference.read",
    "system/DocumentReference.write",
    "system/Composition.write",
    "system/Composition.read",
    "system/Encounter.read",
    "system/Patient.read",
    "system/Practitioner.read",
    "system/Condition.write",
    "system/Condition.read",
    "system/Observation.write",
    "system/Observation.read",
    "system/AuditEvent.read",
    "openid",
    "offline_access",
)


@dataclass
class ClientKeys:
    """The scribe's key pairs: one in use, one that replaced it or never was published."""

    rsa: RSAKey
    rsa_other: RSAKey
    ec: ECKey

    @classmethod
    def generate(cls) -> ClientKeys:
        """Make the pairs; RSA only here, because it is slow."""
        return cls(RSAKey.generate_key(2048), RSAKey.generate_key(2048), ECKey.generate_key("P-384"))


@dataclass
class Token:
    """An access token as the token server remembers it."""

    value: str
    client_id: str
    scope: str
    expires_at: float


@dataclass
class Tenant:
    """One customer's EHR inside the practice."""

    name: str
    texts: PracticeTexts
    keys: ClientKeys
    ledger: Ledger
    clock: StoryClock
    audit: AuditTrail
    faults: frozenset[str] = frozenset()
    behaviour: Behaviour = field(default_factory=Behaviour)
    ports: dict[str, int] = field(default_factory=dict)
    store: ResourceStore = field(default_factory=ResourceStore)
    tokens: dict[str, Token] = field(default_factory=dict)
    refresh_tokens: set[str] = field(default_factory=set)
    seen_jtis: dict[str, float] = field(default_factory=dict)
    discrete: bool = True
    unmapped: tuple[str, ...] = ()
    open_mllp: int = 0
    hl7_stored: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # MSH-10 → digest and acknowledgement

    def __post_init__(self) -> None:
        """Invent the names and credentials that stay the same for the tenant's life."""
        say = self.texts
        self.client_id = say.ident("scribe-writer").lower() if say.seed is not None else "scribe-writer"
        source = random.Random(f"{say.seed}|{self.name}") if say.seed is not None else secrets.SystemRandom()
        self.client_secret = f"{source.getrandbits(160):040x}"
        self.other_secret = f"{source.getrandbits(160):040x}"
        self.api_key = f"{source.getrandbits(128):032x}"
        self.first_refresh_token = f"{source.getrandbits(160):040x}"
        self.proxy_user = "scribe"
        self.key_id = say.ident("2026-05").lower() if say.seed is not None else "2026-05"
        self._fhir_path = say.path("/ehr") + say.path(f"/{self.name}") + say.path("/fhir/R4")
        self.practice_id = str(say.number("practice id", 100000, 999999, 195900))
        self.token_path = say.path("/oauth2/token")
        self.moved_token_path = say.path("/oauth2/v2/token")
        self.authorize_path = say.path("/oauth2/authorize")
        self.jwks_path = say.path("/keys/jwks.json")
        self.write_path = say.path("/notes/v1/documents")
        self.software = say.say("Practice EHR").rstrip(".")
        self.account = say.ident("svc-scribe").lower() if say.seed is not None else "svc-scribe"
        self.template = Template(say, discrete=True)
        self.refresh_tokens.add(self.first_refresh_token)

    def host(self, role: str) -> str:
        """Give the host name of one of the tenant's services."""
        return self.texts.host({"mllps": "mllp"}.get(role, role), self.name)

    def url(self, role: str) -> str:
        """Give the https origin of one of the tenant's services."""
        return f"https://{self.host(role)}:{self.ports[role]}"

    @property
    def fhir_path(self) -> str:
        """Give the FHIR base's path; where practices move, their number stands in it."""
        return self._fhir_path + (f"/{self.practice_id}" if self.behaviour.practice_moved else "")

    @property
    def fhir_base(self) -> str:
        """Give the FHIR base URL as clients are told it."""
        return self.url("fhir") + self.fhir_path

    @property
    def token_url(self) -> str:
        """Give the token endpoint that was handed to the scribe when it was set up."""
        return self.url("auth") + self.token_path

    @property
    def token_url_now(self) -> str:
        """Give the token endpoint that discovery tells today."""
        return self.url("auth") + (self.moved_token_path if self.behaviour.token_moved else self.token_path)

    @property
    def jwks_url(self) -> str:
        """Give the client's own key set URL, as registered with the EHR."""
        return self.url("keys") + self.jwks_path

    def server_time(self) -> float:
        """Give the EHR's own idea of the time, in seconds since the epoch."""
        return self.clock.timestamp() + self.behaviour.clock_offset_s

    def jwks(self) -> dict[str, Any]:
        """Give the client's key set as published now."""

        def public(key: RSAKey | ECKey, kid: str, alg: str) -> dict[str, Any]:
            return {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": alg}

        mode = self.behaviour.jwks
        ec_entry = public(self.keys.ec, f"{self.key_id}-ec", "ES384")
        if mode == "key_gone":
            return {"keys": [public(self.keys.rsa_other, f"{self.key_id}-next", "RS384"), ec_entry]}
        if mode == "key_replaced":
            return {"keys": [public(self.keys.rsa_other, self.key_id, "RS384")]}
        keys = [public(self.keys.rsa, self.key_id, "RS384"), ec_entry]
        if mode == "two_keys":
            keys.append(public(self.keys.rsa_other, f"{self.key_id}-next", "RS384"))
        return {"keys": keys}

    def issue(self, scope: str) -> tuple[Token, int]:
        """Issue an access token; opaque or shaped like a JWT, as the tenant is set."""
        ttl = self.behaviour.token_ttl_s
        expires = self.server_time() + ttl
        value = secrets.token_urlsafe(32)
        if not self.behaviour.token_opaque:
            value = self._jwt(scope, expires)
        token = Token(value, self.client_id, scope, expires)
        self.tokens[value] = token
        return token, ttl

    def _jwt(self, scope: str, expires: float) -> str:
        claims = {
            "iss": self.url("auth"),
            "aud": self.fhir_base,
            "sub": self.client_id,
            "scope": scope,
            "iat": int(self.server_time()),
            "exp": int(expires),
            "jti": secrets.token_hex(8),
        }
        return jwt.encode({"alg": "ES384", "typ": "at+jwt"}, claims, self.keys.ec, algorithms=["ES384"])

    def token_state(self, value: str) -> tuple[Token | None, str]:
        """Look a bearer token up: the token and `live`, `expired` or `unknown`."""
        token = self.tokens.get(value)
        if token is None:
            return None, "unknown"
        return token, "live" if token.expires_at > self.server_time() else "expired"

    def remember_jti(self, jti: str) -> bool:
        """Note a jti; False when it was used within its life before (SMART: it must not be)."""
        now = time.time()
        self.seen_jtis = {key: until for key, until in self.seen_jtis.items() if until > now}
        if jti in self.seen_jtis:
            return False
        self.seen_jtis[jti] = now + 600
        return True

    def secrets(self) -> dict[str, str]:
        """Give what must outlive a restart, for the practice's private state file."""
        return {
            "client_secret": self.client_secret,
            "other_secret": self.other_secret,
            "api_key": self.api_key,
            "first_refresh_token": self.first_refresh_token,
        }

    def restore(self, stored: dict[str, str]) -> None:
        """Take back what a state file kept."""
        for name, value in stored.items():
            if name in self.secrets():
                setattr(self, name, value)
        self.refresh_tokens = {self.first_refresh_token}

    def put(self, resource: Resource) -> Resource:
        """Place seed data into the tenant's store."""
        return self.store.put(resource)

    def reset(self) -> None:
        """Return to an empty, seeded EHR; credentials and names stay."""
        self.store.clear()
        self.audit.clear()
        self.ledger.clear(self.name)
        self.tokens.clear()
        self.seen_jtis.clear()
        self.hl7_stored.clear()
        self.refresh_tokens = {self.first_refresh_token}
        self.unmapped = ()
        self.discrete = True
        self.template.discrete = True
        seed_people(self)


def seed_people(tenant: Tenant) -> None:
    """Place the canary patient and the practice's staff."""
    tenant.put(
        {
            "resourceType": "Patient",
            "id": "canary-1",
            "active": True,
            "name": [{"family": "Canary", "given": ["Never", "Real"]}],
            "meta": {"versionId": "1"},
        }
    )
    for number in range(1, 10):
        tenant.put({"resourceType": "Practitioner", "id": f"prov-{number}", "active": True, "meta": {"versionId": "1"}})
    tenant.put({"resourceType": "Practitioner", "id": tenant.account, "active": True, "meta": {"versionId": "1"}})
    add_encounter(tenant, "canary-enc-1", "canary-1", owner="prov-1")


def add_patient(tenant: Tenant, patient_id: str) -> None:
    """Place an invented patient without any name."""
    tenant.put({"resourceType": "Patient", "id": patient_id, "active": True, "meta": {"versionId": "1"}})


def add_encounter(
    tenant: Tenant,
    encounter_id: str,
    patient_id: str,
    *,
    owner: str,
    status: str = "in-progress",
    department: str = "internal-medicine",
    confidentiality: str = "N",
    signed: bool = False,
    start_s: float = 3600,
) -> None:
    """Place an encounter that began `start_s` seconds before the story's present."""
    start = tenant.clock.timestamp() - start_s
    period = {"start": iso(start)}
    if status == "finished":
        period["end"] = iso(start + 1500)
    tenant.put(
        {
            "resourceType": "Encounter",
            "id": encounter_id,
            "status": status,
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
            "subject": {"reference": f"Patient/{patient_id}"},
            "participant": [
                {
                    "type": [
                        {
                            "coding": [
                                {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "ATND"}
                            ]
                        }
                    ],
                    "individual": {"reference": f"Practitioner/{owner}"},
                }
            ],
            "serviceType": {"text": department},
            "period": period,
            "meta": {
                "versionId": "1",
                "security": [
                    {"system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality", "code": confidentiality}
                ],
            },
            "extension": [{"url": "urn:practice:signed", "valueBoolean": signed}],
        }
    )


def iso(seconds: float) -> str:
    """Write an instant as FHIR does, in UTC."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="seconds")
