"""Ask a stored log inside one process of the console: one note on demand, the last hour, and the floors beside them.

    python -m tests.benchmarks.two_logs.asking STATE note|hour ...     prints one JSON line

Runs as a program of its own, so that the caller's process needs no Django and no state is shared between sizes.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SEED = 20261123
WARM_UP = 20


def console(folder: Path) -> None:
    """Set Django up on the database of a household."""
    os.environ["NOTETRACE_STATE_DIR"] = str(folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    from console.launch.database import point_settings_at
    from console.launch.postgres import EmbeddedPostgres
    from console.launch.state import provide_keys

    provide_keys(folder)
    point_settings_at(EmbeddedPostgres(folder))
    import django

    django.setup()


def in_ms(act: Callable[[], Any]) -> float:
    """Time one act."""
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def one_note(samples: int) -> dict[str, list[float]]:
    """Correlate random notes on demand, each beside one look-up of a row by primary key on the same connection."""
    from django.db import connection

    from console.notes.correlation import correlate_note
    from console.notes.models import Note

    rng = random.Random(SEED)
    keys = list(Note.objects.order_by("id").values_list("id", flat=True).iterator())
    drawn = [rng.choice(keys) for _ in range(samples + WARM_UP)]
    notes = {note.id: note for note in Note.objects.filter(id__in=set(drawn)).select_related("integration", "facility")}
    del keys

    def floor(key: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, failure_mode FROM notes_note WHERE id = %s", [key])
            cursor.fetchone()

    floors, asked = [], []
    for key in drawn:
        floors.append(in_ms(lambda key=key: floor(key)))
        asked.append(in_ms(lambda key=key: correlate_note(notes[key])))
    return {"select_ms": floors[WARM_UP:], "note_ms": asked[WARM_UP:]}


def last_hour(first_batch: int) -> dict[str, Any]:
    """Correlate the batches from `first_batch` on as if they had just come."""
    from console.notes.correlation import correlate_new
    from console.notes.models import LogBatch

    LogBatch.objects.filter(id__gte=first_batch).update(correlated_at=None)
    began = time.perf_counter()
    report = correlate_new()
    return {"seconds": time.perf_counter() - began, "notes": report.notes, "rows": report.rows}


def newest_batch() -> dict[str, Any]:
    """Tell the newest batch of the log."""
    from django.db.models import Max

    from console.notes.models import LogBatch

    return {"batch": LogBatch.objects.aggregate(newest=Max("id"))["newest"] or 0}


def main(folder: Path, question: str, arguments: list[str]) -> None:
    """Answer one question."""
    console(folder)
    if question == "note":
        answer: dict[str, Any] = one_note(int(arguments[0]))
    elif question == "hour":
        answer = last_hour(int(arguments[0]))
    else:
        answer = newest_batch()
    print(json.dumps(answer))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
