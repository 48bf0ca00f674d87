"""Certificates that a run met are kept, watched, and let go when their endpoint is no longer used."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from console.diagnoses.models import Run
from console.monitoring.certificates import take_certificates
from console.monitoring.evaluating import evaluate
from console.monitoring.models import Alert, SeenCertificate
from console.shared.work import WorkState
from console.tickets.models import Ticket
from tests.console.builders import a_facility, an_integration
from tests.console.monitoring.rows import a_note_story, take

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 6, 1, 9, 0, tzinfo=UTC)
HOST = "fhir.ehr.example:443"


@pytest.fixture
def integration():
    return an_integration(a_facility())


def a_run_that_saw(integration, at: datetime, certificates: Any, **fields: Any) -> None:
    run = Run.objects.create(
        facility_id=integration.facility_id, integration=integration, started_at=at,
        document={"facts": {"certificates": certificates}}, **{"state": WorkState.DONE, **fields},
    )  # fmt: skip
    take_certificates(run)


def ends(days: float, life: float = 365) -> dict[str, str]:
    until = NOW + timedelta(days=days)
    return {"not_before": (until - timedelta(days=life)).isoformat(), "not_after": until.isoformat()}


def test_an_ending_certificate_opens_a_ticket_without_notes_and_a_new_one_ends_the_alert(integration) -> None:
    a_run_that_saw(integration, NOW, {HOST: ends(12)})
    [alert] = evaluate(now=NOW).opened
    assert (alert.subject, alert.grave) == (HOST, False)
    assert alert.ticket.title == f"Certificate of {HOST} ends soon"
    assert not alert.ticket.ticket_notes.exists()
    assert alert.ticket.run is not None
    a_run_that_saw(integration, NOW + timedelta(hours=1), {HOST: ends(365)})
    assert evaluate(now=NOW + timedelta(hours=2)).ended == [alert]


def test_one_that_has_ended_is_worse_and_is_told_again(integration) -> None:
    a_run_that_saw(integration, NOW, {HOST: ends(0.5)})
    evaluate(now=NOW)
    evaluate(now=NOW + timedelta(hours=13))
    alert = Alert.objects.get()
    assert alert.grave
    assert alert.events.filter(kind="worse").count() == 1
    evaluate(now=NOW + timedelta(hours=14))
    assert alert.events.filter(kind="worse").count() == 1


def test_notes_that_fail_have_a_ticket_of_their_own_while_the_certificate_still_holds(integration) -> None:
    a_run_that_saw(integration, NOW, {HOST: ends(12)})
    evaluate(now=NOW)
    take(integration, *(a_note_story(n, NOW + timedelta(minutes=n), ends="failed") for n in range(3)))
    evaluate(now=NOW + timedelta(minutes=5))
    assert Ticket.objects.count() == 2


def test_once_it_has_ended_the_notes_that_fail_join_its_ticket(integration) -> None:
    a_run_that_saw(integration, NOW, {HOST: ends(-0.1)})
    evaluate(now=NOW)
    take(integration, *(a_note_story(n, NOW + timedelta(minutes=n), ends="failed") for n in range(3)))
    evaluate(now=NOW + timedelta(minutes=5))
    assert Ticket.objects.count() == 1
    assert Ticket.objects.get().ticket_notes.count() == 3


def test_two_endpoints_are_two_alerts(integration) -> None:
    a_run_that_saw(integration, NOW, {HOST: ends(12), "auth.ehr.example:443": ends(3)})
    assert len(evaluate(now=NOW).opened) == 2


def test_an_endpoint_not_met_for_two_weeks_while_others_were_is_let_go(integration) -> None:
    a_run_that_saw(integration, NOW, {HOST: ends(12)})
    evaluate(now=NOW)
    a_run_that_saw(integration, NOW + timedelta(days=13), {"new.ehr.example:443": ends(300)})
    assert evaluate(now=NOW + timedelta(days=13)).ended == []
    a_run_that_saw(integration, NOW + timedelta(days=15), {"new.ehr.example:443": ends(300)})
    assert len(evaluate(now=NOW + timedelta(days=15)).ended) == 1


@pytest.mark.parametrize(
    "told",
    [
        {HOST: {"issuer": "x"}},
        {HOST: {"not_after": "soon"}},
        {HOST: {"not_after": "2026-06-01T00:00:00"}},
        {HOST: "text"},
        {"h" * 300: ends(3)},
        {},
    ],
)
def test_facts_that_say_nothing_of_an_end_are_left_alone(integration, told) -> None:
    a_run_that_saw(integration, NOW, told)
    assert not SeenCertificate.objects.exists()


def test_a_run_without_a_document_or_one_that_failed_teaches_nothing(integration) -> None:
    a_run_that_saw(integration, NOW, {HOST: ends(3)}, state=WorkState.FAILED)
    run = Run.objects.create(facility_id=integration.facility_id, integration=integration, state=WorkState.DONE)
    take_certificates(run)
    assert not SeenCertificate.objects.exists()


def test_facts_of_a_handshake_hold_what_is_watched() -> None:
    """The engine's own words for a certificate, so that a renamed key cannot silence the alerts."""
    from diagnostics.evidence.network import CertificateSeen, TlsHandshake

    leaf = CertificateSeen("CN=a", "CN=b", ("a",), NOW, NOW + timedelta(days=90), "f" * 64, "s" * 64)
    facts = TlsHandshake(host="fhir.ehr.example", port=443, chain=(leaf,)).baseline_facts()["certificates"][HOST]
    assert facts["not_before"] == NOW.isoformat()
    assert facts["not_after"] == (NOW + timedelta(days=90)).isoformat()
