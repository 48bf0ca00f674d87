"""The doorbells of notes."""

from console.celery import app


@app.task
def keep_partitions() -> None:
    """Make the coming days' partitions of the log before rows arrive."""
    from console.notes.partitions import ensure_days

    ensure_days()


@app.task(soft_time_limit=3500, time_limit=3600)  # alone in its integration: a second one leaves it the work
def correlate() -> None:
    """Correlate what has come since; rung every minute and after every import."""
    from console.notes.correlation import correlate_new

    correlate_new()
