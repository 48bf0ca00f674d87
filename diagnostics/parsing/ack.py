"""Read an HL7 v2 acknowledgement (MSA and ERR segments) out of any text that holds one, raw or pasted.

HL7 v2.5.1 chapter 2: MSA-1 acknowledgement code, ERR-3 error code of table 0357; in versions 2.3 to 2.4 the code
stands in ERR-1 (ELD, one repetition for each error) or MSA-6. Pasted acknowledgements have lost their carriage returns
more often than not, and an engine may use delimiters of its own: those of the MSH before the MSA hold.
"""

import re
from dataclasses import dataclass

_SEGMENT = re.compile(r"(?:^|(?<=[\s\x0b\x1c>\"'\]:]))(MSH|MSA|ERR)(?=[|^~&#!$%*@])")
_END = re.compile(r"[\r\n\x0b\x1c]| (?=[A-Z][A-Z0-9]{2}\|)")
_WRITTEN_BREAKS = re.compile(r"\\r\\n|\\r|\\n|\\x0d|\\x0b|\\x1c|<CR>|<cr>|<LF>|<lf>|<VT>|<FS>|&#13;|&#xD;|\[CR\]")
_CODES = frozenset({"AA", "AE", "AR", "CA", "CE", "CR"})
_LIMIT = 65_536
_MAX_SEGMENTS = 60
_MAX_ERRORS = 40


@dataclass(frozen=True)
class AckError:
    """Be one error of an acknowledgement; `code` is of table 0357 where the sender kept to it.

    `location` is the segment, or segment and field, such as PID-3; `occurrence`, `repetition` and `component` say which
    of several, as far as the sender did.
    """

    code: str = ""
    code_text: str = ""
    location: str = ""
    severity: str = ""
    application_code: str = ""
    diagnostic: str = ""
    user_message: str = ""
    occurrence: str = ""
    repetition: str = ""
    component: str = ""

    @property
    def says(self) -> str:
        """Return the words of this error, whichever field carries them."""
        return " ".join(part for part in (self.code_text, self.diagnostic, self.user_message) if part)

    @property
    def grave(self) -> bool:
        """Tell whether it says that something is wrong: no mere warning or information, and not "accepted"."""
        return self.severity not in ("W", "I") and self.code != "0"


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

    @property
    def worst(self) -> AckError | None:
        """Return the error that decided: the first grave one with a code, else the first with a code, else any."""
        coded = [error for error in self.errors if error.code and error.code != "0"]
        grave = [error for error in coded if error.grave]
        return next(iter(grave or coded or self.errors), None)


@dataclass(frozen=True)
class _Marks:
    """Be the delimiters inside a field: component, repetition, escape, subcomponent."""

    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"


def read_ack(text: str) -> Ack | None:
    """Return the acknowledgement the text holds, or None where it holds no MSA segment."""
    if "MSA" not in text[:_LIMIT]:
        return None
    segments = _segments(text[:_LIMIT])
    msa = next((fields for name, fields in segments if name == "MSA" and _part(fields, 1) in _CODES), None)
    if msa is None:
        return None
    msh = next((fields for name, fields in segments if name == "MSH"), [])
    marks = _marks(_part(msh, 1))
    errors = [one for name, fields in segments if name == "ERR" for one in _errors(fields, marks)][:_MAX_ERRORS]
    if not errors and _part(msa, 6):
        coded = _part(msa, 6).split(marks.component)
        errors = [AckError(code=coded[0].strip(), code_text=coded[1].strip() if len(coded) > 1 else "")]
    return Ack(
        code=_part(msa, 1),
        control_id=_part(msa, 2),
        text=_unescape(_part(msa, 3), marks),
        errors=tuple(errors),
        sender=_component(_part(msh, 2), 0, marks),  # MSH counts its separator as field 1
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


def _marks(encoding: str) -> _Marks:
    """Return the delimiters of MSH-2; the usual ones where it does not name four different signs."""
    four = encoding[:4]
    if len(set(four)) < 4 or any(mark.isalnum() or mark.isspace() for mark in four):
        return _Marks()
    return _Marks(*four)


def _errors(fields: list[str], marks: _Marks) -> list[AckError]:
    """Read one ERR segment: one error from v2.5 on, one for each repetition of ERR-1 before."""
    if not _part(fields, 3) and _part(fields, 1):
        return [_old_error(one, marks) for one in _part(fields, 1).split(marks.repetition)]
    code = _part(fields, 3)
    where = _part(fields, 2).split(marks.repetition, 1)[0].split(marks.component)
    return [
        AckError(
            code=_component(code, 0, marks),
            code_text=_unescape(_component(code, 1, marks) or _component(code, 8, marks), marks),
            location=_location(where),
            severity=_part(fields, 4)[:1],
            application_code=_component(_part(fields, 5), 0, marks),
            diagnostic=_unescape(_part(fields, 7), marks),
            user_message=_unescape(_part(fields, 8), marks),
            occurrence=_at(where, 1),
            repetition=_at(where, 3),
            component=_at(where, 4),
        )
    ]


def _old_error(eld: str, marks: _Marks) -> AckError:
    """Read ELD: segment, sequence, field, and a code with its text as subcomponents."""
    parts = eld.split(marks.component)
    code = parts[3].split(marks.subcomponent) if len(parts) > 3 else []
    return AckError(
        code=_at(code, 0),
        code_text=_unescape(_at(code, 1), marks),
        location=_location(parts),
        occurrence=_at(parts, 1),
    )


def _location(parts: list[str]) -> str:
    return "-".join(part for part in (_at(parts, 0), _at(parts, 2)) if part)


def _at(parts: list[str], index: int) -> str:
    return parts[index].strip() if index < len(parts) else ""


def _part(fields: list[str], index: int) -> str:
    return fields[index].strip() if index < len(fields) else ""


def _component(value: str, index: int, marks: _Marks) -> str:
    return _at(value.split(marks.component), index)


def _unescape(value: str, marks: _Marks) -> str:
    if marks.escape not in value:
        return value.strip()
    for letter, meant in (("F", "|"), ("S", marks.component), ("T", marks.subcomponent), ("R", marks.repetition),
                          (".br", " "), ("E", marks.escape)):  # fmt: skip
        value = value.replace(f"{marks.escape}{letter}{marks.escape}", meant)
    return value.strip()
