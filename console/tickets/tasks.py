"""The desk's housekeeping."""

from console.celery import app


@app.task
def tidy() -> None:
    """Drop drafts nobody came back for, signs of pages that were closed, and what can no longer be taken back."""
    from console.tickets import drafts, presence, undo

    drafts.forget_old()
    presence.forget_old()
    undo.forget_old()


@app.task
def look_into_mail() -> None:
    """Take the mails that lie in the watched Maildir."""
    from console.tickets.mail_folder import look

    look()
