"""Faults of the two programs at the ends: the EHR failing inside, the scribe not doing its part."""

from __future__ import annotations

from diagnostics.practice.fault import Fault

SCRIBE_FAULTS = (
    Fault(
        "ehr-server-error",
        "Every note is refused with 500; the EHR itself says that something failed inside.",
        "ehr.server.error",
        "ehr_defect",
        "rejected",
        "likely",
        ("logs", "live"),
        ehr={"server_error": True},
    ),
    Fault(
        "scribe-not-generated",
        "A provider waits for a note of which neither system has any trace.",
        "scribe.note.not_generated",
        "scribe_defect",
        "not_generated",
        "proven",
        ("logs",),
        scribe={"stops": "before_generating"},
    ),
    Fault(
        "scribe-not-sent",
        "The scribe shows the note as finished, and it was never sent.",
        "scribe.note.not_sent",
        "scribe_defect",
        "never_sent",
        "proven",
        ("logs",),
        scribe={"stops": "after_packaging"},
        story={"minutes_ago": 90.0},
    ),
    Fault(
        "scribe-retry-duplicate",
        "The same note stands twice in the chart.",
        "scribe.retry.duplicate",
        "scribe_defect",
        "duplicate",
        "proven",
        ("logs",),
        ehr={"answer_delay_s": 0.8},
        scribe={"timeout_s": 0.3, "retry": "new_identifier"},
    ),
    Fault(
        "scribe-timeout-short",
        "The scribe reports a failure, yet the note is in the chart.",
        "scribe.timeout.short",
        "scribe_defect",
        "delivered",
        "proven",
        ("logs",),
        ehr={"answer_delay_s": 0.8, "processing_s": 9.0},
        scribe={"timeout_s": 0.3, "nominal_timeout_s": 2.0},
    ),
)
