"""What a report leaves behind: that somebody took its numbers out of the console."""

from django.db import transaction

from console.accounts.models import User
from console.accounts.services import record
from console.reports.report import Asked


@transaction.atomic
def note_export(*, by: User, asked: Asked, form: str) -> None:
    """Record an export in the audit trail of every facility it is about; `form` is "csv" or "pdf"."""
    period = {"from": asked.period.from_on.isoformat(), "to": asked.period.to_on.isoformat()}
    for facility in asked.facilities:
        record(by=by, action="report.exported", subject=facility, facility=facility, detail={"form": form, **period})
