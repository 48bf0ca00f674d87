"""What all apps share: no models."""

from django.apps import AppConfig


class SharedConfig(AppConfig):
    """Name the app and register the system checks."""

    name = "console.shared"

    def ready(self) -> None:
        """Import the checks, which register themselves."""
        import console.checks  # noqa: F401
