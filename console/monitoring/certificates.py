"""Keep the certificates that a diagnosis met: their ends are watched between runs."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from console.diagnoses.models import Run
from console.monitoring.models import SeenCertificate
from console.shared.work import WorkState


def take_certificates(run: Run) -> None:
    """Take the certificates out of a finished run's facts; called in the transaction that ends the run."""
    if run.state not in (WorkState.DONE, WorkState.RUNNING) or not run.document:
        return
    told = (run.document.get("facts") or {}).get("certificates") or {}
    seen_at = run.started_at or timezone.now()
    rows = [row for host, facts in told.items() if (row := _row(run, str(host), facts, seen_at)) is not None]
    SeenCertificate.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["integration", "host"],
        update_fields=["not_before", "not_after", "seen_at"],
    )


def _row(run: Run, host: str, facts: Any, seen_at: datetime) -> SeenCertificate | None:
    ends = _moment(facts.get("not_after")) if isinstance(facts, dict) else None
    if ends is None or len(host) > 255:
        return None
    begins = _moment(facts.get("not_before"))
    return SeenCertificate(
        integration_id=run.integration_id, host=host, not_before=begins, not_after=ends, seen_at=seen_at
    )


def _moment(text: Any) -> datetime | None:
    try:
        value = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return value if value.tzinfo else None
