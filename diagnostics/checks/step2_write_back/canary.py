"""Judge what became of the test document: a write nobody can account for must be told, not passed over."""

from typing import Any

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.evidence.fhir import CanaryWrite
from diagnostics.findings import Result
from diagnostics.vocabulary import Step

_BY_HAND = "Look in the test patient's chart and mark it as entered in error there."


@check(
    id="fhir.canary",
    step=Step.WRITE_BACK,
    title="The test document was written, read back and withdrawn",
    hints=causes.READBACK_ABSENT,
    checklist=("WRITE.5",),
)
def written_document_is_accounted_for(canary: CanaryWrite) -> Result:
    """A probe that writes owes an account of what it left behind, above all when it was interrupted."""
    facts: dict[str, Any] = {"state": canary.state, "found": canary.found, "withdrawn": canary.withdrawn}
    earlier = canary.state == "earlier"
    if canary.state == "refused" and not canary.found:
        return not_applicable("The server refused the test document, so none is left there.", **facts)
    if canary.state == "unknown" and canary.found is None:
        return not_applicable("The test document never reached the server.", **facts)
    if canary.found and canary.withdrawn:
        how = "An interrupted attempt had written the test document; it was found" if earlier else "It was read back"
        return passed(f"{how} and marked as entered in error.", **facts)
    if canary.found:
        return warned(f"The test document is there and could not be withdrawn. {_BY_HAND}", **facts)
    if earlier:
        return warned("An attempt was interrupted while it wrote the test document. None was found, and it is not "
                      f"written again. {_BY_HAND}", **facts)  # fmt: skip
    if canary.state == "unknown":
        return warned("The answer to the test document was lost, and it was not found: whether it was written is "
                      f"unknown. {_BY_HAND}", **facts)  # fmt: skip
    return failed(f"The server took the test document and does not show it. {_BY_HAND}", conclusive=False, **facts)
