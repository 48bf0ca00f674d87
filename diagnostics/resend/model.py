"""Define what a resend is made of: the way it goes, the plan that is approved, and what became of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Way(StrEnum):
    """List the ways in which a note may go to the EHR a second time."""

    CREATE = "create"  # FHIR POST of the original resource
    CONDITIONAL_CREATE = "conditional_create"  # the same with If-None-Exist: the server itself refuses to duplicate
    APPEND = "append"  # FHIR POST that appends to a document already filed (DocumentReference.relatesTo)
    MESSAGE = "message"  # the original HL7 v2 message, MSH-10 and TXA-12 kept
    ADDENDUM = "addendum"  # MDM^T06 with the filed document as its parent (TXA-13)


class Fate(StrEnum):
    """List what may have become of a resend."""

    ALREADY = "already"  # found before sending: nothing was sent
    CREATED = "created"  # the EHR took it
    MATCHED = "matched"  # the EHR recognised it and made no second document
    REFUSED = "refused"  # the EHR said no
    FOUND = "found"  # the answer was lost or unclear, and reading back found it
    UNKNOWN = "unknown"  # the answer was lost, and reading back could not decide
    ABSENT = "absent"  # the answer was lost, and reading back looked everywhere it can and saw nothing
    NOT_SENT = "not_sent"  # surely nothing left this side


SETTLED = frozenset((Fate.ALREADY, Fate.CREATED, Fate.MATCHED, Fate.FOUND))
"""The fates after which the EHR holds the note."""
UNCERTAIN = frozenset((Fate.UNKNOWN, Fate.ABSENT))
"""The fates after which nothing is sent again by itself: only `look` may follow."""


@dataclass(frozen=True)
class Difference:
    """Be one difference between what failed and what would be sent now, in plain words and redacted."""

    where: str
    before: str | None
    after: str | None
    why: str


@dataclass(frozen=True)
class Lookup:
    """Say how the note's document is recognised at the EHR; the values are a patient's and stay out of every log.

    `identifiers`: (system or '', value), the note's own first. `patient`, `encounter`: relative references.
    `content`: fingerprints of its text. `by_identifier`, `by_visit`: whether the server can be asked that way.
    """

    kind: str = "DocumentReference"
    identifiers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    patient: str | None = field(default=None, repr=False)
    encounter: str | None = field(default=None, repr=False)
    date: str | None = None  # the day, YYYY-MM-DD
    content: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()  # codes of the document's type
    by_identifier: bool = False
    by_visit: bool = False

    @property
    def possible(self) -> bool:
        """Tell whether the EHR can be asked at all."""
        return self.by_identifier or self.by_visit


@dataclass(frozen=True)
class ResendPlan:
    """Be exactly what would be sent, or why nothing may be sent.

    `way` is None where `refused` says why not and what to do instead. `headers` hold no credential. `url` is the
    address of the create without query, or `mllp://host:port` (`mllps://`). `looks_for` says what is read first;
    `warning`, where not empty, what a sender must know. `digest` is what an approval binds.
    """

    way: Way | None
    refused: str = ""
    method: str = ""
    url: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    differences: tuple[Difference, ...] = ()
    looks_for: str = ""
    warning: str = ""
    lookup: Lookup = field(default_factory=Lookup, repr=False)
    control_id: str = ""  # MSH-10 of what would be sent

    @property
    def digest(self) -> str:
        """Return the hash of all that would be sent, 64 hexadecimal digits; empty where nothing may be sent."""
        if self.way is None:
            return ""
        parts = [self.way.value, self.method, self.url, self.content_type]
        parts += [f"{name.lower()}: {value}" for name, value in self.headers]
        hashed = hashlib.sha256()
        for part in [*(each.encode("utf-8", "surrogatepass") for each in parts), self.body]:
            hashed.update(len(part).to_bytes(8, "big") + part)  # lengths keep neighbours apart
        return hashed.hexdigest()


@dataclass(frozen=True)
class Sent:
    """Be what became of a resend, or of looking for one.

    `says` is told to a person. `found` counts the documents at the EHR that carry the note's identifier or its
    content; None where that could not be asked. `elsewhere`: one of them stands under another patient. `reason`
    holds the EHR's own words, redacted.
    """

    fate: Fate
    says: str
    at: datetime
    status: int | None = None  # HTTP
    ack: str = ""  # MSA-1
    document_id: str = ""
    request_id: str = ""
    found: int | None = None
    elsewhere: bool = False
    reason: str = ""
