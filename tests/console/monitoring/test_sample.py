"""The demo's alerts: seen in its own rows, joined to its tickets, with no pile of mails to send."""

from datetime import timedelta

import pytest
from django.utils import timezone

from console.accounts.models import OutgoingMail
from console.accounts.roles import Role
from console.demo.sample_monitoring import make_monitoring
from console.integrations.models import SourceToken
from console.monitoring.models import Alert
from console.notes.correlation import correlate_new
from console.notes.models import Note
from console.shared.work import WorkState
from console.tickets.models import Ticket
from tests.console.builders import a_facility, a_person, a_ticket, an_integration
from tests.console.monitoring.rows import a_note_story, take

pytestmark = pytest.mark.django_db


def test_the_sample_gets_its_alerts_and_every_integration_a_token() -> None:
    facility = a_facility()
    a_person(facility, Role.INTEGRATION_ENGINEER)
    integration = an_integration(facility)
    an_integration(facility)
    now = timezone.now()
    take(integration, *(a_note_story(n, now - timedelta(minutes=90 - n), ends="failed") for n in range(3)))
    correlate_new(integration=integration)
    ticket = a_ticket(integration, Note.objects.first(), opened_at=now - timedelta(minutes=60))
    for cause in ("auth.assertion.kid", "net.timeout.gateway"):
        other = a_ticket(integration, Note.objects.last(), opened_at=now - timedelta(days=9))
        Ticket.objects.filter(pk=other.pk).update(state="closed", cause=cause)
    assert make_monitoring(now) == 3
    alert = Alert.objects.get(ended_at=None)
    assert alert.ticket == ticket
    assert now - timedelta(minutes=90) < alert.opened_at < now - timedelta(minutes=60)
    assert Ticket.objects.count() == 3
    assert not ticket.events.filter(at__lt=ticket.opened_at).exists()
    assert SourceToken.objects.count() == 2
    assert set(OutgoingMail.objects.values_list("state", flat=True)) == {WorkState.DONE}
    assert Alert.objects.exclude(ended_at=None).filter(ticket__state="closed").count() == 2
