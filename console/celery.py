"""The Celery application. Tasks carry ids only; the rows in PostgreSQL are the truth (console/shared/work.py)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

app = Celery("notetrace")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
