"""Hold what the EHR holds of one note, and what else stands in its visit, as read for a resend."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from diagnostics.evidence.base import Evidence
from diagnostics.vocabulary import Instant


@dataclass(frozen=True)
class DocumentSeen:
    """Be one document of the visit: what an addendum would need to name it. Never its content."""

    id: str
    status: str = ""
    stage: str = ""  # docStatus: preliminary final amended
    types: tuple[str, ...] = ()  # codes of its type
    date: str = ""
    identifiers: tuple[str, ...] = field(default=(), repr=False)  # values, masterIdentifier first


@dataclass(frozen=True, kw_only=True)
class ChartSeen(Evidence):
    """Hold what was found of the note itself, and the other documents of its visit.

    `found` counts the note's own documents, those withdrawn apart; None where it could not be asked.
    `elsewhere`: one of them stands under another patient. `others` is None where the visit could not be listed whole.
    """

    instant: ClassVar[Instant] = Instant.NOW
    how_to_get: ClassVar[str] = "a read of the note's documents at the EHR"
    found: int | None = None
    withdrawn: int = 0
    elsewhere: bool = False
    document_id: str = ""
    others: tuple[DocumentSeen, ...] | None = None
