"""The words by which other apps store and read log rows."""

from console.notes.masking import mask
from console.notes.note_rows import rows_of
from console.notes.storing import store_rows

__all__ = ["mask", "rows_of", "store_rows"]
