"""Declare what lies outside the six categories: the EHR itself, the scribe itself, operations."""

from diagnostics.causes.model import RUN_AGAIN, Action, Kind, RemedyStep, declare
from diagnostics.vocabulary import Layer, WhoActs

SERVER_ERROR = declare(
    "ehr.server.error",
    "The EHR itself failed while it worked on a valid request",
    layer=Layer.ACCEPTANCE,
    who=WhoActs.EHR_VENDOR,
    remedy=(
        "Look whether the note is in the chart: an error can come after filing",
        RemedyStep(
            "Send the vendor the time in UTC, the endpoint, the status and the request id, without patient data",
            Action.SEND_PACKET,
        ),
        RemedyStep("Resend once the vendor confirms that the fault is gone", Action.RESEND),
        RUN_AGAIN,
    ),
    checklist=("DONE.1", "DONE.2"),
    standard="RFC 9110 section 15.6",
    caution="Proxies and gateways answer with the same statuses; their headers give them away.",
    explains=("fhir.outcome.issue", "hl7.ack.negative", "fhir.readback.absent"),
)
AUDIT_GAP = declare(
    "ops.audit.gap",
    "The EHR's audit trail does not record what the scribe writes",
    kind=Kind.WARNING,
    layer=Layer.CONFIGURATION,
    who=WhoActs.EHR_TEAM,
    remedy=("Ask the EHR team to switch on detailed auditing of writes through the interface",),
    checklist=("DONE.2",),
)
VENDOR_MAINTENANCE = declare(
    "ops.vendor.maintenance",
    "The note was sent during the vendor's maintenance window",
    layer=Layer.GATEWAY,
    who=WhoActs.HELP_DESK,
    remedy=(
        RemedyStep("Wait until the window is over, then resend the waiting notes", Action.RESEND),
        "Ask the scribe vendor to hold its queue during announced windows",
        RUN_AGAIN,
    ),
    checklist=("DONE.1", "DONE.2"),
    caution="Only what failed while the window was open is explained by it.",
    explains=(
        *("net.timeout.gateway", "ehr.server.error", "net.tcp.refused", "hl7.ack.missing", "ops.vendor.outage"),
        *("net.tcp.timeout", "auth.refresh.last_success_gap"),
    ),
)
VENDOR_OUTAGE = declare(
    "ops.vendor.outage",
    "The EHR fails for several sites at the same time",
    layer=Layer.GATEWAY,
    who=WhoActs.EHR_VENDOR,
    remedy=(
        "Look at the vendor's status page, and open a case as an outage of several sites",
        RemedyStep(
            "Give the vendor request ids, times in UTC, tenant, endpoint and statuses, without patient data",
            Action.SEND_PACKET,
        ),
        RemedyStep(
            "Hold the queue until the vendor says that it is over, then resend the waiting notes", Action.RESEND
        ),
        RUN_AGAIN,
    ),
    checklist=("EHR.1", "EHR.2", "EHR.3", "EHR.4"),
    standard="RFC 9110 section 15.6",
    caution="Several sites behind one proxy of our own fail together as well.",
    explains=("net.timeout.gateway", "ehr.server.error", "fhir.outcome.issue", "auth.refresh.last_success_gap"),
)
RELEASE_NOTES = declare(
    "ops.release_notes",
    "A release note about the EHR's interfaces has not been read yet",
    kind=Kind.WARNING,
    layer=Layer.CONFIGURATION,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=("Read the release note for changes of FHIR, HL7 or sign-in, and record that it was reviewed",),
    checklist=("WRITE.7",),
)
POST_UPGRADE = declare(
    "ops.post_upgrade",
    "The EHR was upgraded, and the checks after an upgrade have not been made",
    kind=Kind.WARNING,
    layer=Layer.CONFIGURATION,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=("Work through the post-upgrade validation, and keep a good run as the new baseline",),
    checklist=("UPGRADE.1", "UPGRADE.2", "UPGRADE.3"),
)
NOTE_NOT_GENERATED = declare(
    "scribe.note.not_generated",
    "The scribe never made a note for this encounter",
    layer=Layer.CONFIGURATION,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Ask the provider whether the recording was started, ended and approved",
        RemedyStep("Give the scribe vendor the encounter and the time of the visit", Action.SEND_PACKET),
        "Have the encounter documented by hand",
        RUN_AGAIN,
    ),
    checklist=("DONE.1",),
)
NOTE_NOT_SENT = declare(
    "scribe.note.not_sent",
    "The scribe made the note but never tried to send it",
    layer=Layer.CONFIGURATION,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        RemedyStep("Ask the scribe vendor why the note is still in its queue", Action.SEND_PACKET),
        "Check whether it waits for the provider's approval",
        "Have it sent, or entered by hand",
        RUN_AGAIN,
    ),
    checklist=("DONE.1", "DONE.2"),
)
RETRY_DUPLICATE = declare(
    "scribe.retry.duplicate",
    "The scribe sent the note twice and both copies were filed",
    layer=Layer.OUTCOME,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Have one copy marked as entered in error",
        RemedyStep(
            "Ask the scribe vendor to keep the same identifier over retries and to look before sending again",
            Action.SEND_PACKET,
        ),
        RUN_AGAIN,
    ),
    checklist=("DONE.1", "DONE.2"),
    explains=("fhir.outcome.duplicate",),
)
TIMEOUT_SHORT = declare(
    "scribe.timeout.short",
    "The note was filed, but the scribe stopped waiting before the answer came",
    layer=Layer.OUTCOME,
    who=WhoActs.SCRIBE_VENDOR,
    remedy=(
        "Do not resend: the note is in the chart",
        RemedyStep("Ask the scribe vendor to wait longer than the EHR's slowest usual answer", Action.SEND_PACKET),
        RUN_AGAIN,
    ),
    checklist=("DONE.1",),
    explains=("net.timeout.gateway", "hl7.ack.missing"),
)
