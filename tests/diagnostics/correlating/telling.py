"""Build two short logs and tell their stories. Times are seconds after noon of one day; a day earlier is -86400."""

from datetime import UTC, datetime, timedelta
from typing import Any

from diagnostics.tracing.correlate import Joined
from diagnostics.tracing.reduced import reduced
from diagnostics.tracing.story import Clocks, Story, medians

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=6)
Row = dict[str, Any]


def row(second: float, event: str, **said: Any) -> Row:
    return {"at": (NOON + timedelta(seconds=second)).isoformat(), "event": event, **said}


def sent(note: str, second: float = 0, *, status: int | None = 201, **said: Any) -> list[Row]:
    """Give a scribe's rows of one note: generated, sent a second later, answered after two."""
    ids = {"note_id": note, "encounter_id": f"E-{note}", "patient_id": f"P-{note}", "provider_id": f"D-{note}",
           "site": "north", **said}  # fmt: skip
    wire = {**ids, "transaction_id": f"T-{note}", "request_id": f"R-{note}", "method": "POST", **said}
    rows = [row(second, "generated", **ids), row(second + 1, "sent", **wire)]
    if status is not None:
        rows.append(row(second + 2, "acked" if status < 300 else "failed", **wire, status=status))
    return rows


def seen(note: str, second: float = 0, *events: str, ahead: float = 0.0, **said: Any) -> list[Row]:
    """Give the EHR's rows of one note, from one second on; `ahead` is its clock. None takes a key away."""
    ids = {"transaction_id": f"T-{note}", "request_id": f"R-{note}", "encounter_id": f"E-{note}",
           "patient_id": f"P-{note}", "client_id": "scribe-north", **said}  # fmt: skip
    ids = {key: value for key, value in ids.items() if value is not None}
    return [
        row(second + 1.3 + 0.3 * n + ahead, event, **ids)
        for n, event in enumerate(events or ("received", "accepted", "filed"))
    ]


NO_IDS: dict[str, Any] = {"transaction_id": None, "request_id": None}
BARE: dict[str, Any] = {**NO_IDS, "encounter_id": None, "patient_id": None}


def crowd(count: int = 30, start: float = -600, step: float = 40) -> tuple[list[Row], list[Row]]:
    """Give other notes, all whole, so that both logs are known to be written and to name their ids."""
    scribe: list[Row] = []
    ehr: list[Row] = []
    for n in range(count):
        scribe += sent(f"c{n}", start + n * step)
        ehr += seen(f"c{n}", start + n * step)
    return scribe, ehr


def told(scribe: list[Row], ehr: list[Row], *, now: datetime = LATER, alone: bool = False) -> dict[Any, Story]:
    """Tell the stories by note id (orphans under None, as a list is not needed); among other notes unless `alone`."""
    others = ([], []) if alone else crowd()
    joined = Joined(reduced("scribe", others[0] + scribe), reduced("ehr", others[1] + ehr), now=now)
    stories = joined.stories(Clocks(medians(joined.samples())))
    return {story.note if story.note is not None else ("orphan", story.orphan): story for story in stories}
