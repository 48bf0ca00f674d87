"""Find the rows of failing answers without reading all others: the monitoring pages count them by code."""

from django.db import migrations, models

INDEX = """
CREATE INDEX log_of_failures ON notes_logentry (integration_id, at) INCLUDE (log, event, status, ack)
 WHERE event IN ('failed', 'rejected') OR status >= 400 OR ack IN ('AE', 'AR', 'CE', 'CR');
"""
_FAILING = (
    models.Q(event__in=("failed", "rejected")) | models.Q(status__gte=400) | models.Q(ack__in=("AE", "AR", "CE", "CR"))
)


class Migration(migrations.Migration):
    dependencies = [("notes", "0008_offsets_borrowed")]

    operations = [
        migrations.RunSQL(
            INDEX,
            "DROP INDEX log_of_failures;",
            state_operations=[
                migrations.AddIndex(
                    model_name="logentry",
                    index=models.Index(
                        fields=["integration", "at"],
                        include=["log", "event", "status", "ack"],
                        name="log_of_failures",
                        condition=_FAILING,
                    ),
                )
            ],
        )
    ]
