"""Ways of an EHR that matter when a note is sent a second time, and what it takes as an addendum.

These ways tell no story and have no cause to find.
"""

from __future__ import annotations

from diagnostics.practice.fault import Variation
from diagnostics.practice.hl7 import Message, Nack
from diagnostics.practice.store import Resource, bare_id, encounter_closed, references_of
from diagnostics.practice.tenant import Tenant
from diagnostics.practice.validation import Rejected

_ALL = (
    Variation("resend-answer-cut", "A note is stored, and its answer is lost.", ehr={"cut": "answer"}),
    Variation("resend-request-cut", "A note is lost before it is stored.", ehr={"cut": "request"}),
    Variation(
        "resend-no-conditional-create",
        "The server does not heed If-None-Exist, and says so.",
        ehr={"conditional_create": False},
    ),
    Variation(
        "resend-no-identifier-search",
        "The server does not search documents by identifier.",
        ehr={"search": "no_identifier"},
    ),
    Variation("resend-no-search", "The server does not search documents at all.", ehr={"search": "none"}),
    Variation(
        "resend-identifiers-dropped",
        "The server stores documents without the identifiers they came with.",
        ehr={"keeps_identifiers": False},
    ),
)

RESEND_TROUBLES: dict[str, Variation] = {trouble.name: trouble for trouble in _ALL}


def appends(tenant: Tenant, resource: Resource, encounter_id: str) -> bool:
    """Tell whether a document is an addendum to one filed in the encounter; refuse an addendum to nothing."""
    related = resource.get("relatesTo")
    for each in related if isinstance(related, list) else ():
        if isinstance(each, dict) and each.get("code") == "appends":
            target = each.get("target")
            parent = bare_id(target.get("reference") if isinstance(target, dict) else None)
            found = tenant.store.visible("DocumentReference", parent)
            if found is None or encounter_id not in references_of(found, ("encounter",)):
                raise Rejected(422, "not-found", "The document to add to is not there.", "DocumentReference.relatesTo")
            return True
    return False


def judge_addendum(tenant: Tenant, message: Message) -> None:
    """Refuse a message to a closed visit that is no addendum, and an addendum to nothing; raises Nack."""
    if message.event == "MDM^T06":
        parent = message.value("TXA", 13).split("^")[0]
        if not parent or tenant.store.find_identifier("DocumentReference", parent) is None:
            raise Nack("AE", "204", "The document to add to is not known here.", "TXA^1^13")
        return
    encounter = tenant.store.get("Encounter", message.value("PV1", 19).split("^")[0])
    if encounter is not None and encounter_closed(encounter):
        raise Nack("AE", "206", "The visit is closed.", "PV1^1^19")
