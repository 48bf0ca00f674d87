"""Read traffic logs of Palo Alto firewalls (PAN-OS): comma-separated fields, behind a syslog header or not."""

import csv
import re
from datetime import datetime

from diagnostics.parsing.log_formats.firewall_words import action_of
from diagnostics.parsing.log_formats.firewalls import flow
from diagnostics.parsing.log_formats.moments import iso
from diagnostics.parsing.log_formats.pieces import Odd, Row

_BEGIN = re.compile(r"(?:^|\s)(?=[^,\s]{0,20},\d{4}/\d\d/\d\d \d\d:\d\d:\d\d,[^,]{0,40},)")
_TYPE, _SUBTYPE, _GENERATED, _SOURCE, _TARGET, _PORT, _ACTION, _ENDED = 3, 4, 6, 7, 8, 25, 30, 46
_RESET_WORDS = ("tcp-rst-from-client", "tcp-rst-from-server")


def palo_alto(text: str, now: datetime) -> Row:
    """Read a TRAFFIC line; the time is when the data plane made it, in the device's own zone.

    A session that ended with a reset is a reset, although it had been allowed.
    """
    begin = _BEGIN.search(text[:2000])
    if begin is None:
        raise Odd("is no line of a PAN-OS log")
    try:
        cells = next(csv.reader([text[begin.end() :].replace("\r", " ").replace("\n", " ")]))
    except (csv.Error, StopIteration):
        raise Odd("its fields cannot be told apart") from None
    if len(cells) <= _ACTION:
        raise Odd(f"has {len(cells)} fields, too few for a TRAFFIC line of PAN-OS")
    if cells[_TYPE].strip().upper() != "TRAFFIC":
        raise Odd("is no TRAFFIC line")
    try:
        at = iso(cells[_GENERATED])
    except ValueError:
        raise Odd("the generated time (field 7) is none") from None
    ended = cells[_ENDED].strip().lower() if len(cells) > _ENDED else ""
    action = "reset" if ended in _RESET_WORDS else action_of(cells[_ACTION]) or action_of(cells[_SUBTYPE])
    if action is None:
        raise Odd("its action is none of allow, deny, drop and reset")
    row = flow(at, action, cells[_SOURCE].strip(), cells[_TARGET].strip(), cells[_PORT].strip())
    if ended:
        row["reason"] = ended[:60]
    return row
