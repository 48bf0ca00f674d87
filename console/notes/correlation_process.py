"""Be a process of its own that tells parts of a large correlation; imports nothing before Django is set up."""

import os
import pickle
from datetime import datetime
from typing import Any


def handed_on() -> dict[str, Any]:
    """Give what a child needs to work where this process works, however that was told: the database and the keys."""
    from django.conf import settings
    from django.db import connection

    return {
        "settings": os.environ.get("DJANGO_SETTINGS_MODULE", "console.settings"),
        "database": dict(connection.settings_dict),
        "keys": list(settings.MASTER_KEYS),
    }


def set_up(handed: dict[str, Any]) -> None:
    """Set Django up; called once, before the first part."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = handed["settings"]
    django.setup()
    from django.conf import settings
    from django.db import connection

    settings.MASTER_KEYS = handed["keys"]
    connection.settings_dict.update(handed["database"])


def tell(work: tuple[bytes, datetime, datetime]) -> Any:
    """Tell the notes that begin between two times; the scope comes pickled, as its class needs Django."""
    from console.notes.correlation.slices import tell_part

    scope, first, last = work
    return tell_part(pickle.loads(scope), first, last)  # of our own parent process
