"""Be a process of its own that tells parts of a large correlation; imports nothing before Django is set up."""

import os
import pickle
from datetime import datetime
from typing import Any


def set_up(settings_module: str) -> None:
    """Set Django up; called once, before the first part."""
    import django

    os.environ["DJANGO_SETTINGS_MODULE"] = settings_module
    django.setup()


def tell(work: tuple[bytes, datetime, datetime]) -> Any:
    """Tell the notes that begin between two times; the scope comes pickled, as its class needs Django."""
    from console.notes.correlation.slices import tell_part

    scope, first, last = work
    return tell_part(pickle.loads(scope), first, last)  # of our own parent process
