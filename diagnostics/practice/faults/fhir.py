"""Faults of the FHIR base, of the request and of the payload."""

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
    needs: tuple[str, ...] = ("live", "logs"),
    ehr: dict[str, Any] | None = None,
    scribe: dict[str, Any] | None = None,
    story: dict[str, Any] | None = None,
) -> Fault:
    return Fault(name, symptom, cause, category, mode, certainty, needs, "fhir", ehr or {}, scribe or {}, story or {})


FHIR_FAULTS = (
    _fault(
        "fhir-base-is-a-portal",
        "fhir.base.not_fhir",
        "A new integration has never filed a note: its base URL leads to the patient portal.",
        scribe={"target": "portal"},
    ),
    _fault(
        "fhir-base-is-a-sandbox",
        "fhir.base.environment",
        "The scribe reports success for every note, and none is in the chart.",
        mode="unknown",
        ehr={"base": "sandbox"},
    ),
    _fault(
        "fhir-version-old",
        "fhir.version.mismatch",
        "Every note is refused since the base URL was changed to an older interface.",
        ehr={"base": "stu3"},
    ),
    _fault(
        "fhir-create-not-offered",
        "fhir.capability.create_missing",
        "A new integration reads well but every note is refused with 405.",
        ehr={"create_advertised": False, "create_refused": True},
    ),
    _fault(
        "fhir-content-type",
        "fhir.request.content_type",
        "Every note is refused with 415 since the scribe's release.",
        scribe={"media_type": "application/json"},
    ),
    _fault(
        "fhir-document-too-large",
        "fhir.request.size",
        "Long notes are refused with 413, short ones arrive.",
        certainty="likely",
        needs=("payload", "logs"),
        ehr={"body_limit": 100_000},
        scribe={"bulk": 120_000},
    ),
    _fault(
        "fhir-write-path",
        "fhir.request.method_path",
        "A new integration gets 404 for every note, though reading works.",
        certainty="likely",
        scribe={"target": "wrong_type"},
    ),
    _fault(
        "fhir-payload-structure",
        "fhir.payload.structure",
        "Every note is refused with 400 since the scribe's release.",
        needs=("payload", "logs"),
        scribe={"payload": "structure"},
    ),
    _fault(
        "fhir-payload-required",
        "fhir.payload.required",
        "Notes of one new note type are refused with 422.",
        needs=("payload", "logs"),
        scribe={"payload": "required"},
    ),
    _fault(
        "fhir-payload-attachment",
        "fhir.payload.attachment",
        "Some notes are refused with 422: the attachment cannot be read.",
        certainty="likely",
        needs=("payload", "logs"),
        scribe={"payload": "attachment"},
    ),
    _fault(
        "fhir-reference-unknown",
        "fhir.payload.references",
        "A note is refused with 422: the encounter it names is not known to the EHR.",
        certainty="likely",
        category="field_mapping",
        needs=("payload", "logs"),
        scribe={"payload": "references"},
        story={"without": ("encounter",)},
    ),
    _fault(
        "fhir-identifier-reused",
        "fhir.outcome.duplicate",
        "A note is refused with 409 because another note has its identifier.",
        certainty="possible",
        needs=("logs",),
        ehr={"duplicate_refused": True},
        scribe={"reuse_identifier": True},
    ),
    _fault(
        "fhir-accepted-never-filed",
        "fhir.outcome.accepted_202",
        "The scribe says delivered, the EHR says accepted, and forty minutes later there is no note.",
        mode="delayed",
        certainty="possible",
        needs=("logs", "filed"),
        ehr={"accept_later": "lost"},
        story={"minutes_ago": 40.0},
    ),
    _fault(
        "fhir-not-readable-after-create",
        "fhir.readback.absent",
        "The EHR answers 201 with an address, and nothing can be read there.",
        mode="delayed",
        certainty="possible",
        ehr={"readback": "absent"},
        story={"minutes_ago": 40.0},
    ),
)
