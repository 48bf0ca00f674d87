"""Hold what the authorization server, the client's key set and the scribe's own assertion show."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from diagnostics.case import Case
from diagnostics.evidence.base import Evidence, Key, Missing
from diagnostics.evidence.network import HttpAnswer
from diagnostics.parsing.jwt import Jwt, read_jwt
from diagnostics.probes.declare import part
from diagnostics.vocabulary import Instant


@dataclass(frozen=True)
class DiscoveryDocument:
    """Be one discovery document as served; None fields were not in it."""

    url: str
    issuer: str | None = None
    token_endpoint: str | None = None
    auth_methods: tuple[str, ...] | None = None
    signing_algorithms: tuple[str, ...] | None = None
    scopes: tuple[str, ...] | None = None
    grants: tuple[str, ...] | None = None
    capabilities: tuple[str, ...] | None = None
    introspection_endpoint: str | None = None


@dataclass(frozen=True, kw_only=True)
class Discovery(Evidence):
    """Hold what the well-known addresses answered, in the order asked, and the documents among it."""

    instant: ClassVar[Instant] = Instant.NOW
    answers: tuple[HttpAnswer, ...] = ()
    documents: tuple[DiscoveryDocument, ...] = ()

    @property
    def token_endpoint(self) -> str | None:
        """Return the token endpoint of the first document that names one."""
        return next((d.token_endpoint for d in self.documents if d.token_endpoint), None)

    def baseline_facts(self) -> Mapping[str, Any]:
        """Return where tokens are issued, and by whom."""
        issuer = next((d.issuer for d in self.documents if d.issuer), None)
        found = {"endpoint": self.token_endpoint, "issuer": issuer}
        return {"token": kept} if (kept := {key: value for key, value in found.items() if value}) else {}

    @property
    def introspection_endpoint(self) -> str | None:
        """Return the introspection endpoint of the first document that names one (RFC 7662, RFC 8414)."""
        return next((d.introspection_endpoint for d in self.documents if d.introspection_endpoint), None)

    @property
    def signing_algorithms(self) -> tuple[str, ...] | None:
        """Return the signing algorithms that the first document to list any lists."""
        return next((d.signing_algorithms for d in self.documents if d.signing_algorithms), None)


@dataclass(frozen=True)
class PublishedKey:
    """Be one key of the client's set."""

    kid: str | None
    kty: str
    alg: str | None = None
    use: str | None = None
    exposed: bool = False
    thumbprint: str = ""


@dataclass(frozen=True, kw_only=True)
class ClientKeySet(Evidence):
    """Hold the client's own JWK Set as anybody can fetch it.

    `own_key` is the thumbprint of the private key the integration signs with; `assertion_verifies` tells whether
    the captured assertion's signature is that of the published key with its kid (None: cannot be told).
    """

    instant: ClassVar[Instant] = Instant.NOW
    answer: HttpAnswer
    keys: tuple[PublishedKey, ...] = ()
    problem: str = ""
    max_age_s: int | None = None
    own_key: str = ""
    assertion_verifies: bool | None = None

    @property
    def readable(self) -> bool:
        """Tell whether a key set was served."""
        return self.answer.ok and not self.problem

    def baseline_facts(self) -> Mapping[str, Any]:
        """Return the thumbprints (RFC 7638) of the published keys and of the key the integration signs with."""
        published = sorted(key.thumbprint for key in self.keys if key.thumbprint)
        found = {"published": published, "signing": self.own_key}
        return {"keys": kept} if (kept := {name: value for name, value in found.items() if value}) else {}

    def with_id(self, kid: str | None, algorithm: str) -> tuple[PublishedKey, ...]:
        """Return the signing keys of that id and of the algorithm's family."""
        family = {"RS": "RSA", "PS": "RSA", "ES": "EC"}.get(algorithm[:2], "")
        return tuple(k for k in self.keys if k.kid == kid and k.kty == family and k.use in (None, "sig"))


@dataclass(frozen=True, kw_only=True)
class ClientAssertion(Evidence):
    """Hold header and claims of the last client assertion the scribe really sent; never its signature."""

    instant: ClassVar[Instant] = Instant.THEN
    how_to_get: ClassVar[str] = "the last client assertion the scribe sent (its signature may be left out)"
    header: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, Any] = field(default_factory=dict)
    readable: bool = True
    signed: bool = False

    def text(self, name: str) -> str | None:
        """Return a claim that is a single string."""
        value = self.claims.get(name)
        return value if isinstance(value, str) else None

    def when(self, name: str) -> datetime | None:
        """Return a claim that is a NumericDate."""
        return Jwt(self.header, self.claims, self.signed).instant(name)


@part(gives=ClientAssertion)
def client_assertion(case: Case) -> ClientAssertion | Missing:
    """Read the captured assertion."""
    text = case.integration.auth.assertion
    if text is None:
        return Missing(Key(ClientAssertion), "no captured assertion is in the case", ClientAssertion.how_to_get)
    token = read_jwt(text)
    if token is None:
        return ClientAssertion(readable=False)
    return ClientAssertion(header=dict(token.header), claims=dict(token.claims), signed=token.signed)


@dataclass(frozen=True, kw_only=True)
class TokenAnswer(Evidence):
    """Hold the token endpoint's answer to a request made now; the token itself is never evidence.

    `grant` is what was asked with; `granted` tells whether a token came. Flows without a token have no such evidence.
    """

    instant: ClassVar[Instant] = Instant.NOW
    how_to_get: ClassVar[str] = "a token request with the integration's own credential"
    flow: str
    grant: str = ""
    answer: HttpAnswer
    granted: bool = False
    problem: str = ""  # why a 2xx answer holds no token
    expires_in: float | None = None
    scope: str | None = None
    requested_scope: str = ""
    token_form: str = ""  # jwt | opaque
    token_claims: dict[str, Any] = field(default_factory=dict)  # exp, iat, aud, scope only
    refresh_rotated: bool | None = None
    assertion_header: dict[str, Any] = field(default_factory=dict)
    assertion_claims: dict[str, Any] = field(default_factory=dict)

    @property
    def opens(self) -> bool:
        """Tell whether what needs authorization can be asked for."""
        return self.granted

    def baseline_facts(self) -> Mapping[str, Any]:
        """Return lifetime and scope of the token."""
        if not self.granted:
            return {}
        scope = sorted((self.scope or self.requested_scope).split())
        lifetime = None if self.expires_in is None else int(self.expires_in)
        return {"token": {"lifetime_s": lifetime, "scope": scope}}


@dataclass(frozen=True, kw_only=True)
class TokenIntrospection(Evidence):
    """Hold what the introspection endpoint says of the token granted in this run; `active` None where it does not say.

    The endpoint asks for an authorization of its own (RFC 7662 section 2.1): a refusal says nothing of the token.
    """

    instant: ClassVar[Instant] = Instant.NOW
    how_to_get: ClassVar[str] = "the EHR's introspection of the scribe's token, from the EHR team"
    answer: HttpAnswer
    active: bool | None = None
    scope: str | None = None
    expires_at: datetime | None = None
