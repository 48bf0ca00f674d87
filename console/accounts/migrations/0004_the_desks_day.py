"""Give the roles of facilities that were opened earlier the rights to prepare and to approve a resend."""

from django.db import migrations

PREPARE = ("resend_notes", "Prepare and start a resend")
APPROVE = ("approve_resend", "Approve another person's resend")
GIVEN = {
    "help-desk": (PREPARE,),
    "integration-engineer": (PREPARE, APPROVE),
    "informatics": (PREPARE, APPROVE),
}


def add_rights(apps, schema_editor) -> None:
    facilities = list(apps.get_model("accounts", "Facility").objects.all())
    if not facilities:
        return
    group_model = apps.get_model("auth", "Group")
    kind = apps.get_model("contenttypes", "ContentType").objects.get(app_label="accounts", model="facility")
    # Rows of permissions are made after all migrations, which is too late for those who hold them.
    permission_model = apps.get_model("auth", "Permission")
    rows = {
        codename: permission_model.objects.get_or_create(content_type=kind, codename=codename, defaults={"name": name})[
            0
        ]
        for codename, name in (PREPARE, APPROVE)
    }
    grant = apps.get_model("guardian", "GroupObjectPermission")
    for facility in facilities:
        for role, rights in GIVEN.items():
            group = group_model.objects.filter(name=f"{facility.slug}:{role}").first()
            for codename, _ in rights if group else ():
                grant.objects.get_or_create(
                    group=group, permission=rows[codename], content_type=kind, object_pk=str(facility.pk)
                )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_administrators"),
        ("guardian", "0003_remove_groupobjectpermission_guardian_gr_content_ae6aec_idx_and_more"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="facility",
            options={
                "ordering": ("name", "id"),
                "permissions": (
                    ("see_tickets", "See tickets"),
                    ("work_tickets", "Open and work on tickets"),
                    ("run_diagnosis", "Run a diagnosis"),
                    ("open_payload", "Open a note's payload"),
                    PREPARE,
                    APPROVE,
                    ("see_integrations", "See integrations"),
                    ("manage_integrations", "Change integrations"),
                    ("review_knowledge", "Review knowledge and template changes"),
                    ("see_reports", "See reports"),
                    ("release_phi", "Release articles from restricted tickets"),
                    ("see_audit", "See the audit trail"),
                    ("administer", "Administer people and facility"),
                ),
                "verbose_name_plural": "facilities",
            },
        ),
        migrations.RunPython(add_rights, migrations.RunPython.noop),
    ]
