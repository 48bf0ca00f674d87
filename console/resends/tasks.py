"""The doorbell of resends: it takes an id and makes one service call."""

from console.celery import app


@app.task
def go(pass_id: str) -> None:
    """Do a resend's next piece of work, unless it is done or in other hands."""
    from console.resends.worker import go_on

    go_on(pass_id)
