"""Ring for correlation after rows came in; a bell that is lost costs a minute, for it rings every minute anyway."""

import logging

from django.db import transaction

log = logging.getLogger(__name__)


def ring() -> None:
    """Have a worker correlate what is new, once the current transaction is committed."""
    transaction.on_commit(_send)


def _send() -> None:
    from console.celery import app

    try:
        app.send_task("console.notes.tasks.correlate", retry=False, ignore_result=True, expires=50)
    except Exception as problem:  # the broker's client raises its own kinds
        log.warning("the bell for correlation could not be rung: %s", type(problem).__name__)
