"""The health app."""

from django.apps import AppConfig


class HealthConfig(AppConfig):
    """Name the app."""

    name = "console.health"
