"""The doorbells of accounts."""

from console.celery import app


@app.task
def deliver_mail(mail_id: str) -> None:
    """Send a mail, unless it is sent or in other hands."""
    from console.accounts.mail import deliver

    deliver(mail_id)
