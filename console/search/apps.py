"""The search app."""

from django.apps import AppConfig


class SearchConfig(AppConfig):
    """Name the app."""

    name = "console.search"
