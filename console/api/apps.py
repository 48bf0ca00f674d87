"""The api app."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Name the app."""

    name = "console.api"
