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
