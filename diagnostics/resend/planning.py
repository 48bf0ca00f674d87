"""Plan a resend: pure, so that the dry run shows exactly what an approval binds and what is sent."""

from __future__ import annotations

from dataclasses import replace

from diagnostics.case import Case
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.payload import FhirNote, Hl7Message
from diagnostics.resend.fhir_plan import plan_fhir
from diagnostics.resend.hl7_plan import plan_hl7
from diagnostics.resend.model import Lookup, ResendPlan
from diagnostics.resend.recognising import lookup_of
from diagnostics.resend.refusing import addendum_needed, why_not


def plan(case: Case, bag: Bag) -> ResendPlan:
    """Return what would be sent for the case's note, or why nothing may be; the same case gives the same digest.

    `bag` comes from `survey` (or any gathering with the case's own parts in it). Nothing of a credential is in the
    plan. A refused plan still tells by its lookup how the note is found.
    """
    lookup = lookup_of(case, bag)
    refused = why_not(case, bag)
    resource, message = bag.get(FhirNote), bag.get(Hl7Message)
    if refused:
        found = ResendPlan(None, refused, lookup=lookup)
    elif resource is not None:
        found = plan_fhir(case, bag, resource, lookup, addendum=addendum_needed(bag))
    elif message is not None:
        found = plan_hl7(case, bag, message, lookup, addendum=addendum_needed(bag))
    else:
        found = ResendPlan(None, "The payload as it was sent is not at hand.", lookup=lookup)
    return replace(found, looks_for=told(lookup))


def told(lookup: Lookup) -> str:
    """Say in words what is read before anything is sent."""
    visit = "the documents of the visit" if lookup.encounter else "the patient's documents of that day"
    if not lookup.date and not lookup.encounter:
        visit = "the patient's documents"
    by_content = ", compared by identifier and content" if lookup.content else ", compared by identifier"
    if lookup.by_identifier and lookup.by_visit:
        return f"A search for the note's own identifier, then {visit}{by_content}."
    if lookup.by_identifier:
        return "A search for the note's own identifier."
    if lookup.by_visit:
        return f"The server offers no search for identifiers: {visit} are read{by_content}."
    return "Nothing can be read: the EHR offers no way to search for the note."
