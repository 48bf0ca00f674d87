"""The demo app."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """Name the app."""

    name = "console.demo"
