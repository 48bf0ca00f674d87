"""Find what must not stand in an article: patient data and secrets, by shape and by the ticket's own ids.

The shapes are a best effort, which the page says; the ids of the ticket and words of its notes are found for sure.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.utils import timezone

from console.integrations.case_parts import join
from console.knowledge import drafting
from console.tickets.models import Ticket
from diagnostics import case as engine
from diagnostics.redaction import Redactor, redact_text

SHORTEST_ID = 3
_MONTHS = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_DATE = re.compile(
    rf"\b(?:(?P<a>\d{{4}})[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/.]\d{{1,2}}[-/.](?P<b>\d{{4}})"
    rf"|\d{{1,2}}\.? {_MONTHS},? (?P<c>\d{{4}})|{_MONTHS} \d{{1,2}},? (?P<d>\d{{4}}))\b",
    re.IGNORECASE,
)
_SHAPES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("a line of an HL7 message", re.compile(r"(?:^|\s)(?:MSH|PID|NK1|PV1|OBX|TXA)\|")),
    ("a social security number", re.compile(r"(?<![\w-])\d{3}-\d{2}-\d{4}(?![\w-])")),
    ("an e-mail address", re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+")),
    (
        "a phone number",
        re.compile(
            r"(?<![\w.-])(?:\+\d{1,3}[ .-]?)?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])|\+\d[\d ]{8,16}\d"
        ),
    ),
    (
        "a patient's number",
        re.compile(
            r"\b(?:MRN|medical record(?: (?:number|no\.?))?|(?:patient|member|account)(?:'s)? ?(?:id|number|no\.?))"
            r"\W{0,3}(?=[\w-]*\d)[\w-]{3,}",
            re.IGNORECASE,
        ),
    ),
    ("a person's name", re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Mx)\.? [A-Z][a-z]+|\b[Pp]atient(?: name)?: ?[A-Z][a-z]+")),
    ("an id", re.compile(r"\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b")),
    ("a long number, perhaps an id", re.compile(r"(?<![\w.])\d{7,}(?![\w.])")),
)
_BORN = re.compile(r"\b(?:dob|d\.o\.b\.?|date of birth|born|birth ?date)\b.{0,20}\d", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """Be one place of a text that must not be published; `line` 0 is the title."""

    line: int
    what: str

    @property
    def where(self) -> str:
        """Name the place."""
        return f"line {self.line}" if self.line else "the title"


class Lint:
    """Know what one article must not hold, and find it. What is found is named by place and kind, never quoted."""

    def __init__(self, ticket: Ticket | None, *, signature: str = "") -> None:
        self._own: re.Pattern[str] | None = None
        self._redactors: list[Redactor] = []
        self._ours: set[str] = set()
        self._signature = signature
        if ticket is not None:
            self._know(ticket, signature)

    def problems(self, title: str, text: str) -> tuple[Problem, ...]:
        """Give every place that must change before the article may be published."""
        found = [Problem(0, what) for what in self._in_line(title)]
        for number, line in enumerate(text.splitlines(), 1):
            found += [Problem(number, what) for what in self._in_line(line)]
        return tuple(found)

    def _know(self, ticket: Ticket, signature: str) -> None:
        # A patient called Field must not forbid our own sentences on field mapping.
        self._ours = {drafting.title(ticket), *drafting.body(ticket, signature=signature).splitlines()}
        integration = join(ticket.integration)
        ids: set[str] = set()
        for row in ticket.ticket_notes.select_related("note").order_by("added_at", "id"):
            note = row.note
            told = (note.external_id, note.provider, *(note.identifiers or {}).values())
            ids |= {form for value in told if value for form in _forms(str(value))}
            part = engine.Note(id=note.external_id, payload=note.payload, narrative=note.narrative)
            self._redactors.append(Redactor(engine.Case(integration=integration, now=timezone.now(), note=part)))
        if ids:
            longest_first = sorted(ids, key=lambda value: (-len(value), value))
            choice = "|".join(re.escape(value) for value in longest_first)
            self._own = re.compile(rf"(?<![\w-])(?:{choice})(?![\w-])", re.IGNORECASE)

    def _in_line(self, line: str) -> Iterable[str]:
        if line.strip() and line.strip() == self._signature:
            return  # masked down to words of errors already; what is left of an HL7 message there is its structure
        if redact_text(line) != line:
            yield "a secret (token, key or password)"
        elif line not in self._ours and any(redactor.text(line) != line for redactor in self._redactors):
            yield "words of the note, a name in it, or a secret of the integration"
        if self._own and self._own.search(line):
            yield "an id of the ticket's notes"
        if _BORN.search(line) or any(_perhaps_of_birth(match) for match in _DATE.finditer(line)):
            yield "a date that may be of birth"
        for what, shape in _SHAPES:
            if shape.search(line):
                yield what


def _forms(value: str) -> Iterable[str]:
    """Give an id with and without its FHIR type; very short ones would be found in every text."""
    for form in {value.strip(), value.strip().rpartition("/")[2]}:
        if len(form) >= SHORTEST_ID:
            yield form


def _perhaps_of_birth(match: re.Match[str]) -> bool:
    """Tell whether a full date lies so far back that an incident is not what it tells of."""
    year = int(next(value for value in match.groups() if value))
    return 1900 <= year < date.today().year - 2
