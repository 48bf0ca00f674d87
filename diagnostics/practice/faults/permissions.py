"""Faults of scopes, grants, encounters and attribution."""

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
    needs: tuple[str, ...] = ("live", "logs"),
    ehr: dict[str, Any] | None = None,
    scribe: dict[str, Any] | None = None,
    story: dict[str, Any] | None = None,
) -> Fault:
    return Fault(
        name, symptom, cause, "permissions", mode, certainty, needs, "fhir", ehr or {}, scribe or {}, story or {}
    )


_DOCUMENT_GRANTS = ("document:read", "document:write")

PERMISSION_FAULTS = (
    _fault(
        "perm-scope-read-only-v1",
        "perm.scope.write_missing",
        "Every note is refused with 403; reading works.",
        ehr={
            "granted_scopes": (
                "system/DocumentReference.read",
                "system/Encounter.read",
                "system/Patient.read",
                "system/Condition.write",
                "system/Observation.write",
            )
        },
    ),
    _fault(
        "perm-scope-read-only-v2",
        "perm.scope.write_missing",
        "Every note is refused with 403 since scopes were rewritten in the new style.",
        ehr={
            "granted_scopes": (
                "system/DocumentReference.rs",
                "system/Encounter.rs",
                "system/Patient.rs",
                "system/Condition.cruds",
                "system/Observation.cruds",
            )
        },
    ),
    _fault(
        "perm-write-denied",
        "perm.read_ok_write_denied",
        "Notes can be read with the integration's account but not created.",
        ehr={"permission": "no_write"},
        story={"without": ("roles",)},
    ),
    _fault(
        "perm-grants-missing",
        "perm.rbac.matrix",
        "A newly made service account can neither read nor write documents.",
        certainty="likely",
        needs=("roles", "logs"),
        ehr={"permission": "nothing"},
        story={"grants_lost": _DOCUMENT_GRANTS},
    ),
    _fault(
        "perm-grants-lost",
        "perm.drift",
        "Every note is refused with 403 since last night's EHR upgrade.",
        needs=("roles", "logs"),
        ehr={"permission": "nothing"},
        story={
            "grants_lost": _DOCUMENT_GRANTS,
            "roles_changed": True,
            "change": {"kind": "role", "what": "{account}", "from": "{all_grants}", "to": "{left_grants}"},
        },
    ),
    _fault(
        "perm-encounter-closed",
        "perm.encounter.closed",
        "A note dictated in the evening is refused: its visit was signed and closed.",
        needs=("logs", "encounter"),
        story={"encounter": {"status": "finished", "signed": True}},
    ),
    _fault(
        "perm-encounter-owner",
        "perm.encounter.owner",
        "Notes of a covering provider are refused; the visit belongs to a colleague.",
        certainty="likely",
        needs=("logs", "encounter"),
        ehr={"encounter_rule": "owner"},
        story={"encounter": {"owner": "prov-9"}},
    ),
    _fault(
        "perm-department-restricted",
        "perm.department.restricted",
        "Notes of one unit are refused, all others arrive.",
        needs=("logs", "encounter", "roles"),
        ehr={"encounter_rule": "department"},
        story={
            "encounter": {"department": "behavioral-health", "confidentiality": "R"},
            "departments": ("internal-medicine", "family-medicine"),
        },
    ),
    _fault(
        "perm-attribution-wrong",
        "perm.attribution.wrong",
        "Notes stand in the chart under the integration's name instead of the provider's.",
        mode="delivered",
        certainty="possible",
        needs=("filed",),
        ehr={"filing": "service_author"},
    ),
)
