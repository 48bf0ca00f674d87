"""The desk's housekeeping."""

from console.celery import app


@app.task
def tidy() -> None:
    """Drop drafts nobody came back for, and signs of pages that were closed."""
    from console.tickets import drafts, presence

    drafts.forget_old()
    presence.forget_old()


@app.task
def look_into_mail() -> None:
    """Take the mails that lie in the watched Maildir."""
    from console.tickets.mail_folder import look

    look()
