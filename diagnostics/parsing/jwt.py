"""Read a JSON Web Token without trusting it, and verify it against a published key (RFC 7515, RFC 7519)."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey, RSAKey

from diagnostics.parsing.jwks import PublicKey
from diagnostics.remembering import remembered

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
_LIMIT = 64 * 1024


@dataclass(frozen=True)
class Jwt:
    """Be a token's header and claims. `compact` is the token itself: a secret as long as it is valid."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    signed: bool
    compact: str = field(default="", repr=False)

    def text(self, name: str) -> str | None:
        """Return a claim that must be a single string."""
        value = self.claims.get(name)
        return value if isinstance(value, str) else None

    def instant(self, name: str) -> datetime | None:
        """Return a claim that is a NumericDate (seconds since 1970), or None where it is none."""
        value = self.claims.get(name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):
            return None


def read_jwt(text: str) -> Jwt | None:
    """Return the token, or None when the text is none (an opaque access token, for example). Never raises."""
    parts = text.strip()[:_LIMIT].split(".")
    if len(parts) != 3:
        return None
    header, claims = _object(parts[0]), _object(parts[1])
    if header is None or claims is None:
        return None
    return Jwt(header, claims, bool(parts[2]), text.strip())


def verifies(token: Jwt, key: PublicKey) -> bool | None:
    """Tell whether the signature is the key's; None when it cannot be told (no signature, unknown algorithm)."""
    algorithm = token.header.get("alg")
    if not token.signed or algorithm not in ALGORITHMS or not key.fits(algorithm):
        return None
    try:
        public = (RSAKey if key.kty == "RSA" else ECKey).import_key(dict(key.members))
        jws.deserialize_compact(token.compact.encode(), public, algorithms=[algorithm])
    except BadSignatureError:
        return False
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return True


@remembered(2)
def private_key(kind: type[RSAKey] | type[ECKey], pem: bytes) -> RSAKey | ECKey:
    """Return a private key that was read and checked; raises ValueError or JoseError for a damaged one.

    The last ones are kept for the run: checking an RSA key costs more than signing with it, and a run needs it twice.
    """
    return kind.import_key(pem)


def sign(header: Mapping[str, Any], claims: Mapping[str, Any], private_key_pem: bytes) -> str:
    """Return a signed compact token; raises ValueError where key and algorithm do not go together."""
    algorithm = str(header.get("alg"))
    try:
        key = private_key(ECKey if algorithm.startswith("ES") else RSAKey, private_key_pem)
        payload = json.dumps(dict(claims), separators=(",", ":"))
        return jws.serialize_compact(dict(header), payload, key, algorithms=list(ALGORITHMS))
    except (JoseError, ValueError, TypeError) as error:
        raise ValueError(f"the private key cannot sign with {algorithm[:10]}") from error


def _object(part: str) -> dict[str, Any] | None:
    try:
        data = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        return None
    return data if isinstance(data, dict) else None
