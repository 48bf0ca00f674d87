"""Hold an import for one session of the database, so that two processes never bring in one file at once."""

import time
import uuid
from collections.abc import Collection

from django.db import connection

_PATIENCE_S = 5.0
HELD = """
SELECT EXISTS (
  SELECT FROM pg_locks AS held JOIN pg_database AS here ON here.oid = held.database
   WHERE here.datname = current_database() AND held.locktype = 'advisory' AND held.objsubid = 1 AND held.granted
     AND (held.classid::bigint << 32) | held.objid::bigint = ANY(%s)
)
"""


def hold(import_id: uuid.UUID) -> bool:
    """Hold an import for this session. The lock of a killed process ends with its connection, a moment later."""
    until = time.monotonic() + _PATIENCE_S
    while True:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", [number(import_id)])
            if cursor.fetchone()[0]:
                return True
        if time.monotonic() >= until:
            return False
        time.sleep(0.05)


def let_go(import_id: uuid.UUID) -> None:
    """Let go of an import that this session holds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [number(import_id)])


def any_held(imports: Collection[uuid.UUID]) -> bool:
    """Tell whether a process that lives holds one of these imports."""
    with connection.cursor() as cursor:
        cursor.execute(HELD, [[number(one) for one in imports]])
        return bool(cursor.fetchone()[0])


def number(import_id: uuid.UUID) -> int:
    """Give the number of an import's lock."""
    return int.from_bytes(import_id.bytes[8:], "big", signed=True)
