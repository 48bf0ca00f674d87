"""The log's daily partitions. A function owned by the tables' owner makes them: the application owns nothing."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from django.db import ProgrammingError, connection, transaction
from psycopg.errors import DuplicateTable

_MISSING = """
SELECT day FROM unnest(%s::date[]) AS asked (day)
WHERE to_regclass('notes_logentry_' || to_char(day, 'YYYYMMDD')) IS NULL ORDER BY day
"""


def ensure_days(days: Iterable[date] | None = None) -> None:
    """Make the partitions of the given UTC days, by default of yesterday, today and the coming week."""
    if days is None:
        today = datetime.now(UTC).date()
        days = (today + timedelta(days=offset) for offset in range(-1, 8))
    with connection.cursor() as cursor:
        cursor.execute(_MISSING, [sorted(set(days))])
        missing = [day for (day,) in cursor.fetchall()]
        for day in missing:  # a transaction each: two makers that hold some days and wait for others would block
            try:
                with transaction.atomic():
                    cursor.execute("SELECT notes_ensure_log_partition(%s)", [day])
            except ProgrammingError as problem:  # another maker was faster, and this session had not heard of it yet
                if not isinstance(problem.__cause__, DuplicateTable):
                    raise
