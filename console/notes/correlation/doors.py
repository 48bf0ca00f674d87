"""Correlate: what has come since, everything anew, or one note at once."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from time import monotonic

from django.db import connection, transaction

from console.integrations.models import Integration
from console.notes.correlation import incremental, state
from console.notes.correlation.backlog import is_coming_in
from console.notes.correlation.by_engine import tell_kept
from console.notes.correlation.running import Done
from console.notes.correlation.slices import EVER, tell_all
from console.notes.correlation.writing import remove

FIRST = """
SELECT min(at), max(at) FROM notes_logentry WHERE integration_id = %s AND log IN ('scribe', 'ehr')
"""
# One index probe each, in the index's order: a planner left free would read on until one of them turns up.
HAVING = """
SELECT i.id FROM integrations_integration AS i
 WHERE (SELECT log FROM notes_logbatch WHERE integration_id = i.id ORDER BY log, last_at DESC LIMIT 1) IS NOT NULL
    OR (SELECT born_at FROM notes_trace WHERE integration_id = i.id ORDER BY born_at LIMIT 1) IS NOT NULL
"""
Progress = Callable[[int], None]


@dataclass
class Report:
    """Count what a correlation did, in how many seconds."""

    notes: int = 0
    changed: int = 0
    orphans: int = 0
    rows: int = 0
    seconds: float = 0.0

    def add(self, done: Done) -> None:
        """Take the counts of one integration in."""
        self.notes += done.notes
        self.changed += done.changed
        self.orphans += done.orphans
        self.rows += done.rows

    def as_dict(self) -> dict[str, float]:
        """Give it for JSON."""
        return asdict(self)


def correlate_new(
    *, integration: Integration | None = None, wait: bool = False, workers: int = 1, progress: Progress | None = None
) -> Report:
    """Correlate the rows that have come since, and the notes whose time has come.

    Without `wait` an integration that another process correlates now is left to it, and one into which a file is
    being brought is left until the file is in.
    """
    began, report = monotonic(), Report()
    for each in _integrations(integration):
        if not wait and is_coming_in(each.pk):
            continue
        with state.alone(each, wait=wait) as held:
            if held:
                report.add(_new(each, workers, progress))
    report.seconds = round(monotonic() - began, 3)
    return report


def correlate_all(
    *, since: datetime | None = None, integration: Integration | None = None, workers: int = 1,
    progress: Progress | None = None,
) -> Report:  # fmt: skip
    """Correlate every note anew, of all times or of those that begin at `since` or later."""
    began, report = monotonic(), Report()
    for each in _integrations(integration):
        with state.alone(each):
            report.add(_all(each, workers, progress) if since is None else _since(each, since, workers, progress))
    report.seconds = round(monotonic() - began, 3)
    return report


def _integrations(one: Integration | None) -> Iterator[Integration]:
    """Yield the integrations that have, or had, log rows."""
    if one is not None:
        yield one
        return
    with connection.cursor() as cursor:
        cursor.execute(HAVING)
        found = [integration_id for (integration_id,) in cursor.fetchall()]
    yield from Integration.objects.filter(pk__in=found).order_by("id")


def _new(integration: Integration, workers: int, progress: Progress | None) -> Done:
    kept, before = state.known(integration)
    batches = incremental.waiting_batches(integration.pk)
    if not batches and before is None and kept.newest_at is None:
        return Done()  # nothing was ever told; what was told by other rules is told anew
    logs = [batch for batch in batches if batch.log in ("scribe", "ehr")]
    scope = state.look(integration, kept)
    if scope is None:
        incremental.mark(batches)  # a firewall's or a proxy's rows alone tell of no note
        return Done()
    if before is None or scope.differs(before):
        return _all(integration, workers, progress)
    done = Done()
    if sum(batch.rows for batch in logs) > incremental.BACKLOG_ROWS:
        first, last = min(batch.first for batch in logs), max(batch.last for batch in logs)
        done.add(tell_all(scope, first - incremental.MARGIN, last, workers=workers, progress=progress))
        logs = []
    with transaction.atomic():
        done.add(incremental.tell_new(scope, before, logs))
        incremental.mark(batches)
        state.save(kept, rebuilt=False)
    return done


def _since(integration: Integration, since: datetime, workers: int, progress: Progress | None) -> Done:
    done = _new(integration, workers, progress)
    scope = state.known(integration)[1]
    if scope is not None and since <= scope.now:
        done.add(tell_all(scope, since, scope.now, workers=workers, progress=progress))
    return done


def _all(integration: Integration, workers: int, progress: Progress | None) -> Done:
    kept, _ = state.known(integration)
    batches = incremental.waiting_batches(integration.pk)
    scope = state.look(integration, kept, anew=True)
    done = Done()
    if scope is not None:
        with connection.cursor() as cursor:
            cursor.execute(FIRST, (integration.pk,))
            first, last = cursor.fetchone()
        if first is None:
            done.changed += remove(scope, *EVER, notes=(), orphans=())
        else:
            done.add(tell_all(scope, first, last, whole=True, workers=workers, progress=progress))
        done.add(tell_kept(scope))
        state.save(kept, rebuilt=True)
    incremental.mark(batches)
    return done
