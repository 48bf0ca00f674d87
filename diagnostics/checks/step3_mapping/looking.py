"""Prepare what every placement check looks at, and say once why nothing can be looked at."""

from diagnostics.check import not_applicable, unknown
from diagnostics.checks.refusal import ARRIVED, NEVER_THERE
from diagnostics.evidence.case_parts import Filed, SectionMapping, Template
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.note_text import NoteSections
from diagnostics.evidence.placement import Placement, Stored, place, stored_of
from diagnostics.findings import Result
from diagnostics.parsing.note_headings import title
from diagnostics.vocabulary import FailureMode


def titles(sections: list[str] | tuple[str, ...]) -> str:
    """Return several sections' names in a sentence."""
    names = [title(section) for section in sections]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def look(
    note: NoteSections, mapping: SectionMapping, template: Template | None, filed: Filed | None, trace: NoteTrace | None
) -> Placement | Result:
    """Return where the sections are, or the result that says why that cannot be said."""
    stored = stored_of(filed, trace)
    if stored is None:
        return nothing_filed(filed, trace)
    return placement(note, mapping, template, stored)


def nothing_filed(filed: Filed | None, trace: NoteTrace | None) -> Result:
    """Say that the note never came as far as the chart, or that what the chart holds is not known."""
    stopped = trace is not None and trace.failure_mode in (*NEVER_THERE, FailureMode.REJECTED, FailureMode.DELAYED)
    if stopped or (filed is not None and not filed.found):
        return not_applicable("The note did not come as far as the chart.")
    return unknown("What the chart holds of the note is not known.", get=Filed.how_to_get)


def placement(
    note: NoteSections, mapping: SectionMapping, template: Template | None, stored: Stored
) -> Placement | Result:
    """Return where the sections are; a chart that keeps the note as one text has no fields to mix up."""
    if not note.texts:
        return not_applicable("The note has no section headings.")
    found = place(note.texts, mapping, template, stored)
    if found.one_document:
        return not_applicable("The chart keeps the note as one document, not by fields.")
    return found


def arrived(filed: Filed | None, trace: NoteTrace | None) -> bool:
    """Tell whether the note is known to be in the chart."""
    if filed is not None:
        return filed.found
    return trace is not None and trace.failure_mode in ARRIVED


def stopped_before_content(trace: NoteTrace | None) -> bool:
    """Tell whether the note stopped before anybody could have looked at its content."""
    if trace is None:
        return False
    last = trace.last
    early = last is not None and last.outcome == "rejected" and last.status in (401, 403, 404, 405, 407, 413, 415, 429)
    server = last is not None and last.outcome == "rejected" and (last.status or 0) >= 500
    return trace.failure_mode in NEVER_THERE or early or server
