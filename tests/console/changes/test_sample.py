"""The demo's own sample: every integration has somebody to call, and each state of a review is there to be seen."""

import pytest
from django.utils import timezone

from console.accounts.roles import Role
from console.changes.models import ChangeReview
from console.changes.pages import ReviewPage
from console.demo.sample_changes import make_changes
from console.integrations.models import Contact, Integration, MaintenanceWindow
from tests.console.builders import a_facility, a_person, an_integration
from tests.console.changes.builders import in_use

pytestmark = pytest.mark.django_db


def test_the_sample_holds_a_review_of_each_state_with_a_real_impact() -> None:
    north, lake = a_facility(slug="northcampus", time_zone="America/Chicago"), a_facility(slug="lakeside")
    for facility in (north, north, lake):
        in_use(an_integration(facility))
    bare = an_integration(north)
    engineer = a_person(north, Role.INTEGRATION_ENGINEER)
    informatics = a_person(north, Role.INFORMATICS)
    users = {"engineer@northcampus.example": engineer, "informatics@northcampus.example": informatics}
    now = timezone.now()
    assert make_changes(users, now) == 3
    assert sorted(ChangeReview.objects.values_list("state", flat=True)) == ["approved", "proposed", "sent_back"]
    waiting = ChangeReview.objects.get(state="proposed")
    page = ReviewPage(waiting, informatics)
    assert page.summary == "Breaks 2 of 2 mappings"
    assert {trouble.what for trouble in page.impacts[0].impact.troubles} >= {"renamed", "required", "shorter"}
    for row in Integration.objects.all():
        assert row.runbook_url.startswith("https://")
        windows = MaintenanceWindow.objects.filter(integration=row)
        assert windows.filter(end_at__lt=now).count() == windows.filter(start_at__gt=now).count() == 1
    assert Contact.objects.filter(integration=bare).count() == 2
