"""Tell what two logs are like around an hour: do their rows lose ids, do they say where a note belongs. Pure."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter

from diagnostics.tracing.compact import CODE, What
from diagnostics.tracing.story import Row, around

LOSSY = 0.04  # this share of rows without ids makes a missing row no proof
_FILED, _OTHER = int(What.EHR_FILED), int(What.EHR_OTHER)
_at = itemgetter(0)


@dataclass(frozen=True, slots=True)
class Traits:
    """Be what the logs are like in an hour: which gaps are telling, and which are usual."""

    loses_ids: bool  # so many of the EHR's rows carry no id that a row which is missing proves little
    tells_place: bool  # both logs name encounters as a rule


def traits_of(scribe: Sequence[Row], ehr: Sequence[Row], hour: datetime) -> Traits:
    """Look at the rows around an hour; both logs are in order of time."""
    first, last = around(hour)
    seen = [
        row
        for row in ehr[bisect_left(ehr, first, key=_at) : bisect_left(ehr, last, key=_at)]
        if row[1] & CODE != _OTHER  # a change of settings or a login never names a message
    ]
    told = scribe[bisect_left(scribe, first, key=_at) : bisect_left(scribe, last, key=_at)]
    filed = [row for row in seen if row[1] & CODE == _FILED]
    bare = sum(row[3] is None and row[4] is None for row in seen)
    placed = sum(row[5] is not None for row in filed)
    named = sum(row[5] is not None for row in told)
    return Traits(
        loses_ids=bare > LOSSY * len(seen) and not _mostly_bare(seen, bare),
        tells_place=2 * placed > len(filed) and 5 * named > len(told),
    )


def _mostly_bare(rows: Sequence[Row], bare: int) -> bool:
    """Tell whether this log names no ids at all: then nothing was lost, and other keys join."""
    return 10 * bare > 9 * len(rows)
