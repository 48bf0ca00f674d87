import django.db.models.deletion
from django.db import migrations, models


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
    ]
