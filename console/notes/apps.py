"""The notes app."""

from django.apps import AppConfig


class NotesConfig(AppConfig):
    """Name the app."""

    name = "console.notes"
