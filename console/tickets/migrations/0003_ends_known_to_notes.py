"""Tell the notes themselves how they ended, as their tickets say: from now on both are one truth."""

from django.db import migrations

COPY = """
INSERT INTO notes_noteend (id, facility_id, note_id, how, by_id, at)
SELECT gen_random_uuid(), n.facility_id, t.note_id, t."end", t.ended_by_id, coalesce(t.ended_at, t.added_at)
  FROM tickets_ticketnote t JOIN notes_note n ON n.id = t.note_id
 WHERE t."end" <> 'waiting'
   AND NOT EXISTS (SELECT FROM notes_noteend e WHERE e.note_id = t.note_id)
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0002_round_trip"), ("notes", "0006_note_ends")]

    operations = [migrations.RunSQL(COPY, migrations.RunSQL.noop)]
