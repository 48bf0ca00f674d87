"""Hold the words every part of the engine shares, in the order that gives them meaning.

The words are those of the product's vocabulary; the values are those of the public `--json` document.
"""

from enum import IntEnum, StrEnum


class Step(IntEnum):
    """Name the six diagnostic steps in their fixed order (guide, steps 1 to 6)."""

    AUTHENTICATION = 1
    WRITE_BACK = 2
    MAPPING = 3
    NETWORK = 4
    PERMISSIONS = 5
    MONITORING = 6

    @property
    def title(self) -> str:
        """Return the name shown on every page."""
        return _STEP_TITLES[self]


_STEP_TITLES = {
    Step.AUTHENTICATION: "Connectivity and authentication",
    Step.WRITE_BACK: "FHIR and HL7 write-back",
    Step.MAPPING: "Field mapping and templates",
    Step.NETWORK: "Network and infrastructure",
    Step.PERMISSIONS: "Permissions",
    Step.MONITORING: "Monitoring",
}


class FailureMode(StrEnum):
    """Say what became of the note (domain.md section 5)."""

    NOT_GENERATED = "not_generated"
    NEVER_SENT = "never_sent"
    REJECTED = "rejected"
    MISPLACED = "misplaced"
    PARTIAL = "partial"
    DUPLICATE = "duplicate"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"


class Stage(StrEnum):
    """Name the stages of a note's journey, in order."""

    GENERATED = "generated"
    PACKAGED = "packaged"
    SENT = "sent"
    ACCEPTED = "accepted"
    FILED = "filed"


class StageState(StrEnum):
    """Say how one stage of the journey went."""

    OK = "ok"
    BROKEN = "broken"
    UNKNOWN = "unknown"
    NOT_REACHED = "not_reached"


class Category(StrEnum):
    """Name the six root-cause categories and the two outside them (domain.md, conventions)."""

    AUTHENTICATION = "authentication"
    ENDPOINT_CONFIGURATION = "endpoint_configuration"
    FIELD_MAPPING = "field_mapping"
    TEMPLATE_CONFLICT = "template_conflict"
    NETWORK = "network"
    PERMISSIONS = "permissions"
    EHR_DEFECT = "ehr_defect"
    SCRIBE_DEFECT = "scribe_defect"


class Outcome(StrEnum):
    """Give a check's status, worst first, so that a step shows the worst of its checks."""

    FAILED = "failed"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"
    BLOCKED = "blocked"
    PASSED = "passed"
    NOT_APPLICABLE = "not_applicable"


class Strength(IntEnum):
    """Weigh a finding as domain.md does: decisive, strong, moderate, weak."""

    DECISIVE = 10
    STRONG = 6
    MODERATE = 3
    WEAK = 1


class Certainty(StrEnum):
    """Say how sure a cause is: proven needs a decisive finding."""

    PROVEN = "proven"
    LIKELY = "likely"
    POSSIBLE = "possible"


class WhoActs(StrEnum):
    """Name who must act to remove a cause."""

    HELP_DESK = "help_desk"
    INTEGRATION_ENGINEER = "integration_engineer"
    EHR_TEAM = "ehr_team"
    NETWORK_TEAM = "network_team"
    INFORMATICS = "informatics"
    SCRIBE_VENDOR = "scribe_vendor"
    EHR_VENDOR = "ehr_vendor"
    PROVIDER = "provider"


class Layer(IntEnum):
    """Order causes from the wire up to the chart (domain.md section 0, layer model)."""

    CONFIGURATION = 0
    DNS = 1
    TCP = 2
    TLS = 3
    GATEWAY = 4
    DISCOVERY = 5
    TOKEN = 6
    AUTHORIZATION = 7
    REQUEST = 8
    CONTENT = 9
    ACCEPTANCE = 10
    FILING = 11
    OUTCOME = 12


class Instant(StrEnum):
    """Say which moment a finding speaks of, because the failure's instant outranks a probe made now."""

    THEN = "then"  # recorded at the failure: log rows, the payload as sent, what the chart holds
    NOW = "now"  # a probe made by this run
    STANDING = "standing"  # configuration and snapshots that held then and hold now
