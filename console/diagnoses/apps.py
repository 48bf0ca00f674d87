"""The diagnoses app."""

from django.apps import AppConfig
from django.http import HttpRequest

from console.shared.navigation import Entry, Notice, add_entry, add_notices


class DiagnosesConfig(AppConfig):
    """Name the app."""

    name = "console.diagnoses"

    def ready(self) -> None:
        """Bring the explain page into the navigation, and say when workers are behind."""
        add_entry(Entry(80, "Explain an error", "diagnoses:explain", _EXPLAIN, lambda _: True, more=True))
        add_entry(Entry(78, "Checklists", "diagnoses:checklists", _CHECKLISTS, _sees_tickets, more=True))
        add_notices(_workers_late)


_EXPLAIN = ("diagnoses:explain",)
_CHECKLISTS = ("diagnoses:checklists", "diagnoses:checklist")
_LATE = {
    "starting": "The workers are starting. Diagnoses begin as soon as they are up; nothing is lost meanwhile.",
    "behind": "The workers are behind. Diagnoses wait in line and run as soon as a worker is back; nothing is lost.",
}


def _sees_tickets(request: HttpRequest) -> bool:
    from console.accounts.access import grants
    from console.accounts.roles import Right

    return bool(grants(request.user).where(Right.SEE_TICKETS))


def _workers_late(request: HttpRequest) -> list[Notice]:
    from console.diagnoses.workers import workers

    text = _LATE.get(workers().state)
    return [Notice("warn", "hourglass", text)] if text else []
