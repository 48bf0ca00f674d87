"""Judge what is sent by a write route of the vendor's own, which takes form fields and no FHIR resource."""

import json
import re
from collections.abc import Mapping
from urllib.parse import parse_qsl

from diagnostics import causes
from diagnostics.case import Integration
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.refusal import refusal_of
from diagnostics.checks.step2_write_back.payload import over_fhir
from diagnostics.checks.step2_write_back.weighing import offence, taken, weigh_fhir
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import NotePayload
from diagnostics.findings import Result
from diagnostics.vendors.model import VendorProfile, WriteRoute
from diagnostics.vocabulary import Step, Strength

_MOST, _FIELDS = 8_000_000, 400
_LACKING = re.compile(
    r"\brequired\b|\bmissing\b|\bmust be (?:given|provided|present|set)\b|\bnot (?:given|provided)\b", re.I
)


@check(
    id="fhir.payload.required.form",
    step=Step.WRITE_BACK,
    title="The request carries every field that the EHR's own route requires",
    proves=causes.PAYLOAD_REQUIRED,
    checklist=("WRITE.2", "WRITE.4"),
    applies=lambda case: over_fhir(case) and any(route.form for route in case.vendor.write_routes),
)
def form_is_complete(
    settings: Settings, vendor: Vendor, payload: NotePayload | None, trace: NoteTrace | None
) -> Result:
    """A route of the vendor's own has required fields of its own, and refuses a note in words of its own."""
    route = _route(vendor.profile, settings.integration, trace)
    if route is None:
        return not_applicable("The note goes by no route of the vendor's own that is known to want form fields.")
    refusal = refusal_of(trace)
    said = refusal.answer.text[:8192].lower() if refusal is not None else ""
    named = [name for name in route.form if re.search(rf"\b{re.escape(name)}\b", said)]
    if named and _LACKING.search(said):
        return failed(f"The EHR's answer names {named[0]} as a required field.", conclusive=False, fields=named)
    fields = _fields(payload)
    if fields is None:
        return not_applicable("The request's fields are not at hand.")
    gaps = [name for name in route.form if not fields.get(name)]
    if gaps:
        return offence(
            f"The request lacks {gaps[0]}, which {vendor.profile.name}'s own route requires.",
            weigh_fhir(trace),
            at_most=Strength.DECISIVE if vendor.profile.verified("write_routes") else Strength.STRONG,
            fields=gaps,
        )
    return passed("Every field that the route is known to require is there.", taken=taken(trace))


def _route(profile: VendorProfile, integration: Integration, trace: NoteTrace | None) -> WriteRoute | None:
    """Return the route the note was sent by, else the configured one; only one whose form is known."""
    sent = trace.last.url if trace is not None and trace.last is not None else None
    route = profile.route_of(sent or integration.write_url or "")
    return route if route is not None and route.form else None


def _fields(payload: NotePayload | None) -> Mapping[str, str] | None:
    """Return the names, in lower case, and values of a form or of a JSON object that is no FHIR resource."""
    if payload is None or payload.kind == "hl7v2" or not payload.data or len(payload.data) > _MOST:
        return None
    text = payload.data.decode("utf-8", "replace").strip()
    try:
        if text.startswith("{"):
            held = json.loads(text)
            return (
                None if "resourceType" in held else {str(key).lower(): str(value or "") for key, value in held.items()}
            )
        if "=" not in text[:200]:
            return None
        return {name.lower(): value for name, value in parse_qsl(text, max_num_fields=_FIELDS)}
    except (ValueError, RecursionError):
        return None
