"""Judge what the FHIR payload refers to: another server, or something inside that is not there."""

from diagnostics import causes
from diagnostics.check import check, not_applicable, passed
from diagnostics.checks.step2_write_back.payload import SHOWN, over_fhir
from diagnostics.checks.step2_write_back.weighing import offence, weigh_fhir
from diagnostics.evidence.case_parts import Settings
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.payload import FhirNote
from diagnostics.findings import Result
from diagnostics.parsing.fhir_structure import values_at
from diagnostics.vocabulary import Step, Strength

# the issue codes by which a server says that it cannot resolve a reference
_CODES = ("not-found", "deleted", "invalid", "value", "processing", "business-rule")


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
    entries = {str(url) for url, _ in values_at(note.resource, "entry.fullUrl", note.type)}
    foreign = [
        path
        for path, reference in note.references
        if "://" in reference and bases and reference not in entries and not _below(reference, bases)
    ]
    dangling = [issue for issue in note.issues if issue.kind == "reference"]
    if foreign:
        return offence(
            f"{foreign[0]} names a resource of another server than the one the note is written to.",
            weigh_fhir(trace, _CODES, foreign),
            at_most=Strength.DECISIVE if trace is not None and trace.failures else Strength.STRONG,
            count=len(foreign) + len(dangling),
            places=[*foreign, *(issue.path for issue in dangling)][:SHOWN],
        )
    if dangling:
        places = [issue.path for issue in dangling]
        return offence(dangling[0].says, weigh_fhir(trace, _CODES, places), count=len(dangling), places=places[:SHOWN])
    if not note.references:
        return not_applicable("The payload holds no reference.")
    return passed("No reference points outside this EHR or to nothing.", references=len(note.references))


def _below(reference: str, bases: list[str]) -> bool:
    """Tell whether an absolute reference lies below a base; a write route may stand on another path of that host."""
    lowered = reference.lower()
    return any(lowered.startswith(base + "/") or lowered.split("/")[2] == base.split("/")[2] for base in bases
               if base.count("/") >= 2)  # fmt: skip
