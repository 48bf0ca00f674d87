"""Judge the FHIR payload: is it FHIR, is everything there, can the text inside be read."""

import re
from collections.abc import Iterator, Mapping

from diagnostics import causes
from diagnostics.case import Case
from diagnostics.check import check, not_applicable, passed
from diagnostics.checks.step2_write_back.weighing import offence, weigh_fhir
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote, NotePayload
from diagnostics.findings import Result
from diagnostics.parsing.fhir_structure import StructureIssue, absent, values_at
from diagnostics.vendors.model import US_CORE_REQUIRED
from diagnostics.vocabulary import Step, Strength

_SHOWN = 5
_INSIDE = re.compile(r"\.attachment\.(?:data|size|hash)$")  # judged with the attachment


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
def well_formed(payload: NotePayload, note: FhirNote | None, trace: NoteTrace | None) -> Result:
    """A server refuses a resource it cannot read, and says so in words only an engineer understands."""
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
    faults = [issue for issue in note.issues if issue.kind != "missing" and not _INSIDE.search(issue.path)]
    if faults:
        return offence(
            _sentence(faults),
            weigh_fhir(trace, places=[f.path for f in faults]),
            places=[f.path for f in faults][:_SHOWN],
            faults=len(faults),
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


def _sentence(faults: list[StructureIssue]) -> str:
    more = f" There are {len(faults) - 1} more." if len(faults) > 1 else ""
    return f"{faults[0].says}{more}"


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
        target = named if _us_core(settings, document) else wider
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
        unsure = not base and not _verified(vendor) and not _named_by_ehr(trace, gaps)
        return offence(
            f"The payload lacks {first}{more}, which {whose} requires.",
            weigh_fhir(trace, places=gaps),
            at_most=Strength.STRONG if unsure else None,
            missing=list(gaps)[:_SHOWN],
        )
    gap = next((g for g in wider if _named_by_ehr(trace, {g: ""})), None)
    if gap is not None:
        return offence(
            f"The payload lacks {gap}, and the EHR's answer names it.", weigh_fhir(trace, places=[gap]), missing=[gap]
        )
    if wider and vendor.profile.advertises_create:
        weight = weigh_fhir(trace, places=wider)
        if weight is not None and trace is not None and trace.failures:
            return offence(
                f"The payload lacks {next(iter(wider))}, which US Core asks for; whether this EHR does is not known.",
                weight,
                at_most=Strength.MODERATE,
                missing=list(wider)[:_SHOWN],
            )
        return passed("Every element that is known to be required is there.", absent_from_us_core=list(wider)[:_SHOWN])
    return passed("Every required element is there.")


def _us_core(settings: Settings, document: Mapping[str, object]) -> bool:
    meta = document.get("meta")
    stated = meta.get("profile") if isinstance(meta, Mapping) else None
    named = [settings.integration.profile or "", *(stated if isinstance(stated, list) else [])]
    return any("us-core-documentreference" in str(profile) for profile in named)


def _without_content(document: Mapping[str, object], path: str) -> Iterator[str]:
    """Yield the attachments that have neither text nor address (us-core-6)."""
    for attachment, at in values_at(document, "content.attachment", path):
        if isinstance(attachment, Mapping) and not attachment.get("data") and not attachment.get("url"):
            yield f"{at}.data"


def _verified(vendor: Vendor) -> bool:
    return any(source.verified and ("required" in source.facts or "create" in source.facts) for source in
               vendor.profile.sources)  # fmt: skip


def _named_by_ehr(trace: NoteTrace | None, gaps: Mapping[str, str]) -> bool:
    """Tell whether a refusal names one of the elements, by expression or by the element's own name."""
    if trace is None:
        return False
    leaves = {re.sub(r"\[\d+\]", "", gap).split(".", 1)[-1] for gap in gaps}
    texts = [attempt.error or "" for attempt in trace.failures] + [row.error or "" for row in trace.ehr("rejected")]
    return any(re.search(rf"\b{re.escape(leaf)}\b", text[:65536]) for text in texts for leaf in leaves)


@check(
    id="fhir.payload.references",
    step=Step.WRITE_BACK,
    title="Every reference in the payload is one this EHR can resolve",
    proves=causes.PAYLOAD_REFERENCES,
    checklist=("WRITE.2",),
    applies=over_fhir,
)
def references(note: FhirNote, settings: Settings, trace: NoteTrace | None) -> Result:
    """Ids belong to one EHR: a reference carried over from another one points to nobody, or to somebody else."""
    bases = [b.rstrip("/").lower() for b in (settings.integration.fhir_base_url, settings.integration.write_url) if b]
    held = {f"#{one.get('id')}" for one, _ in _contained(note)}
    entries = {str(url) for url, _ in values_at(note.resource, "entry.fullUrl", note.type)}
    foreign: list[str] = []
    dangling: list[str] = []
    count = 0
    for reference, path in _all_references(note.resource, note.type):
        count += 1
        if reference.startswith("#"):
            if reference != "#" and reference not in held:
                dangling.append(path)
        elif reference.startswith("urn:"):
            if note.type == "Bundle" and reference not in entries:
                dangling.append(path)
        elif "://" in reference and bases and reference not in entries and not _below(reference, bases):
            foreign.append(path)
    codes = ("not-found", "deleted", "invalid", "value", "processing", "business-rule")
    if foreign:
        return offence(
            f"{foreign[0]} names a resource of another server than the one the note is written to.",
            weigh_fhir(trace, codes, foreign),
            at_most=Strength.DECISIVE if trace is not None and trace.failures else Strength.STRONG,
            places=foreign[:_SHOWN],
        )
    if dangling:
        return offence(
            f"{dangling[0]} points inside the payload to something that is not there.",
            weigh_fhir(trace, codes, dangling),
            places=dangling[:_SHOWN],
        )
    if not count:
        return not_applicable("The payload holds no reference.")
    return passed("No reference points outside this EHR or to nothing.", references=count)


def _below(reference: str, bases: list[str]) -> bool:
    """Tell whether an absolute reference lies below a base; a write route may stand on another path of that host."""
    lowered = reference.lower()
    return any(lowered.startswith(base + "/") or lowered.split("/")[2] == base.split("/")[2] for base in bases
               if base.count("/") >= 2)  # fmt: skip


def _contained(note: FhirNote) -> Iterator[tuple[Mapping[str, object], str]]:
    for resource, path in note.resources():
        for one, at in values_at(resource, "contained", path):
            if isinstance(one, Mapping):
                yield one, at


def _all_references(holder: object, path: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    if depth > 40:
        return
    if isinstance(holder, Mapping):
        for name, value in holder.items():
            if name == "reference" and isinstance(value, str):
                yield value, path
            else:
                yield from _all_references(value, f"{path}.{name}", depth + 1)
    elif isinstance(holder, list):
        for index, value in enumerate(holder[:500]):
            yield from _all_references(value, f"{path}[{index}]", depth + 1)
