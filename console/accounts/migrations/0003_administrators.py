"""Give facilities that were opened earlier the group of administrators that new ones get."""

from django.db import migrations

RIGHTS = ("administer", "see_integrations", "manage_integrations")


def add_groups(apps, schema_editor) -> None:
    facility_model = apps.get_model("accounts", "Facility")
    facilities = list(facility_model.objects.all())
    if not facilities:
        return
    group_model = apps.get_model("auth", "Group")
    kind = apps.get_model("contenttypes", "ContentType").objects.get(app_label="accounts", model="facility")
    permissions = apps.get_model("auth", "Permission").objects.filter(content_type=kind, codename__in=RIGHTS)
    grant = apps.get_model("guardian", "GroupObjectPermission")
    for facility in facilities:
        group, _ = group_model.objects.get_or_create(name=f"{facility.slug}:administrator")
        for permission in permissions:
            grant.objects.get_or_create(
                group=group, permission=permission, content_type=kind, object_pk=str(facility.pk)
            )


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_round_trip"),
        ("guardian", "0003_remove_groupobjectpermission_guardian_gr_content_ae6aec_idx_and_more"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [migrations.RunPython(add_groups, migrations.RunPython.noop)]
