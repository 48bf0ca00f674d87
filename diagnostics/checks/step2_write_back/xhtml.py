"""Judge the XHTML a note carries: an attachment sent as application/xhtml+xml, and narratives."""

from collections.abc import Iterator
from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.step2_write_back.attachment import attachments
from diagnostics.checks.step2_write_back.payload import SHOWN, over_fhir
from diagnostics.checks.step2_write_back.weighing import FORM_CODES, named_by_ehr, offence, taken, weigh_fhir
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.parsing.fhir_types import base64_bytes
from diagnostics.parsing.xhtml import judge_document
from diagnostics.vocabulary import FailureMode, Step, Strength

_XHTML = "application/xhtml+xml"
_MAX_CHARACTERS = 2_000_000


@check(
    id="fhir.payload.xhtml",
    step=Step.WRITE_BACK,
    title="The note's XHTML is well formed and keeps everything that is in it",
    hints=causes.PAYLOAD_XHTML,
    strength=Strength.MODERATE,
    checklist=("WRITE.2", "WRITE.6"),
    applies=over_fhir,
)
def strict_xhtml(note: FhirNote, trace: NoteTrace | None) -> Result:
    """One line break left open makes an EHR refuse the note, or keep only the part before it."""
    narratives = [(issue.path, issue.says) for issue in note.issues if issue.kind == "xhtml"]
    documents, seen = [], 0
    for path, text in _documents(note):
        seen += 1
        documents += [(path, f"{path} {fault.says}.") for fault in judge_document(text)]
    faults = [*documents, *narratives]
    if not faults:
        if not seen and not any(resource.get("text") for resource, _ in note.resources()):
            return not_applicable("The payload carries no XHTML.")
        return passed("The XHTML is well formed.", documents=seen)
    places = [path for path, _ in faults]
    facts: dict[str, Any] = {
        "count": len(faults),
        "places": places[:SHOWN],
        "faults": [says for _, says in faults][:SHOWN],
    }
    more = f" There are {len(faults) - 1} more." if len(faults) > 1 else ""
    says = f"{faults[0][1]}{more}"
    if taken(trace) and trace is not None and trace.failure_mode is FailureMode.PARTIAL:
        return failed(f"{says} A part of the note is not in the chart.", strength=Strength.MODERATE, **facts)
    named = named_by_ehr(trace, places)
    weight = weigh_fhir(trace, FORM_CODES, places)
    return offence(says, weight, at_most=Strength.STRONG if named else Strength.MODERATE, **facts)


def _documents(note: FhirNote) -> Iterator[tuple[str, str]]:
    """Yield the text of each attachment that says it is XHTML, with its FHIRPath."""
    for attachment, path in attachments(note):
        declared, data = attachment.get("contentType"), attachment.get("data")
        if not isinstance(declared, str) or declared.split(";")[0].strip().lower() != _XHTML:
            continue
        raw = base64_bytes(data) if isinstance(data, str) else None
        if raw is not None and raw.strip():
            yield f"{path}.data", raw[:_MAX_CHARACTERS].decode("utf-8-sig", "replace")
