"""The changes app."""

from django.apps import AppConfig


class ChangesConfig(AppConfig):
    """Name the app."""

    name = "console.changes"
