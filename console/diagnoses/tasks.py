"""The doorbells of diagnoses: each takes an id and makes one service call."""

from console.celery import app


@app.task
def run(run_id: str) -> None:
    """Execute a run, unless it is done or in other hands."""
    from console.diagnoses.services import execute

    execute(run_id)


@app.task
def heartbeat(queue: str = "default") -> None:
    """Note that this queue's workers do their work."""
    from console.diagnoses.workers import note_heartbeat

    note_heartbeat(queue)
