"""End what is older than the log is kept: whole days of rows at once, with what tells of their import."""

from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import connection, transaction

from console.accounts.models import Facility
from console.accounts.services import record
from console.notes.models import LogBatch, LogImport

LEAST_DAYS = 31  # the tables' owner drops nothing younger
_DAYS = """
SELECT to_date(right(child.relname, 8), 'YYYYMMDD') FROM pg_inherits
JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent = 'notes_logentry'::regclass AND child.relname ~ '^notes_logentry_[0-9]{8}$' ORDER BY 1
"""
_IMPORTS = 500


def keep_retention(*, now: datetime | None = None) -> list[date]:
    """Drop the days of the log that are older than LOG_RETENTION_DAYS (0 keeps all), and give them.

    Each day goes in a transaction of its own: dropping one waits for whoever reads or writes the log.
    """
    if settings.LOG_RETENTION_DAYS <= 0:
        return []
    today = (now or datetime.now(UTC)).astimezone(UTC).date()
    first_kept = today - timedelta(days=max(settings.LOG_RETENTION_DAYS, LEAST_DAYS))
    with connection.cursor() as cursor:
        cursor.execute(_DAYS)
        old = [day for (day,) in cursor.fetchall() if day < first_kept]
    for day in old:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT notes_drop_log_partition(%s)", [day])
    edge = datetime(first_kept.year, first_kept.month, first_kept.day, tzinfo=UTC)
    imports = _drop_imports(edge)
    if old or imports:
        _record(old, imports, first_kept)
    return old


def _drop_imports(edge: datetime) -> int:
    """Delete batches whose rows are gone, and imports of that time with the lines they set aside."""
    LogBatch.objects.filter(last_at__lt=edge).delete()
    dropped = 0
    old = LogImport.objects.filter(at__lt=edge).exclude(jobs__state__in=("queued", "running"))
    while some := list(old.order_by("at", "id").values_list("pk", flat=True)[:_IMPORTS]):
        LogImport.objects.filter(pk__in=some).delete()
        dropped += len(some)
    return dropped


def _record(days: list[date], imports: int, first_kept: date) -> None:
    detail = {"days": len(days), "imports": imports, "kept_from": first_kept.isoformat()}
    for facility in Facility.objects.order_by("name", "id"):
        record(by=None, action="log.retention", subject=facility, facility=facility, detail=detail)
