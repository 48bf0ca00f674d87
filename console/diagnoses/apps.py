"""The diagnoses app."""

from django.apps import AppConfig


class DiagnosesConfig(AppConfig):
    """Name the app."""

    name = "console.diagnoses"
