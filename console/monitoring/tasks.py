"""The doorbells of monitoring."""

from console.celery import app


@app.task
def tick() -> None:
    """Ask for this minute's look at the alert rules."""
    from console.monitoring.services import request_evaluation

    request_evaluation()


@app.task
def evaluate(evaluation_id: str) -> None:
    """Look at the alert rules, unless it is done or in other hands."""
    from console.monitoring.services import execute

    execute(evaluation_id)


@app.task
def look_daily() -> None:
    """Ask for the daily look at integrations."""
    from console.monitoring.services import look_daily as look

    look()


@app.task
def pull_audit_events(pull_id: str) -> None:
    """Ask an EHR for its audit events, unless another worker does."""
    from console.monitoring.audit_pulls import execute as pull

    pull(pull_id)


@app.task
def look_into_drop_folder() -> None:
    """Queue what lies in the drop folder."""
    from console.monitoring.drop_folder import look

    look()


@app.task
def forget_taken() -> None:
    """Delete what was taken from the drop folder long ago."""
    from console.monitoring.drop_folder import forget_taken as forget

    forget()


@app.task
def take_dropped_file(file_id: str) -> None:
    """Bring one file of the drop folder in, or a further part of it, unless another worker does."""
    from console.monitoring.drop_files import execute as take

    take(file_id)
