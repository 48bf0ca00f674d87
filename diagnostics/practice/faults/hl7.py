"""Faults of framing, message and acknowledgement in HL7 v2."""

from __future__ import annotations

from typing import Any

from diagnostics.practice.fault import Fault


def _fault(
    name: str,
    cause: str,
    symptom: str,
    *,
    mode: str = "rejected",
    certainty: str = "proven",
    category: str = "endpoint_configuration",
    needs: tuple[str, ...] = ("payload", "logs"),
    ehr: dict[str, Any] | None = None,
    scribe: dict[str, Any] | None = None,
    story: dict[str, Any] | None = None,
) -> Fault:
    return Fault(name, symptom, cause, category, mode, certainty, needs, "hl7v2", ehr or {}, scribe or {}, story or {})


def _message(
    name: str, cause: str, symptom: str, message: str, certainty: str = "proven", *, quick: bool = False
) -> Fault:
    habits: dict[str, Any] = {"message": message} | ({"timeout_s": 0.3} if quick else {})
    return _fault(name, cause, symptom, certainty=certainty, scribe=habits)


HL7_FAULTS = (
    _message(
        "hl7-frame-unended",
        "hl7.mllp.framing",
        "Messages leave the scribe and no answer ever comes; the engine throws half a frame away.",
        "no_end",
        quick=True,
    ),
    _message("hl7-byte-order-mark", "hl7.msh.first", "Every message is refused since the scribe's release.", "bom"),
    _message("hl7-event-wrong", "hl7.msh.type", "Every note is refused as an event the EHR does not take.", "event"),
    _message(
        "hl7-version-unknown",
        "hl7.msh.version",
        "Every note is refused since the version was raised.",
        "version",
        "likely",
    ),
    _fault(
        "hl7-version-withdrawn",
        "hl7.msh.version",
        "Every note is refused since the interface engine was replaced.",
        certainty="likely",
        ehr={"hl7_versions": ("2.3", "2.3.1")},
    ),
    _message(
        "hl7-training-message",
        "hl7.msh.processing_id",
        "A new integration's notes are refused: they still call themselves test messages.",
        "training",
    ),
    _message(
        "hl7-control-id-too-long",
        "hl7.msh.control_id",
        "Every note is refused since the scribe made its message numbers longer.",
        "long_id",
        "possible",
    ),
    _message("hl7-segment-order", "hl7.grammar.order", "Every note is refused since the scribe's release.", "order"),
    _message(
        "hl7-segment-missing",
        "hl7.grammar.missing",
        "Every note is refused: the document header is not there.",
        "missing",
    ),
    _message(
        "hl7-field-empty",
        "hl7.field.required",
        "Notes of one type are refused: a required field is empty.",
        "empty_field",
    ),
    _fault(
        "hl7-text-too-long",
        "hl7.field.length",
        "Long notes are refused, short ones arrive.",
        certainty="likely",
        ehr={"obx_limit": 4000},
        scribe={"message": "one_line", "bulk": 6000},
        story={"field_limits": {"OBX-5": 4000}},
    ),
    _message(
        "hl7-encoding-undeclared",
        "hl7.encoding.undeclared",
        "Notes with accents or long dashes are refused, plain ones arrive.",
        "unicode",
    ),
    _message("hl7-delimiter-raw", "hl7.escape", "Notes that hold an ampersand are refused.", "raw_delimiter", "likely"),
    _message("hl7-line-break-raw", "hl7.linebreak", "Notes with several paragraphs are refused.", "raw_linebreak"),
    _fault(
        "hl7-text-cut",
        "hl7.note.truncated",
        "Notes arrive, but long sections end in the middle of a word.",
        mode="partial",
        certainty="likely",
        needs=("payload", "filed"),
        ehr={"obx_silent_cut": 1000},
        scribe={"bulk": 2600},
    ),
    _fault(
        "hl7-internal-error",
        "hl7.ack.negative",
        "Every note is refused; the engine says that it failed inside.",
        certainty="likely",
        category="ehr_defect",
        needs=("logs",),
        ehr={"ack": "internal_error"},
    ),
    _fault(
        "hl7-patient-unknown",
        "hl7.ack.negative",
        "A note is refused: the EHR does not know the patient or visit.",
        certainty="likely",
        category="field_mapping",
        needs=("logs",),
        ehr={"ack": "unknown_key"},
    ),
    _fault(
        "hl7-record-locked",
        "hl7.ack.negative",
        "A note is refused: the record is locked.",
        certainty="likely",
        category="permissions",
        needs=("logs",),
        ehr={"ack": "locked"},
    ),
    _fault(
        "hl7-no-answer",
        "hl7.ack.missing",
        "Messages leave the scribe and no answer comes back within half a minute.",
        mode="unknown",
        certainty="possible",
        needs=("logs",),
        ehr={"ack": "none"},
        scribe={"timeout_s": 0.3},
        story={"without": ("ehr", "filed")},
    ),
    _fault(
        "hl7-answer-for-another",
        "hl7.ack.mismatch",
        "The scribe reports failures, yet the notes are in the chart: the answers carry another id.",
        mode="delivered",
        certainty="possible",
        needs=("logs",),
        ehr={"ack": "other_id"},
    ),
)
