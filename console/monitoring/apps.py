"""The monitoring app."""

from django.apps import AppConfig


class MonitoringConfig(AppConfig):
    """Name the app."""

    name = "console.monitoring"
