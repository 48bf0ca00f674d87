"""Judge from the scribe's log alone whether one site reaches the EHR at the minute when another does not."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.logged_words import explained
from diagnostics.checks.step4_network.answers_seen import last_failure
from diagnostics.checks.step4_network.flows import place_of
from diagnostics.evidence.logs import NoteTrace, ScribeLog, ScribeRow
from diagnostics.findings import Result
from diagnostics.tracing.attempts import outcome
from diagnostics.vocabulary import Step, Strength

_TOGETHER = timedelta(minutes=5)  # further apart, the fault may simply have gone
_ASK = "the scribe's log rows of other sites at the same minutes, or the same test from another segment"


@dataclass(frozen=True)
class _Heard:
    """Be one answer, or the want of one, at one site."""

    site: str
    at: datetime
    reached: bool


@check(
    id="net.segment.divergence.log",
    step=Step.NETWORK,
    title="At the minute of the failure no other site of the scribe reached the EHR",
    proves=causes.SEGMENT_DIVERGENCE,
    checklist=("NET.6",),
)
def sites_agree(trace: NoteTrace, log: ScribeLog) -> Result:
    """Where the hospital gets through and the satellite does not, the EHR is up and the way to it differs."""
    last = last_failure(trace)
    if last is None or last.at is None or last.status is not None:
        return (
            passed("The other side answered.")
            if trace.attempts or trace.tokens
            else not_applicable("Nothing was sent.")
        )
    place, site = place_of(last.url), _site(trace)
    if place is None or site is None:
        return not_applicable("The scribe's log names no site or no address.")
    cause = explained(last.answer.text, protocol="net").cause or ""
    if cause.startswith(("net.tls.", "net.proxy.")):
        return not_applicable("The connection was made; what failed came after it.", recorded_as=cause)
    near = [each for each in _heard(log.rows, place) if abs(each.at - last.at) <= _TOGETHER]
    through = sorted({each.site for each in near if each.reached and each.site != site})
    here = [each for each in near if each.site == site]
    if any(each.reached for each in here):
        return passed("Another request from the same site was answered in those minutes.", site=site)
    if not through:
        return unknown("No other site's requests are in the log at those minutes.", get=_ASK)
    closed = sorted({each.site for each in near if not each.reached} - set(through))
    silent = sum(not each.reached for each in here)
    return failed(
        f"From {through[0]} the EHR was reached within five minutes of the failure, from {site} it was not.",
        strength=_weight(cause, silent),
        works_from=through,
        fails_from=closed or [site],
        unanswered_here=silent,
        at=last.at,
        recorded_as=cause or None,
    )


def _weight(cause: str, silent: int) -> Strength:
    """Weigh a connection that was never made above one that was lost later: an EHR that is slow loses some, too."""
    if cause.startswith(("net.dns.", "net.tcp.")) and cause != causes.TCP_RESET.id:
        return Strength.DECISIVE
    return Strength.STRONG if silent > 1 else Strength.MODERATE


def _site(trace: NoteTrace) -> str | None:
    return next((row.site for row in reversed(trace.rows) if row.site), None)


def _heard(rows: Iterable[ScribeRow], place: tuple[str, int]) -> list[_Heard]:
    """Return for every site when it got an answer from a place, or an error in its stead."""
    asked: dict[tuple[str, str], ScribeRow] = {}
    found = []
    for row in rows:
        if not row.site:
            continue
        key = (row.site, row.transaction_id or row.note_id or row.request_id or "")
        if row.event in ("sent", "token"):
            asked[key] = row
        sent = asked.get(key)
        url = row.url or (sent.url if sent is not None else None)
        if place_of(url) != place:
            continue
        if row.event in ("acked", "failed"):
            heard = row.status is not None or row.ack is not None or outcome(row) == "accepted"
            found.append(_Heard(row.site, row.at, heard))
        elif row.event == "token" and (row.status is not None or row.expires_in is not None):
            found.append(_Heard(row.site, row.at, True))
    return found
