"""Build the evidence of live probes for check tests, healthy unless a word says otherwise, and judge one check."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from diagnostics import catalog
from diagnostics.case import Auth, Case
from diagnostics.evidence.auth import (
    ClientAssertion,
    ClientKeySet,
    Discovery,
    DiscoveryDocument,
    PublishedKey,
    TokenAnswer,
)
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.fhir import (
    CanaryWrite,
    Capability,
    CapabilityFacts,
    Metadata,
    ReadBack,
    ReadOfReference,
    Reads,
    ResourceCapability,
)
from diagnostics.evidence.network import (
    CertificateSeen,
    DnsAnswer,
    FaultSeen,
    HttpAnswer,
    TcpConnect,
    TlsHandshake,
)
from diagnostics.findings import Finding
from diagnostics.gather import read_parts
from diagnostics.judge import judge
from tests.diagnostics.checks.recorded import keep
from tests.diagnostics.stories import BASE, START, TOKEN_URL, case, integration

ROLES = {"ehr.example.test": ("fhir",), "auth.example.test": ("token", "authorization"), "keys.example.test": ("jwks",)}


def judged(check: str, *evidence: Evidence, of: Case | None = None) -> Finding:
    """Return the finding of one check on a case's own evidence and the given pieces."""
    the_case = of if of is not None else case()
    bag = read_parts(the_case)
    for item in evidence:
        bag.put(item)
    return keep(judge(the_case, bag, [catalog.checks()[check]])[0])


def answer(status: int | None = 200, **more: Any) -> HttpAnswer:
    """Return an HTTP answer; `headers` have names in lower case."""
    values = {"method": "GET", "url": BASE, "status": status, "content_type": "application/fhir+json"} | more
    return HttpAnswer(**values)


def fault(kind: str, phase: str = "tls", **more: Any) -> FaultSeen:
    """Return a fault of the network."""
    return FaultSeen(kind=kind, phase=phase, says=more.pop("says", kind), **more)


def dns(outcome: str = "found", host: str = "ehr.example.test", **more: Any) -> DnsAnswer:
    """Return a name server's answer."""
    addresses = ("192.0.2.1",) if outcome == "found" else ()
    return DnsAnswer(host=host, port=443, roles=ROLES[host], outcome=outcome, addresses=addresses, **more)


def tcp(kind: str | None = None, host: str = "ehr.example.test", **more: Any) -> TcpConnect:
    """Return a connection attempt."""
    seen = fault(kind, "tcp") if kind else None
    return TcpConnect(host=host, port=443, roles=ROLES[host], fault=seen, **more)


def certificate(days: float = 200, life: float = 365, **more: Any) -> CertificateSeen:
    """Return a certificate that ends in so many days from the case's now."""
    ends = START + timedelta(hours=2) + timedelta(days=days)
    values: dict[str, Any] = {
        "subject": "CN=ehr.example.test",
        "issuer": "CN=Made-up CA",
        "names": ("ehr.example.test",),
        "not_before": ends - timedelta(days=life),
        "not_after": ends,
        "fingerprint": "ab" * 32,
        "spki_sha256": "cd" * 32,
    }
    return CertificateSeen(**(values | more))


def tls(seen: FaultSeen | None = None, host: str = "ehr.example.test", **more: Any) -> TlsHandshake:
    """Return a handshake, verified unless a fault is given."""
    values: dict[str, Any] = {"chain": (certificate(),), "verified": seen is None, "fault": seen}
    return TlsHandshake(host=host, port=443, roles=ROLES[host], **(values | more))


def token(status: int | None = 200, body: str = "", **more: Any) -> TokenAnswer:
    """Return a token answer; granted when it is 200 without a body that was kept."""
    headers = more.pop("headers", {})
    granted = more.pop("granted", status == 200 and not body)
    said = answer(status, body=body, headers=headers, content_type="application/json", method="POST", url=TOKEN_URL,
                  fault=more.pop("fault", None), clock_offset_s=more.pop("clock_offset_s", None),
                  certificate_requested=more.pop("certificate_requested", False))  # fmt: skip
    values = {"flow": "backend-services", "grant": "client_credentials", "answer": said, "granted": granted,
              "expires_in": 300.0, "scope": "system/DocumentReference.cruds"}  # fmt: skip
    return TokenAnswer(**(values | more))


def oauth(error: str, status: int = 400, **more: Any) -> TokenAnswer:
    """Return a refused token request."""
    return token(status, f'{{"error": "{error}"}}', granted=False, **more)


def discovery(endpoint: str | None = TOKEN_URL, **more: Any) -> Discovery:
    """Return a discovery document, or none for `endpoint=None`."""
    if endpoint is None:
        return Discovery(answers=(answer(404),))
    return Discovery(answers=(answer(),), documents=(DiscoveryDocument(url=BASE, token_endpoint=endpoint, **more),))


def keys(*published: PublishedKey, **more: Any) -> ClientKeySet:
    """Return a key set with one RSA key `k1`, or the given ones."""
    held = published or (PublishedKey("k1", "RSA", thumbprint="t1"),)
    return ClientKeySet(**({"answer": answer(), "keys": held, "own_key": "t1"} | more))


def assertion(**claims: Any) -> ClientAssertion:
    """Return a good assertion signed at the story's start; `alg`, `kid` and `typ` go to the header, None removes."""
    at = START.timestamp()
    header = {"alg": "RS384", "kid": "k1", "typ": "JWT"} | {
        k: claims.pop(k) for k in ("alg", "kid", "typ") if k in claims
    }
    body = {"iss": "scribe-writer", "sub": "scribe-writer", "aud": TOKEN_URL, "iat": at, "exp": at + 240} | claims
    clean = [{k: v for k, v in each.items() if v is not None} for each in (header, body)]
    return ClientAssertion(header=clean[0], claims=clean[1], signed=True)


def metadata(status: int | None = 200, body: str = "", **more: Any) -> Metadata:
    """Return the answer to /metadata; a capability statement when it is 200 without a body that was kept."""
    good = status == 200 and not body
    said = answer(status, body=body, headers=more.pop("headers", {}), fault=more.pop("fault", None),
                  content_type=more.pop("content_type", "application/fhir+json"))  # fmt: skip
    statement = capability().statement if good else None
    return Metadata(answer=said, capability=statement, problem="" if good else more.pop("problem", "no statement"))


def capability(interactions: tuple[str, ...] = ("create", "read"), **more: Any) -> Capability:
    """Return a statement of an R4 server with DocumentReference."""
    values: dict[str, Any] = {
        "fhir_version": "4.0.1",
        "software_version": "1",
        "resources": (ResourceCapability("DocumentReference", interactions),),
    }
    return Capability(statement=CapabilityFacts(**(values | more)))


def reads(status: int = 200, **more: Any) -> Reads:
    """Return one read of the patient."""
    said = answer(status, sent_authorization=True, **more)
    return Reads(results=(ReadOfReference("subject", "Patient/P-1", said),))


def canary(state: str = "written", status: int = 201, **more: Any) -> CanaryWrite:
    """Return a canary write."""
    said = answer(status, method="POST", sent_authorization=True, **more)
    return CanaryWrite(state=state, resource_type="DocumentReference", answer=said)


def read_back(found: int | None = 1, **more: Any) -> ReadBack:
    """Return the search for the note's document."""
    return ReadBack(**({"answer": answer(200 if found is not None else 403), "found": found} | more))


def signing(**more: Any) -> Any:
    """Return an integration that signs in with a key set; words go to its `auth`."""
    auth = Auth(flow="backend-services", token_url=TOKEN_URL, client_id="scribe-writer", key_id="k1",
                jwks_url="https://keys.example.test/jwks.json")  # fmt: skip
    return integration(auth=replace(auth, **more))
