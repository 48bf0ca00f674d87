"""The doorbells of notes."""

from console.celery import app


@app.task
def keep_partitions() -> None:
    """Make the coming days' partitions of the log before rows arrive."""
    from console.notes.partitions import ensure_days

    ensure_days()
