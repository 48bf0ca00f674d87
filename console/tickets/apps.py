"""The tickets app."""

from django.apps import AppConfig


class TicketsConfig(AppConfig):
    """Name the app and let finished runs reach their tickets."""

    name = "console.tickets"

    def ready(self) -> None:
        """Listen to diagnoses; an explicit call, not a signal, in the run's own transaction."""
        from console.diagnoses.conclusions import listen
        from console.tickets.conclusions import take_conclusion

        listen(take_conclusion)
