"""Find the notes of a stretch whose traces stand: nothing new has come that could make another story of them.

Only the plainest notes are asked about: sent once and answered yes, arrived and filed in their own encounter, all by
one transaction id, long ago, by a clock that did not move. Whatever a neighbour's row could change is told anew.
"""

from bisect import bisect_left
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from console.notes.correlation.loading import StoredRow
from console.notes.correlation.offsets import Pair
from console.notes.correlation.state import Scope
from diagnostics.tracing.compact import CODE, What
from diagnostics.tracing.correlate import Joined
from diagnostics.tracing.story import Clocks
from diagnostics.tracing.thread import Thread
from diagnostics.tracing.triage import GRACE
from diagnostics.tracing.weak import EARLY, SOON

_WRITES = [What.SENT, What.ACCEPTED]
_RECEIVED, _ACCEPTED, _FILED = int(What.EHR_RECEIVED), int(What.EHR_ACCEPTED), int(What.EHR_FILED)
_SEEN = ([_RECEIVED, _FILED], [_RECEIVED, _ACCEPTED, _FILED])
_SLACK = timedelta(hours=1)  # far more than any clock is off, and any rounding


class Standing:
    """Know which notes of joined rows need not be told again. `fresh` are the batches nobody has correlated yet."""

    def __init__(
        self, scope: Scope, joined: Joined, fresh: Collection[int], clocks: Clocks, moved: Collection[Pair]
    ) -> None:
        self.fresh, self.clocks, self.moved = fresh, clocks, moved
        self.old = scope.now - max(GRACE, scope.usual_delay) - _SLACK
        rows: Sequence[Any] = (*joined.loose[0], *joined.loose[1])
        self.encounters = {row[5] for row in rows if row[5] is not None}
        self.patients = {row[6] for row in rows if row[6] is not None}
        self.bare = sorted(row[0] for row in joined.loose[1] if row[1] & CODE == _ACCEPTED)

    def holds(self, thread: Thread) -> bool:
        """Tell whether a note's trace stands."""
        scribe: list[StoredRow] = thread.scribe  # type: ignore[assignment]
        ehr: list[StoredRow] = thread.ehr  # type: ignore[assignment]
        if (
            scribe[-1][0] > self.old
            or thread.keys != ["transaction_id"]
            or thread.by_encounter
            or thread.id_by_encounter
        ):
            return False
        fresh = self.fresh
        if any(row[14] in fresh for row in scribe) or any(row[14] in fresh for row in ehr):
            return False
        if thread.encounter is None or thread.encounter in self.encounters or thread.patient in self.patients:
            return False
        codes = sorted([row[1] & CODE for row in ehr])
        if codes not in _SEEN or [code for _, code in thread.writes()] != _WRITES:
            return False
        if any(row[5] != thread.encounter for row in ehr if row[1] & CODE == _FILED):
            return False
        pair = thread.site, thread.client, thread.hour
        known = self.clocks.hours.get(pair)
        if thread.sampled is None or known is None or pair in self.moved:
            return False
        return len(codes) == len(_SEEN[1]) or not self._may_get_answer(scribe, timedelta(seconds=known))

    def _may_get_answer(self, scribe: Sequence[StoredRow], shift: timedelta) -> bool:
        """Tell whether a row without any id may be the EHR's answer that is not among the note's rows."""
        due: datetime = next(row[0] for row in reversed(scribe) if row[1] & CODE == What.ACCEPTED) + shift
        at = bisect_left(self.bare, due - EARLY - _NEAR)
        return at < len(self.bare) and self.bare[at] <= due + SOON + _NEAR


_NEAR = timedelta(seconds=5)
