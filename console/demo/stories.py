"""What the demo tells: ten integrations, and 25 tickets whose stories are faults of the practice EHR.

Every integration has a tenant of the practice EHR of its own. Its last story's fault stays switched on there, so that
a diagnosis asked for now meets over the network what the ticket complains of; earlier stories are long mended.
"""

from dataclasses import dataclass

from console.tickets.models import Severity, TicketState, WaitingFor

S, V = TicketState, Severity


@dataclass(frozen=True)
class Line:
    """One integration of the demo."""

    tenant: str
    facility: str
    name: str
    vendor: str
    protocol: str = "fhir"
    department: str = "internal-medicine"
    segment: tuple[str, str] = ("", "")  # name and source address of a second place that tests look from
    resends: bool = False  # whether failed notes may be sent again; production, so a second person approves

    @property
    def healthy(self) -> str | None:
        """Name the story of a good day on this line."""
        return "healthy-z-segments" if self.protocol == "hl7v2" else None


@dataclass(frozen=True)
class Tale:
    """One ticket: which fault on which line, how long ago, and what became of it."""

    tenant: str
    fault: str
    hours_ago: float
    state: str
    severity: str = V.UNDOCUMENTED
    notes: int = 1
    owner: str = ""
    waiting_for: str = ""
    department: str = ""
    comment: str = ""
    reopened: bool = False


LINES = (
    Line("north-epic", "northcampus", "North Campus clinics", "epic", segment=("satellite", "127.0.0.2"), resends=True),
    Line("north-ed", "northcampus", "North Campus emergency", "epic", department="emergency", resends=True),
    Line("north-engine", "northcampus", "North Campus interface engine", "generic", "hl7v2", "cardiology"),
    Line("north-bh", "northcampus", "North Campus behavioral health", "epic", department="behavioral-health"),
    Line("lake-athena", "lakeside", "Lakeside family medicine", "athenahealth", department="family-medicine"),
    Line("lake-ecw", "lakeside", "Lakeside pediatrics", "eclinicalworks", department="pediatrics"),
    Line("lake-engine", "lakeside", "Lakeside interface engine", "generic", "hl7v2", "family-medicine"),
    Line("harbor-oracle", "harbor", "Harbor surgery", "oracle-health", department="surgery"),
    Line("harbor-ob", "harbor", "Harbor obstetrics", "oracle-health", department="obstetrics"),
    Line("harbor-engine", "harbor", "Harbor interface engine", "generic", "hl7v2", "surgery"),
)

DESK, NIGHT = "helpdesk@northcampus.example", "nightdesk@northcampus.example"
ENGINEER, INFORMATICS = "engineer@northcampus.example", "informatics@northcampus.example"
LAKE, HARBOR = "helpdesk@lakeside.example", "helpdesk@harbor.example"

DAY = 24.0

TALES = (
    # Long mended.
    Tale("harbor-ob", "fhir-write-path", 28 * DAY, S.CLOSED, owner=HARBOR, comment="Address put right."),
    Tale("north-ed", "net-gateway-502", 25 * DAY, S.CLOSED, notes=4, owner=NIGHT, comment="Gateway restarted."),
    Tale("north-epic", "net-rate-limited", 20 * DAY, S.CLOSED, V.DELAYED, notes=3, owner=DESK),
    Tale("lake-engine", "hl7-segment-order", 18 * DAY, S.CLOSED, owner=LAKE, comment="Corrected build installed."),
    Tale("lake-athena", "auth-secret-rotated", 15 * DAY, S.CLOSED, notes=5, owner=LAKE),
    Tale("north-epic", "auth-token-expired", 12 * DAY, S.CLOSED, owner=DESK),
    Tale("harbor-engine", "hl7-internal-error", 11 * DAY, S.CLOSED, owner=HARBOR),
    Tale("north-ed", "fhir-content-type", 9 * DAY, S.CLOSED, notes=2, owner=ENGINEER),
    Tale("lake-athena", "auth-practice-moved", 8 * DAY, S.RESOLVED, notes=2, owner=LAKE),
    Tale("north-bh", "perm-encounter-closed", 5 * DAY, S.RESOLVED, owner=ENGINEER, department="behavioral-health"),
    Tale("lake-ecw", "auth-mfa-page", 4 * DAY, S.RESOLVED, notes=2, owner=LAKE),
    Tale("north-epic", "map-patient-mismatch", 3 * DAY, S.RESOLVED, V.WRONG_PATIENT, owner=INFORMATICS),
    Tale("harbor-ob", "map-codes-in-text", 2.5 * DAY, S.RESOLVED, V.MISPLACED, owner=HARBOR),
    Tale("north-ed", "scribe-retry-duplicate", 2 * DAY, S.FIXED, V.MISPLACED, owner=DESK),
    Tale("harbor-oracle", "ehr-server-error", 1.5 * DAY, S.WAITING, owner=HARBOR, waiting_for=WaitingFor.VENDOR),
    # Still there: the last of each line.
    Tale("harbor-engine", "hl7-delimiter-raw", 22.0, S.IN_PROGRESS, owner=HARBOR, reopened=True),
    Tale("harbor-oracle", "map-section-misrouted", 20.0, S.IN_PROGRESS, V.MISPLACED, notes=3, owner=HARBOR),
    Tale(
        "lake-engine", "net-tcp-refused-mllp", 7.0, S.WAITING, notes=6, owner=LAKE, waiting_for=WaitingFor.NETWORK_TEAM,
        comment="The network team looks at the interface port.",
    ),
    Tale(
        "lake-athena", "tmpl-field-renamed", 6.0, S.WAITING, V.MISPLACED, notes=4, owner=INFORMATICS,
        waiting_for=WaitingFor.EHR_TEAM, comment="Asked the EHR team which field took over.",
    ),
    Tale("harbor-ob", "fhir-payload-required", 5.0, S.FIXED, notes=2, owner=HARBOR),
    Tale("north-bh", "perm-department-restricted", 3.5, S.DIAGNOSED, department="behavioral-health"),
    Tale("north-ed", "perm-scope-read-only-v1", 2.5, S.IN_PROGRESS, notes=3, owner=DESK),
    Tale("north-engine", "hl7-text-cut", 1.5, S.DIAGNOSING, V.MISPLACED, notes=2),
    Tale("north-epic", "auth-key-not-published", 0.6, S.DIAGNOSED, notes=9),
    Tale("lake-ecw", "net-tls-chain-incomplete", 0.2, S.NEW, notes=2),
)  # fmt: skip


def live_tales() -> dict[str, Tale]:
    """Give the last tale of each line: its fault is on now."""
    return {tale.tenant: tale for tale in TALES}
