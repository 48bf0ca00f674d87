import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models

import console.shared.identifiers


class Migration(migrations.Migration):
    dependencies = [
        ("diagnoses", "0002_round_trip"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="ChecklistTemplate",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=console.shared.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("slug", models.SlugField(max_length=60)),
                ("version", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=80)),
                ("about", models.CharField(blank=True, max_length=200)),
                (
                    "category",
                    models.CharField(blank=True, help_text="The root-cause category it comes with.", max_length=32),
                ),
                ("items", models.JSONField(help_text="Ids of diagnostics/checklists.py, in their order.")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ("slug", "-version", "id"),
            },
        ),
        migrations.CreateModel(
            name="TicketChecklist",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=console.shared.identifiers.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("ticket_id", models.UUIDField(db_index=True)),
                ("at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="diagnoses.checklisttemplate"
                    ),
                ),
            ],
            options={
                "ordering": ("at", "id"),
            },
        ),
        migrations.AddConstraint(
            model_name="checklisttemplate",
            constraint=models.UniqueConstraint(fields=("slug", "version"), name="checklist_version_once"),
        ),
        migrations.AddConstraint(
            model_name="ticketchecklist",
            constraint=models.UniqueConstraint(fields=("ticket_id", "template"), name="checklist_once_a_ticket"),
        ),
    ]
