"""The desk's housekeeping."""

from console.celery import app


@app.task
def tidy() -> None:
    """Drop drafts nobody came back for, and signs of pages that were closed."""
    from console.tickets import drafts, presence

    drafts.forget_old()
    presence.forget_old()
