"""The place in a long list, as it stands in an address: a time and a row's internal id, nothing of a patient."""

import uuid
from datetime import datetime

from console.worklist.waiting import Key


def read_key(text: str | None) -> Key | None:
    """Read a place; a broken one counts as the beginning."""
    at, _, row = (text or "").partition("~")
    try:
        moment, key = datetime.fromisoformat(at), uuid.UUID(row)
    except ValueError:
        return None
    return Key(moment, key) if moment.tzinfo is not None else None


def write_key(at: datetime, row: uuid.UUID) -> str:
    """Write a place."""
    return f"{at.isoformat()}~{row.hex}"
