"""Describe the FHIR server in its CapabilityStatement."""

from __future__ import annotations

from typing import Any

from diagnostics.practice.tenant import Tenant

US_CORE_DOCUMENT = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-documentreference"
_READ = ("read", "search-type")
_WRITE = ("create", "read", "update", "search-type")
_TYPES = {
    "DocumentReference": _WRITE,
    "Composition": _WRITE,
    "Encounter": _READ,
    "Patient": _READ,
    "Practitioner": _READ,
    "Condition": _WRITE,
    "Observation": _WRITE,
    "AuditEvent": ("search-type",),
}
_SEARCH = (
    ("_id", "token"),
    ("identifier", "token"),
    ("patient", "reference"),
    ("encounter", "reference"),
    ("date", "date"),
)
_OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"


def capability_statement(tenant: Tenant) -> dict[str, Any]:
    """Write the CapabilityStatement of today's behaviour (R4, 3.2.0.18)."""
    behaviour = tenant.behaviour
    documents_only = behaviour.write_route or not behaviour.create_advertised
    resources = []
    for kind, interactions in _TYPES.items():
        if kind == "AuditEvent" and behaviour.audit == "none":
            continue
        codes = [
            c
            for c in interactions
            if not (documents_only and c in ("create", "update") and kind == "DocumentReference")
            and not (behaviour.search == "none" and c == "search-type" and kind in ("DocumentReference", "Composition"))
        ]
        entry: dict[str, Any] = {
            "type": kind,
            "interaction": [{"code": code} for code in codes],
            "versioning": "versioned",
            "conditionalCreate": "create" in codes and behaviour.conditional_create,
            "searchParam": [
                {"name": name, "type": sort}
                for name, sort in _SEARCH
                if name != "identifier" or behaviour.search == "all"
            ],
        }
        if kind == "DocumentReference":
            entry["supportedProfile"] = [US_CORE_DOCUMENT]
        resources.append(entry)
    description = tenant.texts.say("Clinical record of the practice")
    if behaviour.base == "sandbox":
        description = f"{description.rstrip('.')} (sandbox)"
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": tenant.clock.now().isoformat(timespec="seconds"),
        "kind": "instance",
        "software": {"name": tenant.software, "version": "11.2.0", "releaseDate": "2026-05-04"},
        "implementation": {"description": description, "url": tenant.fhir_base},
        "fhirVersion": "3.0.2" if behaviour.base == "stu3" else "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "service": [
                        {
                            "coding": [
                                {
                                    "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                                    "code": "SMART-on-FHIR",
                                }
                            ]
                        }
                    ],
                    "extension": [
                        {
                            "url": _OAUTH_URIS,
                            "extension": [
                                {"url": "token", "valueUri": tenant.token_url_now},
                                {"url": "authorize", "valueUri": tenant.url("auth") + tenant.authorize_path},
                            ],
                        }
                    ],
                },
                "resource": resources,
            }
        ],
    }
