"""Recognise the EHR's rows of a note by the text they filed, where no id joins the logs. Pure.

The audit trail shows of each field the beginning of its text, or a hash of it. A hash that equals that of a section,
or beginnings that are long enough to be no chance, are a stronger key than encounter and time (domain.md section 5,
key 3). The text itself goes no further than this comparison.
"""

import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from diagnostics.evidence.logs import EhrRow
from diagnostics.parsing.similarity import is_hash, normalise, same_hash

_SHOWN = 64  # characters of a field's text that an audit row shows (cases.md, log rows)
_TELLING = 40  # beginnings this long together are no chance


def plain_fields(fields: Mapping[str, object]) -> dict[str, str]:
    """Return fields with their text brought into one form (NFC, white space collapsed): how both logs may spell it."""
    return {str(name): " ".join(unicodedata.normalize("NFC", str(text)).split()) for name, text in fields.items()}


def rows_with_text(rows: Iterable[EhrRow], texts: Mapping[str, str]) -> list[EhrRow]:
    """Return the rows whose fields hold text of the note; `texts` maps its sections to their text."""
    sections = [text.strip() for text in texts.values() if text.strip()]
    beginnings = [normalise(text[: 2 * _SHOWN]) for text in sections]
    return [row for row in rows if row.fields and _holds(list(row.fields.values()), sections, beginnings)]


def _holds(values: Sequence[str], sections: Sequence[str], beginnings: Sequence[str]) -> bool:
    """Tell whether at least half of the fields, and more text than chance would have it, are the note's."""
    filled = [value for value in values if value and value.strip()]
    lengths = [_common(value, sections, beginnings) for value in filled]
    return 2 * sum(map(bool, lengths)) >= len(filled) and sum(lengths) >= _TELLING


def _common(value: str, sections: Sequence[str], beginnings: Sequence[str]) -> int:
    """Return how many characters of the note a field shows, 0 where it shows something else."""
    if is_hash(value):
        return next((len(text) for text in sections if same_hash(value, text)), 0)
    shown = normalise(value)
    return len(shown) if shown and any(text.startswith(shown) for text in beginnings) else 0
