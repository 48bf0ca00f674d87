"""The keys of a facility: made once, kept wrapped by the master key, unwrapped in memory only."""

from __future__ import annotations

import secrets
import uuid
from functools import lru_cache
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.db import transaction

from console.shared.sealing import DataKey, Keyring, MasterKeyError, master_keys, unwrap, wrap

if TYPE_CHECKING:  # models with sealed fields import this module, so it must not import them
    from console.accounts.models import Facility, FacilityKey


def keyring(facility_id: uuid.UUID) -> Keyring:
    """Give a facility's keys; kept in memory for the life of the process, so a rotation needs a restart."""
    return _keyring(facility_id, tuple(settings.MASTER_KEYS))


@lru_cache(maxsize=256)
def _keyring(facility_id: uuid.UUID, words: tuple[str, ...]) -> Keyring:
    masters = master_keys(list(words))
    kept = _kept()
    rows = list(kept.objects.filter(facility_id=facility_id).order_by("created_at", "id"))
    absent = sorted({row.master_id for row in rows} - masters.keys())
    if absent:
        raise MasterKeyError(f"NOTETRACE_MASTER_KEY lacks the key {absent[0]}, which this facility's keys need.")
    secret_of = {row.id: unwrap(row.wrapped, masters[row.master_id], about(row)) for row in rows}
    data = [DataKey(row.id, secret_of[row.id]) for row in rows if row.purpose == kept.Purpose.DATA]
    hashes = [secret_of[row.id] for row in rows if row.purpose == kept.Purpose.HASH]
    if not data or not hashes:
        raise LookupError(f"Facility {facility_id} has no keys; it was not made by accounts.services.open_facility.")
    return Keyring(facility_id, current=data[-1], all={key.id: key for key in data}, hash_key=hashes[0])


def _kept() -> type[FacilityKey]:
    return apps.get_model("accounts", "FacilityKey")


def about(row: FacilityKey) -> bytes:
    """Bind a wrapped key to its row, so that two facilities' keys cannot be exchanged."""
    return b"\0".join((b"facility-key", row.purpose.encode(), row.id.bytes + row.facility_id.bytes))


@transaction.atomic
def make_keys(facility: Facility) -> None:
    """Make a new facility's data key and hash key."""
    for purpose in _kept().Purpose.values:
        add_key(facility, purpose)


def add_key(facility: Facility, purpose: str) -> FacilityKey:
    """Make one key; for the data purpose it is the one that seals from now on (earlier ones still open)."""
    masters = master_keys(settings.MASTER_KEYS)
    master_id, master = next(iter(masters.items()))
    row = _kept()(facility=facility, purpose=purpose, master_id=master_id)
    row.wrapped = wrap(secrets.token_bytes(32), master, about(row))
    row.save(force_insert=True)
    _keyring.cache_clear()
    return row
