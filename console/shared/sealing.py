"""Seal and open single values: AES-256-GCM, bound to where the value stands.

A sealed value moved to another row, column, table or facility does not open: its address is authenticated with it.
Layout: version (1 byte) · key id (16 bytes) · nonce (12) · ciphertext and tag.
"""

import hashlib
import json
import os
import re
import secrets
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from diagnostics.identity import plain

VERSION = b"\x01"
NONCE_BYTES = 12
HASH_BYTES = 20
_NONCES = 256
_DRESSED = re.compile(r"[|/:\s]").search  # only with one of these is an id more than its plain form


class SealError(Exception):
    """A sealed value does not open. The message never holds the value."""


@dataclass(frozen=True)
class Address:
    """Where a sealed value stands."""

    table: str
    column: str
    row: uuid.UUID
    facility: uuid.UUID

    def as_bytes(self) -> bytes:
        """Give the authenticated data; lengths are fixed or ended by a zero byte, so no two addresses are alike."""
        return b"\0".join((self.table.encode(), self.column.encode(), self.row.bytes + self.facility.bytes))


@dataclass(frozen=True)
class DataKey:
    """One facility's key, unwrapped."""

    id: uuid.UUID
    secret: bytes = field(repr=False)


@dataclass(frozen=True)
class Keyring:
    """What a facility needs to seal, open and look up: the current key, the earlier ones, and the key of its hashes."""

    facility: uuid.UUID
    current: DataKey
    all: dict[uuid.UUID, DataKey] = field(repr=False)
    hash_key: bytes = field(repr=False)

    def seal(self, plain: bytes, address: Address) -> bytes:
        """Encrypt a value for its address."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = AESGCM(self.current.secret).encrypt(nonce, plain, address.as_bytes())
        return VERSION + self.current.id.bytes + nonce + sealed

    def open(self, sealed: bytes, address: Address) -> bytes:
        """Decrypt a value; raise SealError where it was changed, moved, or its key is not here."""
        sealed = bytes(sealed)
        if sealed[:1] != VERSION or len(sealed) < 45:
            raise SealError(f"{address.table}.{address.column} holds no sealed value.")
        key = self.all.get(uuid.UUID(bytes=sealed[1:17]))
        if key is None:
            raise SealError(f"{address.table}.{address.column} is sealed with a key that is not here.")
        try:
            return AESGCM(key.secret).decrypt(sealed[17:29], sealed[29:], address.as_bytes())
        except InvalidTag:
            raise SealError(f"{address.table}.{address.column} was changed or moved since it was sealed.") from None

    def hash(self, value: str, kind: str) -> bytes:
        """Give the keyed hash by which a sealed id is found again; `Encounter/E-1` and `E-1` are the same id."""
        normal = normal_id(value)
        return hashlib.blake2b(
            f"{kind}\0{normal}".encode(), key=self.hash_key, digest_size=HASH_BYTES, person=b"notetrace-id"
        ).digest()

    def sealer(self, table: str, column: str) -> Callable[[bytes, bytes], bytes]:
        """Give a function that seals (value, 16 bytes of the row's id) for one column: as `seal`, for many rows."""
        key, head = AESGCM(self.current.secret), VERSION + self.current.id.bytes
        before, after = b"\0".join((table.encode(), column.encode(), b"")), self.facility.bytes

        nonces: list[bytes] = []
        made_in = 0

        def seal(plain: bytes, row: bytes) -> bytes:
            nonlocal made_in
            if not nonces or made_in != os.getpid():  # a forked process must not seal with its parent's nonces
                made_in, fresh = os.getpid(), os.urandom(_NONCES * NONCE_BYTES)
                nonces[:] = [fresh[at : at + NONCE_BYTES] for at in range(0, len(fresh), NONCE_BYTES)]
            nonce = nonces.pop()
            return head + nonce + key.encrypt(nonce, plain, before + row + after)

        return seal

    def hasher(self, kind: str) -> Callable[[str], bytes]:
        """Give a function that hashes ids of one kind: as `hash`, for many ids."""
        start = hashlib.blake2b(f"{kind}\0".encode(), key=self.hash_key, digest_size=HASH_BYTES, person=b"notetrace-id")

        def digest(value: str) -> bytes:
            one = start.copy()
            one.update((normal_id(value) if _DRESSED(value) else value).encode())
            return one.digest()

        return digest


def normal_id(value: str) -> str:
    """Bring an id into the one form that is hashed: as the engine compares ids, so that both join alike."""
    return plain(value) or value.strip()


def to_bytes(value: Any) -> bytes:
    """Serialise a JSON value the same way every time."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class MasterKeyError(Exception):
    """The master key is missing or unreadable; the message names the setting, never the key."""


def master_keys(words: list[str]) -> dict[str, bytes]:
    """Read `id:64 hex digits` words; the first wraps new data keys, the others still open old ones."""
    keys: dict[str, bytes] = {}
    for word in words:
        name, colon, digits = word.partition(":")
        try:
            secret = bytes.fromhex(digits)
        except ValueError:
            secret = b""
        if not colon or len(secret) != 32:
            raise MasterKeyError("NOTETRACE_MASTER_KEY must hold words of the form id:64-hex-digits.")
        keys[name] = secret
    if not keys:
        raise MasterKeyError("NOTETRACE_MASTER_KEY is not set, so nothing can be sealed or opened.")
    return keys


def wrap(secret: bytes, master: bytes, about: bytes) -> bytes:
    """Encrypt a data key with the master key, bound to what the key is for."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return nonce + AESGCM(master).encrypt(nonce, secret, about)


def unwrap(wrapped: bytes, master: bytes, about: bytes) -> bytes:
    """Open a data key."""
    wrapped = bytes(wrapped)
    try:
        return AESGCM(master).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], about)
    except InvalidTag:
        raise SealError("A facility's key does not open with this master key.") from None
