from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models

# By triggers, so that no way of adding a note can forget it: it decides who sees a ticket in a list. A note that joins
# only adds; where one leaves or moves, the ticket is locked first and then all its notes are read, so that of two
# changes at once the later one sees what the earlier one did.
TRIGGERS = """
CREATE FUNCTION tickets_department_joins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE tickets_ticket SET departments = departments || NEW.department_id
   WHERE id = NEW.ticket_id AND NOT NEW.department_id = ANY (departments);
  RETURN NULL;
END $$;
CREATE FUNCTION tickets_department_leaves() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  changed uuid;
BEGIN
  FOREACH changed IN ARRAY CASE TG_OP WHEN 'DELETE' THEN ARRAY[OLD.ticket_id]
                           ELSE ARRAY[least(OLD.ticket_id, NEW.ticket_id), greatest(OLD.ticket_id, NEW.ticket_id)] END
  LOOP
    PERFORM FROM tickets_ticket WHERE id = changed FOR UPDATE;
    UPDATE tickets_ticket SET departments = coalesce(
           (SELECT array_agg(DISTINCT n.department_id) FROM tickets_ticketnote n
             WHERE n.ticket_id = changed AND n.department_id IS NOT NULL), '{}')
     WHERE id = changed;
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER tickets_department_joins AFTER INSERT ON tickets_ticketnote
  FOR EACH ROW WHEN (NEW.department_id IS NOT NULL) EXECUTE FUNCTION tickets_department_joins();
CREATE TRIGGER tickets_department_moves AFTER UPDATE OF department_id, ticket_id ON tickets_ticketnote
  FOR EACH ROW WHEN (OLD.department_id IS DISTINCT FROM NEW.department_id OR OLD.ticket_id <> NEW.ticket_id)
  EXECUTE FUNCTION tickets_department_leaves();
CREATE TRIGGER tickets_department_leaves AFTER DELETE ON tickets_ticketnote
  FOR EACH ROW WHEN (OLD.department_id IS NOT NULL) EXECUTE FUNCTION tickets_department_leaves();
UPDATE tickets_ticket t SET departments = held.departments
  FROM (SELECT ticket_id, array_agg(DISTINCT department_id) AS departments
          FROM tickets_ticketnote WHERE department_id IS NOT NULL GROUP BY ticket_id) AS held
 WHERE held.ticket_id = t.id;
"""
NO_TRIGGERS = """
DROP TRIGGER tickets_department_joins ON tickets_ticketnote;
DROP TRIGGER tickets_department_moves ON tickets_ticketnote;
DROP TRIGGER tickets_department_leaves ON tickets_ticketnote;
DROP FUNCTION tickets_department_joins();
DROP FUNCTION tickets_department_leaves();
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0007_watching_and_titles")]

    operations = [
        migrations.AddField(
            model_name="ticket",
            name="departments",
            field=ArrayField(
                base_field=models.UUIDField(),
                db_default=models.Value([], output_field=ArrayField(models.UUIDField())),
                default=list,
                editable=False,
                help_text="Those of its notes. The database keeps it by itself, so that lists need not look at notes.",
                size=None,
            ),
        ),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
