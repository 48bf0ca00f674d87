"""Make a note's payload readable: what cannot be shown as text says so."""

import contextlib
import json

SHOWN_CHARS = 200_000


def readable(content: bytes | None) -> str | None:
    """Give text for the page: JSON indented, HL7 one segment a line; long content is cut and says so."""
    if content is None:
        return None
    text = content.decode("utf-8", errors="replace").strip("\x0b\x1c\r\n")
    if text[:1] in "{[":
        with contextlib.suppress(ValueError):  # shown as it was sent: that it does not parse is worth seeing
            text = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > SHOWN_CHARS:
        return text[:SHOWN_CHARS] + f"\n… {len(text) - SHOWN_CHARS} more characters"
    return text
