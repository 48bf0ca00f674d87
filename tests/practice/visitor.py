"""A client of the practice EHR for tests: signs assertions, gets tokens, posts notes, sends messages."""

from __future__ import annotations

import base64
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

from joserfc import jwt

from diagnostics.practice import PracticeEhr
from diagnostics.practice.client import Reply, Way, exchange, exchange_mllp
from diagnostics.practice.scribe import DEFAULT_SCOPES

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Visitor:
    def __init__(self, ehr: PracticeEhr, tenant: str) -> None:
        self.ehr = ehr
        self.tenant = ehr.tenant(tenant)

    def way(self, **more: Any) -> Way:
        return Way(self.ehr.resolver, self.ehr.ca_pem, **{"timeout_s": 3.0, **more})

    def get(self, url: str, headers: dict[str, str] | None = None) -> Reply:
        return exchange(url, "GET", headers or {}, b"", self.way())

    def assertion(self, *, key: Any = None, header: dict[str, Any] | None = None, **claims: Any) -> str:
        now = int(time.time())
        body: dict[str, Any] = {
            "iss": self.tenant.client_id,
            "sub": self.tenant.client_id,
            "aud": self.tenant.token_url,
            "exp": now + 240,
            "iat": now,
            "jti": secrets.token_hex(8),
        } | claims
        head = {"alg": "RS384", "typ": "JWT", "kid": self.tenant.key_id} | (header or {})
        signing = key or self.tenant.keys.rsa
        return jwt.encode(head, {k: v for k, v in body.items() if v is not None}, signing, algorithms=[head["alg"]])

    def ask_token(self, form: dict[str, str], headers: dict[str, str] | None = None) -> Reply:
        sent = {"Content-Type": "application/x-www-form-urlencoded"} | (headers or {})
        return exchange(self.tenant.token_url, "POST", sent, urlencode(form).encode(), self.way())

    def token_reply(self, assertion: str | None = None, scope: str | None = None) -> Reply:
        return self.ask_token(
            {
                "grant_type": "client_credentials",
                "scope": " ".join(DEFAULT_SCOPES) if scope is None else scope,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": assertion or self.assertion(),
            }
        )

    def token(self, scope: str | None = None) -> str:
        reply = self.token_reply(scope=scope)
        assert reply.status == 200, reply.text
        return str(json.loads(reply.body)["access_token"])

    def basic(self, secret: str | None = None) -> dict[str, str]:
        pair = f"{self.tenant.client_id}:{secret or self.tenant.client_secret}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}

    def document(self, **more: Any) -> dict[str, Any]:
        resource = {
            "resourceType": "DocumentReference",
            "identifier": [{"system": "urn:test", "value": f"T-{secrets.token_hex(4)}"}],
            "status": "current",
            "type": {"coding": [{"system": "http://loinc.org", "code": "11506-3"}]},
            "category": [{"text": "note"}],
            "subject": {"reference": "Patient/canary-1"},
            "content": [
                {"attachment": {"contentType": "text/plain", "data": base64.b64encode(b"Plan:\nRest.").decode()}}
            ],
            "context": {"encounter": [{"reference": "Encounter/canary-enc-1"}]},
        } | more
        return {key: value for key, value in resource.items() if value is not None}

    def write(
        self, resource: Any, *, token: str | None = None, url: str | None = None, method: str = "POST", **headers: str
    ) -> Reply:
        sent = {"Content-Type": "application/fhir+json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        if token != "":
            sent["Authorization"] = f"Bearer {token or self.token()}"
        body = resource if isinstance(resource, bytes) else json.dumps(resource).encode()
        return exchange(url or f"{self.tenant.fhir_base}/DocumentReference", method, sent, body, self.way())

    def read(self, path: str, token: str | None = None) -> Reply:
        return self.get(f"{self.tenant.fhir_base}/{path}", {"Authorization": f"Bearer {token or self.token()}"})

    def send_hl7(self, framed: bytes, *, role: str = "mllp", timeout_s: float = 3.0) -> bytes:
        host, port = self.tenant.host(role), self.tenant.ports[role]
        return exchange_mllp(host, port, framed, self.way(timeout_s=timeout_s), tls=role == "mllps")


def issue(reply: Reply) -> dict[str, Any]:
    document = json.loads(reply.body)
    assert document["resourceType"] == "OperationOutcome"
    return dict(document["issue"][0])
