"""Read a JWK Set (RFC 7517) as a client publishes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


@dataclass(frozen=True)
class PublicKey:
    """Be one key of a set; `members` holds its public members only."""

    kid: str | None
    kty: str
    alg: str | None = None
    use: str | None = None
    members: Mapping[str, Any] = field(default_factory=dict, repr=False)
    exposed: bool = False  # private members were published with it

    def fits(self, algorithm: str) -> bool:
        """Tell whether this key's family is the one that signs with `algorithm` (RFC 7518 section 3.1)."""
        family = {"RS": "RSA", "PS": "RSA", "ES": "EC"}.get(algorithm[:2], "")
        return self.kty == family and self.use in (None, "sig")


@dataclass(frozen=True)
class KeySet:
    """Be a set of keys, or the reason why what was served is none."""

    keys: tuple[PublicKey, ...] = ()
    problem: str = ""

    def with_id(self, kid: str | None, algorithm: str) -> tuple[PublicKey, ...]:
        """Return the keys of that id whose family fits the algorithm (SMART, asymmetric client authentication)."""
        return tuple(key for key in self.keys if key.kid == kid and key.fits(algorithm))


def read_jwks(body: bytes) -> KeySet:
    """Read a key set; never raises. Keys of unknown form are left out."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        return KeySet(problem="the answer is not JSON")
    if not isinstance(data, dict) or not isinstance(data.get("keys"), list):
        return KeySet(problem="the answer is JSON without a list of keys")
    return KeySet(tuple(_key(each) for each in data["keys"] if isinstance(each, dict) and each.get("kty")))


def _key(data: dict[str, Any]) -> PublicKey:
    return PublicKey(
        kid=_text(data.get("kid")),
        kty=str(data["kty"]),
        alg=_text(data.get("alg")),
        use=_text(data.get("use")),
        members={name: value for name, value in data.items() if name not in _PRIVATE},
        exposed=any(name in data for name in _PRIVATE),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
