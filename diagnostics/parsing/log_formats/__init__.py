"""Read logs in every format they come in: unpack, tell the format, and yield rows of the public contract."""

from diagnostics.parsing.log_formats.csv_columns import KEYS, missing, suggest
from diagnostics.parsing.log_formats.csv_rows import Table, peek
from diagnostics.parsing.log_formats.lines import CutLine, ndjson_chunks
from diagnostics.parsing.log_formats.packing import open_stream
from diagnostics.parsing.log_formats.pieces import LONGEST_LINE_BYTES, BadFormat, BadPacking, Line
from diagnostics.parsing.log_formats.reading import read
from diagnostics.parsing.log_formats.sniff import FORMATS, formats_for, sniff

__all__ = [
    "FORMATS",
    "KEYS",
    "LONGEST_LINE_BYTES",
    "BadFormat",
    "BadPacking",
    "CutLine",
    "Line",
    "Table",
    "formats_for",
    "missing",
    "ndjson_chunks",
    "open_stream",
    "peek",
    "read",
    "sniff",
    "suggest",
]
