"""Health, alerts, rules, logs and tokens. A privacy officer has no part in integrations; an administrator has."""

import uuid
from typing import Any

from django.utils import timezone

from console.integrations.models import SourceToken
from console.integrations.tokens import make_token, source_of
from console.monitoring.models import Alert, AlertRule, AuditPull, DropFile
from console.monitoring.services import seed_rules
from console.notes.intake import take_rows
from tests.console.walk import Place, Row


def seen(manager: int = 200, **more: Any) -> Row:
    """Give the row of an object: who sees the facility's integrations sees it, departments or not."""
    return Row(200, 404, 200, manager, privacy=404, **{"administrator": 200, **more})


def engineers(other: int, **more: Any) -> Row:
    """Give the row of what only those may do who look after integrations."""
    return Row(
        403, other, 403, 403, **{"engineer": 302, "informatics": 403, "privacy": other, "administrator": 302, **more}
    )


ROWS = {
    "monitoring:overview": Row(200, 200, 200, 200, privacy=403, administrator=200),
    "monitoring:integration": seen(),
    "monitoring:rules": Row(200, 200, 200, 200, privacy=403, administrator=200),
    "monitoring:set_rule": engineers(404, method="post", data=(("threshold", "90"), ("active", "on"))),
    "monitoring:drop_rule": engineers(404, method="post"),
    "monitoring:alert": seen(),
    "monitoring:acknowledge": Row(302, 404, 302, 403, method="post", privacy=404, administrator=403),
    "monitoring:alert_ticket": Row(302, 404, 302, 403, method="post", privacy=404, administrator=403),
    "monitoring:logs": Row(200, 200, 200, 403, administrator=403),
    "monitoring:log_import": Row(200, 404, 200, 403, privacy=404, administrator=403),
    "monitoring:log_import_live": Row(200, 404, 200, 403, privacy=404, administrator=403),
    "monitoring:log_columns": Row(302, 404, 302, 403, method="post", privacy=404, administrator=403),
    "monitoring:log_again": Row(302, 404, 302, 403, method="post", privacy=404, administrator=403),
    "monitoring:log_drop": Row(302, 404, 302, 403, method="post", privacy=404, administrator=403),
    "monitoring:quarantined": Row(200, 404, 200, 403, privacy=404, administrator=403),
    "monitoring:sources": engineers(403, engineer=200, administrator=200),
    "monitoring:source": engineers(404, engineer=200, administrator=200),
    "monitoring:set_source_zone": engineers(
        404, method="post", data=(("time_zone", "America/Chicago"), ("why", "told so"))
    ),
    "monitoring:forget_columns": engineers(404, method="post", data=(("log", "ehr"),)),
    "monitoring:revoke_token": engineers(404, method="post"),
}


def furnish(place: Place) -> dict[str, Any]:
    seed_rules()
    now = timezone.now()
    source = source_of(place.integration)
    make_token(source=source, name="scribe", by=None)
    receipt = take_rows(
        source=source, log="scribe", lines=[b"broken", b'{"at": "2026-11-20 09:00:00", "event": "sent"}']
    )
    source.mappings = {"ehr": {"Date/Time": "at", "Event": "event", "Workstation": ""}}
    source.save()
    AuditPull.objects.get_or_create(
        integration=place.integration,
        defaults={
            "facility": place.facility, "last_seen": now, "failures": 2, "failing_since": now, "worked_at": now,
            "says": "The EHR failed inside while it was asked for audit events (500).", "remedy": "It is asked again.",
        },
    )  # fmt: skip
    DropFile.objects.create(
        facility=place.facility, source=source, log="ehr", key=uuid.uuid4().bytes, path=b"north/ehr/audit.csv",
        size=812, changed_ns=1, state="done", end="set_aside", says="2 of 10 lines cannot be read.", finished_at=now,
    )  # fmt: skip
    alert = Alert.objects.create(
        facility=place.facility, integration=place.integration, kind="token", key=f"token:{place.department.id}",
        says="The last token request failed.", opened_at=now, last_seen_at=now, counted_to=now, ticket=place.ticket,
    )  # fmt: skip
    own, _ = AlertRule.objects.get_or_create(
        facility=place.facility, integration=place.integration, kind="token", defaults={"threshold": 2}
    )
    return {
        "alert_id": alert.id,
        "facility_id": place.facility.id,
        "integration_id": place.integration.id,
        "import_id": receipt.import_id,
        "rule_kind": "token",
        "source_id": source.id,
        "alert_rule_id": own.id,
        "token_id": SourceToken.objects.latest("created_at").id,
    }
