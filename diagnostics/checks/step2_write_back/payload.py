"""Judge the FHIR payload: is it FHIR, is everything there, can the text inside be read."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from diagnostics import causes
from diagnostics.case import Case
from diagnostics.check import check, not_applicable, passed
from diagnostics.checks.step2_write_back.weighing import offence, weigh_fhir
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote, NotePayload
from diagnostics.findings import Result
from diagnostics.parsing import us_core
from diagnostics.parsing.fhir_structure import StructureIssue, absent, values_at
from diagnostics.vendors.model import US_CORE_REQUIRED
from diagnostics.vocabulary import Step, Strength

SHOWN = 20
_STRUCTURE = frozenset({"resource_type", "unknown_element", "shape", "value", "code", "target", "invariant"})
_ENFORCED = ("bdl-", "ext-")
_ATTACHED = re.compile(r"\.(?:data|size|hash)$")  # judged with the attachment


def _elsewhere(issue: StructureIssue) -> bool:
    """Tell whether a fault is told with the attachment: what its data, size and hash are, and its missing type."""
    return issue.rule == "att-1" or (issue.kind == "value" and bool(_ATTACHED.search(issue.path)))


def over_fhir(case: Case) -> bool:
    """Tell whether this integration writes by FHIR."""
    return case.integration.protocol == "fhir"


@check(
    id="fhir.payload.structure",
    step=Step.WRITE_BACK,
    title="The payload is a well-formed FHIR R4 resource",
    proves=causes.PAYLOAD_STRUCTURE,
    checklist=("WRITE.2",),
    applies=over_fhir,
)
def well_formed(
    payload: NotePayload, note: FhirNote | None, trace: NoteTrace | None, settings: Settings, vendor: Vendor
) -> Result:
    """A server refuses a resource it cannot read, and says so in words only an engineer understands."""
    if not (note and note.type) and _by_own_route(vendor, settings, trace):
        return not_applicable("The note goes by a route of the vendor's own, which takes no FHIR resource.")
    if payload.kind == "unparseable":
        problem = payload.why[0]
        where = f" ({problem.place})" if problem.place else ""
        return offence(
            f"The payload cannot be read as FHIR{where}: {problem.says}",
            weigh_fhir(trace),
            kind=problem.kind,
            place=problem.place,
        )
    if payload.kind == "hl7v2" or note is None:
        return offence("The payload is an HL7 v2 message, and this integration sends FHIR.", weigh_fhir(trace))
    faults = [issue for issue in note.issues if issue.kind in _STRUCTURE and not _elsewhere(issue)]
    if faults:
        grave = [issue for issue in faults if not _lenient(issue)]
        told = [*grave, *(issue for issue in faults if _lenient(issue))]
        places = [issue.path for issue in told]
        return offence(
            _sentence(told),
            weigh_fhir(trace, places=places),
            at_most=None if grave else Strength.STRONG,
            **every(told),
        )
    if note.problems:
        first = note.problems[0]
        return offence(
            f"The same key stands twice in one object: {first.place}.",
            weigh_fhir(trace),
            at_most=Strength.STRONG,
            place=first.place,
        )
    return passed(f"The payload is a well-formed {note.type}.", resource=note.type, form=note.form)


def _by_own_route(vendor: Vendor, settings: Settings, trace: NoteTrace | None) -> bool:
    sent = trace.last.url if trace is not None and trace.last is not None else None
    return vendor.profile.route_of(sent or settings.integration.write_url or "") is not None


def _lenient(issue: StructureIssue) -> bool:
    """Tell whether servers that are strict about elements and types often let this one pass."""
    return issue.kind == "invariant" and not issue.rule.startswith(_ENFORCED)


def _sentence(faults: list[StructureIssue]) -> str:
    more = f" There are {len(faults) - 1} more." if len(faults) > 1 else ""
    return f"{faults[0].says}{more}"


def every(faults: Sequence[StructureIssue]) -> dict[str, Any]:
    """Return the facts of all faults: how many, where, and what each is, as far as anybody reads."""
    return {
        "count": len(faults),
        "places": [fault.path for fault in faults][:SHOWN],
        "faults": [fault.says for fault in faults][:SHOWN],
    }


@check(
    id="fhir.payload.required",
    step=Step.WRITE_BACK,
    title="The payload carries every element the EHR requires",
    proves=causes.PAYLOAD_REQUIRED,
    checklist=("WRITE.2", "WRITE.4"),
    applies=over_fhir,
)
def complete(note: FhirNote, settings: Settings, vendor: Vendor, trace: NoteTrace | None) -> Result:
    """What an EHR requires differs by vendor and profile; a note without it is refused."""
    base = {issue.path: "FHIR R4" for issue in note.issues if issue.kind == "missing"}
    named: dict[str, str] = {}
    wider: dict[str, str] = {}
    for document, path in note.documents():
        for element in vendor.profile.required:
            gap = absent(document, element.path, path)
            if gap:
                named[gap] = vendor.profile.name
        target = named if us_core.claimed(document, settings.integration.profile) else wider
        for element in US_CORE_REQUIRED:
            gap = absent(document, element.path, path)
            if gap:
                target.setdefault(gap, "US Core")
        for gap in _without_content(document, path):
            base.setdefault(gap, "US Core")
    gaps = {**named, **base}
    if gaps:
        first, whose = next(iter(gaps.items()))
        more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
        # a vendor's list that nobody verified is a strong sign, no proof, unless the EHR's answer names the element
        unsure = not base and not vendor.profile.verified("required") and not _named_by_ehr(trace, gaps)
        return offence(
            f"The payload lacks {first}{more}, which {whose} requires.",
            weigh_fhir(trace, places=gaps),
            at_most=Strength.STRONG if unsure else None,
            missing=list(gaps)[:SHOWN],
        )
    gap = next((g for g in wider if _named_by_ehr(trace, {g: ""})), None)
    if gap is not None:
        return offence(
            f"The payload lacks {gap}, and the EHR's answer names it.", weigh_fhir(trace, places=[gap]), missing=[gap]
        )
    if wider and (vendor.profile.advertises_create or _posted_as_fhir(trace)):
        weight = weigh_fhir(trace, places=wider)
        if weight is not None and trace is not None and trace.first_failure_at is not None:
            return offence(
                f"The payload lacks {next(iter(wider))}, which US Core asks for; whether this EHR does is not known.",
                weight,
                at_most=Strength.MODERATE,
                missing=list(wider)[:SHOWN],
            )
        return passed("Every element that is known to be required is there.", absent_from_us_core=list(wider)[:SHOWN])
    return passed("Every required element is there.")


def _without_content(document: Mapping[str, object], path: str) -> Iterator[str]:
    """Yield the attachments that have neither text nor address (us-core-6)."""
    for attachment, at in values_at(document, "content.attachment", path):
        if isinstance(attachment, Mapping) and not attachment.get("data") and not attachment.get("url"):
            yield f"{at}.data"


def _posted_as_fhir(trace: NoteTrace | None) -> bool:
    """Tell whether the note went out as a FHIR create, also where the EHR has a route of its own for notes."""
    last = trace.last if trace is not None else None
    return last is not None and (last.url or "").split("?")[0].rstrip("/").endswith("/DocumentReference")


def _named_by_ehr(trace: NoteTrace | None, gaps: Mapping[str, str]) -> bool:
    """Tell whether a refusal names one of the elements, by expression or by the element's own name."""
    if trace is None:
        return False
    leaves = {re.sub(r"\[\d+\]", "", gap).split(".", 1)[-1] for gap in gaps}
    texts = [attempt.error or "" for attempt in trace.failures] + [row.error or "" for row in trace.ehr("rejected")]
    return any(re.search(rf"\b{re.escape(leaf)}\b", text[:65536]) for text in texts for leaf in leaves)
