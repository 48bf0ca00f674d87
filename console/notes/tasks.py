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


@app.task
def import_upload(job_id: str) -> None:
    """Bring an uploaded file in, or a further part of it, unless another worker does."""
    from console.notes.import_jobs import execute

    execute(job_id)


@app.task(soft_time_limit=1700, time_limit=1800)  # dropping a day waits for whoever reads the log
def keep_retention() -> None:
    """End what is older than the log is kept, and uploads that nobody went on with."""
    from console.notes.retention import keep_retention as keep
    from console.notes.uploads import drop_left_uploads

    keep()
    drop_left_uploads()
