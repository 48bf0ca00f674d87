"""The integrations app."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Name the app."""

    name = "console.integrations"
