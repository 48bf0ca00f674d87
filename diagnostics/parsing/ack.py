"""Read an HL7 v2 acknowledgement (MSA and ERR segments) out of any text that holds one, raw or pasted.

HL7 v2.5.1 chapter 2: MSA-1 acknowledgement code, ERR-3 error code of table 0357; in versions 2.3 to 2.4 the code
stands in ERR-1 (ELD) or MSA-6. Pasted acknowledgements have lost their carriage returns more often than not.
"""

import re
from dataclasses import dataclass

_SEGMENT = re.compile(r"(?:^|(?<=[\s\x0b\x1c>\"'\]:]))(MSH|MSA|ERR)(?=[|^~&#!$%*@])")
_END = re.compile(r"[\r\n\x0b\x1c]| (?=[A-Z][A-Z0-9]{2}\|)")
_WRITTEN_BREAKS = re.compile(r"\\r\\n|\\r|\\n|\\x0d|\\x0b|\\x1c|<CR>|<cr>|<LF>|<lf>|<VT>|<FS>|&#13;|&#xD;|\[CR\]")
_CODES = frozenset({"AA", "AE", "AR", "CA", "CE", "CR"})
_ESCAPES = (("\\F\\", "|"), ("\\S\\", "^"), ("\\T\\", "&"), ("\\R\\", "~"), ("\\.br\\", " "), ("\\E\\", "\\"))
_LIMIT = 65_536
_MAX_SEGMENTS = 60


@dataclass(frozen=True)
class AckError:
    """Be one error of an acknowledgement; `code` is of table 0357 where the sender kept to it."""

    code: str = ""
    code_text: str = ""
    location: str = ""  # segment, or segment-field, such as PID-3
    severity: str = ""
    application_code: str = ""
    diagnostic: str = ""
    user_message: str = ""

    @property
    def says(self) -> str:
        """Return the words of this error, whichever field carries them."""
        return " ".join(part for part in (self.code_text, self.diagnostic, self.user_message) if part)


@dataclass(frozen=True)
class Ack:
    """Be an acknowledgement: MSA-1, MSA-2, MSA-3, its errors, and who made it (MSH-3)."""

    code: str
    control_id: str = ""
    text: str = ""
    errors: tuple[AckError, ...] = ()
    sender: str = ""

    @property
    def negative(self) -> bool:
        """Tell whether it says no (AE, AR, CE, CR)."""
        return self.code not in ("AA", "CA")

    @property
    def says(self) -> str:
        """Return all words of the acknowledgement in one line."""
        return " ".join(part for part in (self.text, *(error.says for error in self.errors)) if part)


def read_ack(text: str) -> Ack | None:
    """Return the acknowledgement the text holds, or None where it holds no MSA segment."""
    if "MSA" not in text[:_LIMIT]:
        return None
    segments = _segments(text[:_LIMIT])
    msa = next((fields for name, fields in segments if name == "MSA" and _part(fields, 1) in _CODES), None)
    if msa is None:
        return None
    msh = next((fields for name, fields in segments if name == "MSH"), [])
    errors = tuple(_error(fields) for name, fields in segments if name == "ERR")
    if not errors and _part(msa, 6):
        errors = (AckError(code=_component(_part(msa, 6), 0), code_text=_component(_part(msa, 6), 1)),)
    return Ack(
        code=_part(msa, 1),
        control_id=_part(msa, 2),
        text=_unescape(_part(msa, 3)),
        errors=errors,
        sender=_component(_part(msh, 2), 0),  # MSH counts its separator as field 1
    )


def _segments(text: str) -> list[tuple[str, list[str]]]:
    text = _WRITTEN_BREAKS.sub("\r", text)
    found: list[tuple[str, list[str]]] = []
    for match in _SEGMENT.finditer(text):
        end = _END.search(text, match.end())
        line = text[match.start(1) : end.start() if end else len(text)]
        found.append((match.group(1), line.split(line[3])))
        if len(found) >= _MAX_SEGMENTS:
            break
    return found


def _error(fields: list[str]) -> AckError:
    code = _part(fields, 3)
    location = _location(_part(fields, 2))
    if not code and _part(fields, 1):  # ELD of v2.3 to 2.4: segment^sequence^field^code&text&system
        parts = _part(fields, 1).split("^")
        code = parts[3].replace("&", "^") if len(parts) > 3 else ""
        location = location or "-".join(part for part in (parts[0], parts[2] if len(parts) > 2 else "") if part)
    return AckError(
        code=_component(code, 0),
        code_text=_unescape(_component(code, 1) or _component(code, 8)),
        location=location,
        severity=_part(fields, 4)[:1],
        application_code=_component(_part(fields, 5), 0),
        diagnostic=_unescape(_part(fields, 7)),
        user_message=_unescape(_part(fields, 8)),
    )


def _location(erl: str) -> str:
    parts = erl.split("^")
    return "-".join(part for part in (parts[0], parts[2] if len(parts) > 2 else "") if part)


def _part(fields: list[str], index: int) -> str:
    return fields[index].strip() if index < len(fields) else ""


def _component(value: str, index: int) -> str:
    parts = value.split("^")
    return parts[index].strip() if index < len(parts) else ""


def _unescape(value: str) -> str:
    for written, meant in (
        ("\\F\\", "|"),
        ("\\S\\", "^"),
        ("\\T\\", "&"),
        ("\\R\\", "~"),
        ("\\.br\\", " "),
        ("\\E\\", "\\"),
    ):
        value = value.replace(written, meant)
    return value.strip()
