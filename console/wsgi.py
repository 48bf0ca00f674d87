"""The door for web servers (granian, gunicorn)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

application = get_wsgi_application()

from console.checks import refuse_to_serve_without_keys  # noqa: E402 - needs the settings that the line above loads

refuse_to_serve_without_keys()
