"""Say what the EHR's log should hold of a note and does not: where a row without an id may belong. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from diagnostics.tracing.compact import CODE, OPEN, What
from diagnostics.tracing.story import Row
from diagnostics.tracing.thread import Thread

EARLY = timedelta(seconds=5)
_RECEIVED, _ACCEPTED, _REJECTED, _FILED = (
    int(What.EHR_RECEIVED), int(What.EHR_ACCEPTED), int(What.EHR_REJECTED), int(What.EHR_FILED)
)  # fmt: skip


def gaps(thread: Thread, rows: Sequence[Row], shift: timedelta) -> dict[int, datetime]:
    """Give what should stand in the EHR's log beside what stands there, each with when it was due.

    A filing that never came may also be a refusal inside; a refusal by a gateway may hide that the note arrived.
    """
    codes = [row.what & CODE for row in rows]
    sent, accepted, refused, may_have_arrived, tries = None, None, None, False, 0
    for row, code in thread.writes():
        tries += code != What.SENT
        if code == What.SENT:
            sent = row.at if sent is None else sent
        elif code == What.ACCEPTED:
            accepted = row.at
        elif code == What.REJECTED:
            refused = row.at
            may_have_arrived |= bool(row.what & OPEN)
        elif code == What.LOST:
            may_have_arrived = True
    if not rows and accepted is None and refused is None:
        return {}
    answered = accepted or refused
    known = sent or answered or (rows[0].at - shift if rows else thread.begun)
    decided = next((row for row in reversed(rows) if row.what & CODE in (_ACCEPTED, _REJECTED)), None)
    needs = {}
    if _RECEIVED not in codes:
        needs[_RECEIVED] = known
    if accepted is not None and _ACCEPTED not in codes:
        needs[_ACCEPTED] = accepted
    if refused is not None and accepted is None and _REJECTED not in codes:
        needs[_REJECTED] = refused
    last_refused = decided is not None and decided.what & CODE == _REJECTED
    if last_refused and accepted is not None and decided is not None:
        last_refused = decided.at - shift >= accepted - EARLY  # an earlier refusal that a later sending made good
    open_ended = may_have_arrived and codes.count(_REJECTED) < tries
    taken = open_ended or (not last_refused and (accepted is not None or refused is None))
    expected = max(1, min(codes.count(_RECEIVED), codes.count(_ACCEPTED)))
    if taken and codes.count(_FILED) < expected:
        since = decided.at - shift if decided is not None and decided.what & CODE == _ACCEPTED else None
        needs[_FILED] = since or accepted or known
    return needs


def may_be_copy(thread: Thread, rows: Sequence[Row]) -> bool:
    """Tell whether a note was sent more often with a chance to arrive than the EHR's rows show filings of it."""
    arrived = sum(
        code in (What.ACCEPTED, What.LOST) or (code == What.REJECTED and bool(row.what & OPEN))
        for row, code in thread.writes()
    )
    return arrived > sum(row.what & CODE == _FILED for row in rows)
