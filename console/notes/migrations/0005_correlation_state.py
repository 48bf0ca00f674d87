import django.db.models.deletion
from django.db import migrations, models

# Rows that carry no id are found by time; among a million others only an index of their own finds them fast.
NAMELESS = """
CREATE INDEX log_nameless ON notes_logentry (integration_id, at)
WHERE note_hash IS NULL AND transaction_hash IS NULL AND request_hash IS NULL AND encounter_hash IS NULL
AND document_hash IS NULL;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0003_vendor_profile_copies"),
        ("notes", "0004_traces"),
    ]

    operations = [
        migrations.CreateModel(
            name="CorrelationState",
            fields=[
                (
                    "integration",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="integrations.integration",
                    ),
                ),
                (
                    "rules",
                    models.PositiveSmallIntegerField(
                        default=0, help_text="The rules that made the traces; others: all anew."
                    ),
                ),
                ("has_scribe", models.BooleanField(default=False)),
                ("has_ehr", models.BooleanField(default=False)),
                (
                    "logs_filing",
                    models.BooleanField(default=False, help_text="The EHR's log tells of filing at all."),
                ),
                ("ehr_first", models.DateTimeField(null=True)),
                ("ehr_last", models.DateTimeField(null=True)),
                (
                    "newest_at",
                    models.DateTimeField(
                        help_text="Time of the newest row: *now* for whatever is waited for.", null=True
                    ),
                ),
                ("correlated_at", models.DateTimeField(null=True)),
                ("rebuilt_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddIndex(
                    model_name="logentry",
                    index=models.Index(fields=["integration", "at"], name="log_nameless"),
                ),
            ],
            database_operations=[migrations.RunSQL(NAMELESS, "DROP INDEX log_nameless;")],
        ),
    ]
