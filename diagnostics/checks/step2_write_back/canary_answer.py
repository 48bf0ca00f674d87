"""Judge why the server refused the test document: what a write meets now, in the answer's own words."""

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.step6_monitoring.ehr import GATEWAY_STATUSES
from diagnostics.evidence.fhir import CanaryWrite
from diagnostics.explain import explain
from diagnostics.findings import Result
from diagnostics.parsing.answers import Emitter, read_answer
from diagnostics.vocabulary import Certainty, Step, Strength

_WEIGHT = {
    Certainty.PROVEN: Strength.DECISIVE,
    Certainty.LIKELY: Strength.STRONG,
    Certainty.POSSIBLE: Strength.MODERATE,
}
_KNOWN = {
    cause.id: cause
    for cause in (
        causes.GATEWAY_UNROUTED,
        causes.RATE_LIMITED,
        causes.TIMEOUT_GATEWAY,
        causes.SERVER_ERROR,
        causes.REQUEST_CONTENT_TYPE,
        causes.REQUEST_METHOD_PATH,
        causes.REQUEST_SIZE,
        causes.CAPABILITY_CREATE_MISSING,
        causes.ENCOUNTER_CLOSED,
        causes.DEPARTMENT_RESTRICTED,
        causes.SCOPE_WRITE_MISSING,
        causes.PROXY_BLOCK_PAGE,
    )
}
_BY_STATUS = {
    405: causes.REQUEST_METHOD_PATH,
    415: causes.REQUEST_CONTENT_TYPE,
    429: causes.RATE_LIMITED,
}


@check(
    id="fhir.canary.answer",
    step=Step.WRITE_BACK,
    title="The server takes a test document from this integration",
    hints=tuple(_KNOWN.values()),
    checklist=("WRITE.5",),
)
def test_document_is_taken(canary: CanaryWrite) -> Result:
    """What refuses a sound document for a test patient refuses every note."""
    if canary.state in ("written", "earlier"):
        return passed("The server took the test document.", state=canary.state)
    if canary.state != "refused" or canary.answer is None or canary.answer.status is None:
        return not_applicable("No answer to the test document came.")
    seen = canary.answer
    answer = read_answer(seen.body, seen.status, seen.headers, seen.content_type)
    facts = {"status": seen.status, "emitter": answer.emitter.value}
    if answer.bearer_error == "insufficient_scope":
        return failed(
            "The server's challenge to the test document says insufficient_scope.",
            cause=causes.SCOPE_WRITE_MISSING,
            strength=Strength.DECISIVE,
            condemns=(canary,),
            status=seen.status,
        )
    if seen.status in _BY_STATUS:
        cause = _BY_STATUS[seen.status]
        return failed(
            f"The server answered {seen.status} to the test document.",
            cause=cause,
            strength=Strength.STRONG if seen.status == 405 else Strength.DECISIVE,
            condemns=(canary,),
            status=seen.status,
        )
    said = explain(seen.body, status=seen.status, protocol="fhir")
    if seen.status in GATEWAY_STATUSES and answer.emitter is not Emitter.EHR and said.cause not in _KNOWN:
        return failed(
            f"A gateway answered {seen.status} to the test document.",
            cause=causes.TIMEOUT_GATEWAY,
            strength=Strength.MODERATE,
            condemns=(canary,),
            status=seen.status,
        )
    if said.cause in _KNOWN and said.certainty is not None:
        return failed(
            f"The server refused the test document ({seen.status}). {said.says}",
            cause=_KNOWN[said.cause],
            strength=_WEIGHT[said.certainty],
            condemns=(canary,),
            status=seen.status,
        )
    return unknown(
        f"The server refused the test document ({seen.status}), which need not be why the note failed.",
        get="the server's answer to the test document, read by the integration engineer",
        status=facts["status"],
        emitter=facts["emitter"],
    )
