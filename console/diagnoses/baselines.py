"""The last known good run of an integration: kept by itself, for "what changed" to have something to compare with."""

from typing import Any

from console.diagnoses.models import Run
from console.integrations.models import Baseline

_NOT_GOOD = frozenset({"failed", "blocked", "error"})


def is_good(document: dict[str, Any]) -> bool:
    """Tell whether a live run found nothing wrong; what it could not look at does not count against it."""
    statuses = {check["status"] for step in document["steps"] for check in step["checks"]}
    return document["root_cause"] is None and not statuses & _NOT_GOOD and "passed" in statuses


def keep_baseline(run: Run, document: dict[str, Any]) -> Baseline:
    """Keep a good run's facts in place of the earlier ones; one pinned by hand stays in force."""
    Baseline.objects.filter(integration_id=run.integration_id, segment=run.segment, pinned=False).delete()
    return Baseline.objects.create(
        integration_id=run.integration_id, segment=run.segment, facts=document.get("facts") or {}
    )
