"""Hold what the HL7 v2 listener shows now."""

from dataclasses import dataclass
from typing import ClassVar

from diagnostics.evidence.base import Evidence
from diagnostics.evidence.network import FaultSeen
from diagnostics.vocabulary import Instant


@dataclass(frozen=True, kw_only=True)
class CanaryMessage(Evidence):
    """Hold the acknowledgement of one message for the test patient; sent only where the case allows it.

    `state`: acknowledged | unanswered | misframed | mismatched | unreached | earlier.
    """

    instant: ClassVar[Instant] = Instant.NOW
    how_to_get: ClassVar[str] = "a canary message: allow it in the integration's HL7 settings"
    state: str
    ack: str | None = None  # MSA-1
    ack_id: str | None = None  # MSA-2
    errors: tuple[str, ...] = ()  # codes of table 0357
    error_locations: tuple[str, ...] = ()
    emitter: str = ""  # MSH-3 of the acknowledgement
    fault: FaultSeen | None = None
    ms: float = 0.0
