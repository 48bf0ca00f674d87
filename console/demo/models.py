"""The demo's own memory."""

from django.db import models
from django.utils import timezone


class Seeding(models.Model):
    """One finished making of sample data: its presence tells a later start that there is nothing to do."""

    at = models.DateTimeField(default=timezone.now)
    detail = models.JSONField(default=dict)

    class Meta:
        ordering = ("-at", "-id")

    def __str__(self) -> str:
        return f"sample data of {self.at:%Y-%m-%d}"
