"""The reports app."""

from django.apps import AppConfig


class ReportsConfig(AppConfig):
    """Name the app."""

    name = "console.reports"
