"""Judge whether the EHR fails for many at once: an outage is the vendor's, whatever this note looks like."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.step4_network.answers_seen import SeenAnswer, last_failure
from diagnostics.evidence.logs import NoteTrace, ScribeLog, ScribeRow
from diagnostics.findings import Result
from diagnostics.parsing.answers import AnswerKind, Emitter, RecordedAnswer, read_answer
from diagnostics.tracing.attempts import same_host
from diagnostics.vocabulary import Step

SITES = 3
WINDOW = timedelta(minutes=10)


@check(
    id="ops.vendor.outage",
    step=Step.MONITORING,
    title="The EHR does not fail for several sites at the same time",
    hints=causes.VENDOR_OUTAGE,
)
def not_several_sites(trace: NoteTrace, scribe: ScribeLog) -> Result:
    """Where three sites meet server errors within ten minutes, no setting of one of them is to blame."""
    last = last_failure(trace)
    if last is None or last.at is None or not _is_server_error(last.status, last.answer):
        if trace.attempts or trace.tokens:
            return passed("This note did not end in a server error.", status=last.status if last else None)
        return not_applicable("Nothing was sent.")
    near = [row for row in scribe.rows if abs(row.at - last.at) <= WINDOW]
    if not any(row.site for row in near):
        return unknown(
            "The AI scribe's log names no sites.", get="the AI scribe's log rows of other sites of that hour"
        )
    hit = [row for row in near if row.site and _fails_alike(row, last)]
    ours = _answered_at(trace, last)
    windows = [_window_from(row, hit, ours) for row in hit if row.at <= ours]
    within = max(windows, key=lambda rows: len(_sites(rows)), default=[])
    sites = _sites(within)
    if len(sites) < SITES:
        return passed("No three sites met server errors within ten minutes.", sites=len(_sites(hit)))
    return failed(
        f"{len(sites)} sites met server errors of this EHR within ten minutes.",
        sites=len(sites), failures=len(within), first=within[0].at, last=within[-1].at,
    )  # fmt: skip


def _is_server_error(status: int | None, answer: RecordedAnswer) -> bool:
    """Tell whether the EHR's side failed; an OAuth error in a 500 is a refusal, and our own proxy is not the EHR."""
    if status is None or not 500 <= status <= 599 or status == 511:
        return False
    return answer.kind is not AnswerKind.OAUTH and not answer.bearer_error and answer.emitter is not Emitter.PROXY


def _fails_alike(row: ScribeRow, last: SeenAnswer) -> bool:
    if row.event not in ("failed", "acked", "token") or not same_host(row.url, last.url):
        return False
    return _is_server_error(row.status, read_answer(row.error, row.status, row.response_headers))


def _answered_at(trace: NoteTrace, last: SeenAnswer) -> datetime:
    answers = [a.answer.at for a in trace.attempts if a.answer is not None and a.at == last.at]
    answers += [t.answer.at for t in trace.tokens if t.answer is not None and t.at == last.at]
    return max([*answers, *([last.at] if last.at else [])])


def _window_from(first: ScribeRow, hit: Iterable[ScribeRow], ours: datetime) -> list[ScribeRow]:
    """Return the failures of the ten minutes that begin with one of them, if this note's failure lies in them."""
    if ours > first.at + WINDOW:
        return []
    return [row for row in hit if first.at <= row.at <= first.at + WINDOW]


def _sites(rows: Iterable[ScribeRow]) -> set[str]:
    return {row.site for row in rows if row.site}
