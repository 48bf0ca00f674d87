"""Keep what was received (the judge of duplicate writes) and what the EHR itself says of it (its audit trail)."""

from __future__ import annotations

import datetime
import hashlib
import json
import threading
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_DOCUMENTS = frozenset(("DocumentReference", "Composition", "MDM", "ORU"))


class StoryClock:
    """Tell the time of a tenant's story: real time, shifted while past events are being played."""

    def __init__(self) -> None:
        self.shift_s = 0.0

    def now(self) -> datetime.datetime:
        """Give the story's present in UTC."""
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=self.shift_s)

    def timestamp(self) -> float:
        """Give the story's present as seconds since the epoch."""
        return time.time() + self.shift_s


def fingerprint(secret: str | None) -> str | None:
    """Shorten a secret to a hash that can be compared and told to nobody."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16] if secret else None


@dataclass
class LedgerEntry:
    """One thing that reached the practice, whatever became of it."""

    at: str
    tenant: str
    service: str
    method: str
    target: str
    token: str | None = None
    body_sha256: str | None = None
    ids: list[str] = field(default_factory=list)
    created: str | None = None
    status: int | str | None = None


class Ledger:
    """Record everything received, in order, for all tenants; safe to read from another thread."""

    def __init__(self, path: Path | None = None) -> None:
        self._entries: list[LedgerEntry] = []
        self._lock = threading.Lock()
        self._path = path

    def add(self, entry: LedgerEntry) -> LedgerEntry:
        """Note an arrival before it is answered: a crash afterwards must not hide it."""
        with self._lock:
            self._entries.append(entry)
        return entry

    def close_entry(self, entry: LedgerEntry, status: int | str | None) -> None:
        """Note how it was answered; a stalled or torn one keeps no status."""
        entry.status = status
        if self._path:
            with self._lock, self._path.open("a", encoding="utf-8") as handle:
                handle.write(json.dumps(asdict(entry)) + "\n")

    def entries(self, tenant: str | None = None, service: str | None = None) -> list[LedgerEntry]:
        """List arrivals, oldest first."""
        with self._lock:
            found = list(self._entries)
        return [e for e in found if tenant in (None, e.tenant) and service in (None, e.service)]

    def creates(self, tenant: str | None = None) -> list[LedgerEntry]:
        """List the arrivals that stored something new."""
        return [e for e in self.entries(tenant) if e.created]

    def documents(self, tenant: str | None = None) -> Counter[str]:
        """Count the documents stored under each identifier: above one, a note stands twice in the chart."""
        stored = [e for e in self.creates(tenant) if (e.created or "").partition("/")[0] in _DOCUMENTS]
        return Counter(id for entry in stored for id in dict.fromkeys(entry.ids))

    def clear(self, tenant: str | None = None) -> None:
        """Forget one tenant's arrivals, or all."""
        with self._lock:
            self._entries = [e for e in self._entries if tenant is not None and e.tenant != tenant]


class AuditTrail:
    """Write the EHR's own log in the row format of case folders."""

    def __init__(self, clock: StoryClock, path: Path | None = None) -> None:
        self._clock = clock
        self._rows: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._path = path
        self.offset_s = 0.0

    def write(self, event: str, *, after_s: float = 0.0, **values: Any) -> None:
        """Add a row, stamped `after_s` later where the story was slow; empty values are left out."""
        at = self._clock.now() + datetime.timedelta(seconds=self.offset_s + after_s)
        row = {"at": at.isoformat(timespec="milliseconds"), "event": event}
        row |= {key: value for key, value in values.items() if value not in (None, "", {})}
        with self._lock:
            self._rows.append(row)
            if self._path:
                with self._path.open("a", encoding="utf-8") as handle:
                    handle.write(json.dumps(row) + "\n")

    def rows(self) -> list[dict[str, Any]]:
        """List the rows as written."""
        with self._lock:
            return [dict(row) for row in self._rows]

    def clear(self) -> None:
        """Forget all rows."""
        with self._lock:
            self._rows.clear()
