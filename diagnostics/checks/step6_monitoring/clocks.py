"""Judge the clocks of the two logs by the writes that are in both."""

from diagnostics.check import check, not_applicable, passed, unknown, warned
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.vocabulary import Step

_TELLING_S = 30.0  # above this, rows are easily laid beside the wrong ones (domain.md section 5)
_SIGNATURES_FAIL_S = 300.0  # a client assertion lives at most five minutes


@check(
    id="ops.audit.clocks",
    step=Step.MONITORING,
    title="The clocks of both logs agree within 30 seconds",
)
def clocks_agree(trace: NoteTrace) -> Result:
    """Rows laid beside each other by time mislead when one clock is wrong, and five minutes break signed requests."""
    if not trace.has_scribe_log or not trace.has_ehr_log:
        return not_applicable("Only one log is at hand.")
    offset = trace.clock_offset_s
    if offset is None:
        return unknown(
            "No write is in both logs under the same id, so the clocks cannot be compared.",
            get="request or transaction ids in both logs",
        )
    ahead = f"The EHR's clock is {abs(offset):.1f} s {'ahead of' if offset > 0 else 'behind'} the AI scribe's"
    if abs(offset) <= _TELLING_S:
        return passed(f"{ahead}.", clock_offset_s=offset)
    more = " Signed token requests fail from five minutes on." if abs(offset) > _SIGNATURES_FAIL_S else ""
    return warned(f"{ahead}; times are compared with this taken out.{more}", clock_offset_s=offset)
