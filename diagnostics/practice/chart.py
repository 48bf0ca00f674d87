"""Put documents into the chart and tell the audit trail where they went."""

from __future__ import annotations

import base64

from diagnostics.practice.store import Filing, Resource
from diagnostics.practice.tenant import Tenant


def file_in_chart(tenant: Tenant, filing: Filing) -> Filing:
    """Put a document into the chart, under the wrong heading, person or visit where the tenant is ill that way."""
    mode = tenant.behaviour.filing
    if mode == "other_patient":
        filing.patient_id = f"{filing.patient_id}9"
    if mode == "other_encounter":
        filing.encounter_id = f"{filing.encounter_id}9"
    if mode == "service_author":
        filing.author_id = tenant.account
    tenant.store.filings.append(filing)
    return filing


def write_filed_row(tenant: Tenant, filing: Filing, request_id: str | None) -> None:
    """Tell the audit trail where a document went; texts are cut to 64 characters as the row format says."""
    tenant.audit.write(
        "filed",
        transaction_id=filing.transaction_id,
        request_id=request_id,
        client_id=tenant.client_id,
        resource=f"{filing.resource}/{filing.resource_id}",
        patient_id=filing.patient_id,
        encounter_id=filing.encounter_id,
        author_id=filing.author_id,
        after_s=tenant.behaviour.processing_s,
        fields={name: text.strip()[:64] for name, text in filing.fields.items()},
    )


def narrative_of(resource: Resource) -> str:
    """Read the note's plain text out of a stored document."""
    for content in resource.get("content", []):
        data = content.get("attachment", {}).get("data")
        if data:
            return base64.b64decode(data).decode("utf-8", "replace")
    return ""
