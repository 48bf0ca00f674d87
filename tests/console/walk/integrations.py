"""Integrations."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from console.integrations.models import Contact, MaintenanceWindow, Source, SourceToken
from tests.console.walk import Place, Row, only

# What may be seen: a privacy officer has no business with connections, an administrator sets them up.
SEEN = Row(200, 404, 200, 200, privacy=404, administrator=200)


def managed(status: int, method: str = "post", **data: str) -> Row:
    """Give the row of an act of those who manage connections."""
    return Row(
        403, 404, 403, 403, method=method, data=tuple(data.items()), engineer=status, informatics=403, privacy=404,
        administrator=status,
    )  # fmt: skip


ROWS = {
    "integrations:list": Row(200, 200, 200, 200, privacy=403, administrator=200),
    "integrations:new": only(engineer=200, administrator=200),
    "integrations:integration": SEEN,
    "integrations:live": SEEN,
    "integrations:test": Row(302, 404, 302, 403, method="post", privacy=404, administrator=403),
    "integrations:settings": managed(200, "get"),
    "integrations:profile": SEEN,
    "integrations:change_fact": managed(302, value="45", why="The EHR team said so."),
    "integrations:put_fact_back": managed(302),
    "integrations:baseline": managed(302),
    "integrations:guide": managed(302, runbook_url="https://runbook.example/epic", escalation="Ask the desk."),
    "integrations:add_contact": managed(302, name="Desk", phone="+1 555 0101"),
    "integrations:change_contact": managed(302, name="Desk", phone="+1 555 0102"),
    "integrations:remove_contact": managed(302),
    "integrations:add_window": managed(302, start="2026-12-01T22:00", end="2026-12-02T02:00"),
    "integrations:remove_window": managed(302),
    "integrations:add_segment": managed(302, name="Satellite site", source_address="10.20.0.5"),
    "integrations:remove_segment": managed(302, name="Satellite site"),
    "integrations:resend": managed(302, do="on"),
    "integrations:audit_events": managed(302, do="on", every_minutes="5"),
    "integrations:add_source": managed(302, name="A further source", time_zone="UTC"),
    "integrations:make_token": managed(200, name="The scribe"),
    "integrations:revoke_token": managed(302),
}


def furnish(place: Place) -> dict[str, Any]:
    now = timezone.now()
    contact = Contact.objects.create(integration=place.integration, name="Support", email="support@ehr.example")
    window = MaintenanceWindow.objects.create(
        integration=place.integration, start_at=now, end_at=now + timedelta(hours=1)
    )
    source = Source.objects.create(
        facility=place.facility, integration=place.integration, name=f"walk-{place.department.slug}"
    )
    token = SourceToken.objects.create(source=source, name="walk", digest=source.id.bytes)
    return {
        "integration_id": place.integration.id, "contact_id": contact.id, "window_id": window.id,
        "source_id": source.id, "token_id": token.id, "fact": "usual_filing_minutes",
    }  # fmt: skip
