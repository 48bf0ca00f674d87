"""Leave a file's rows alone until the file is in: batch by batch, the same hours would be told again and again."""

import uuid
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from console.notes.import_locks import any_held

MOST = timedelta(minutes=15)  # rows wait no longer than this for the rest of their file
BETWEEN = timedelta(minutes=2)  # a file that nobody holds may be between two slices; after this its import is dead

COMING = """
SELECT min(batch.stored_at), max(batch.stored_at) FILTER (WHERE made.state = 'running'),
       array_agg(DISTINCT made.id) FILTER (WHERE made.state = 'running')
  FROM notes_logbatch AS batch LEFT JOIN notes_logimport AS made ON made.id = batch.log_import_id
 WHERE batch.integration_id = %s AND batch.correlated_at IS NULL
"""


def is_coming_in(integration_id: uuid.UUID) -> bool:
    """Tell whether a file of which rows wait is still being brought in, and none of what waits is old."""
    with connection.cursor() as cursor:
        cursor.execute(COMING, (integration_id,))
        oldest, newest, imports = cursor.fetchone()
    now = timezone.now()
    if imports is None or oldest <= now - MOST:
        return False
    return newest > now - BETWEEN or any_held(imports)
