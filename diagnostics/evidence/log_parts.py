"""Read the logs of a case as evidence: all rows of each log, and the trace of the case's note."""

from datetime import timedelta

from diagnostics.case import Case, Note
from diagnostics.evidence.base import Key, Missing
from diagnostics.evidence.case_parts import Filed
from diagnostics.evidence.logs import (
    AuditTrail,
    FirewallLog,
    NoteTrace,
    ProxyLog,
    ScribeLog,
    ScribeRow,
)
from diagnostics.parsing import logs as parse
from diagnostics.parsing import note_payload
from diagnostics.parsing.note_sections import merged, split
from diagnostics.probes.declare import part, parts
from diagnostics.tracing.triage import USUAL_DELAY, trace


@part(gives=ScribeLog)
def scribe_log(case: Case) -> ScribeLog | Missing:
    """Read the scribe's log."""
    if case.logs.scribe is None:
        return Missing(Key(ScribeLog), "the AI scribe's log is not at hand", ScribeLog.how_to_get)
    return ScribeLog(rows=parse.scribe_rows(case.logs.scribe))


@part(gives=AuditTrail)
def audit_trail(case: Case) -> AuditTrail | Missing:
    """Read the EHR's audit trail."""
    if case.logs.ehr is None:
        return Missing(Key(AuditTrail), "the EHR's audit trail is not at hand", AuditTrail.how_to_get)
    return AuditTrail(rows=parse.ehr_rows(case.logs.ehr))


@part(gives=FirewallLog)
def firewall_log(case: Case) -> FirewallLog | Missing:
    """Read the firewall's log."""
    if case.logs.firewall is None:
        return Missing(Key(FirewallLog), "the firewall's log is not at hand", FirewallLog.how_to_get)
    return FirewallLog(rows=parse.firewall_rows(case.logs.firewall))


@part(gives=ProxyLog)
def proxy_log(case: Case) -> ProxyLog | Missing:
    """Read the proxy's log."""
    if case.logs.proxy is None:
        return Missing(Key(ProxyLog), "the proxy's log is not at hand", ProxyLog.how_to_get)
    return ProxyLog(rows=parse.proxy_rows(case.logs.proxy))


@part(gives=NoteTrace)
def note_trace(case: Case) -> NoteTrace | Missing:
    """Correlate the note's rows. Without a note in the case, a log that speaks of one note only is read for it."""
    scribe = None if case.logs.scribe is None else parse.scribe_rows(case.logs.scribe)
    ehr = None if case.logs.ehr is None else parse.ehr_rows(case.logs.ehr)
    note = case.note or _only_note(scribe)
    if note is None:
        return Missing(Key(NoteTrace), "the case has no note whose rows could be followed", NoteTrace.how_to_get)
    source = parts().get(Filed)
    held = source.read(case) if source is not None else None
    filed = held if isinstance(held, Filed) else None
    if scribe is None and ehr is None and filed is None:
        return Missing(Key(NoteTrace), "neither log is at hand", NoteTrace.how_to_get)
    minutes = getattr(case.vendor, "usual_filing_minutes", None)
    delay = timedelta(minutes=float(minutes)) if minutes else USUAL_DELAY
    return trace(note, scribe, ehr, filed, case.now, delay, lambda: _texts(note))


def _texts(note: Note) -> dict[str, str]:
    """Return the note's sections as sent, for recognising its rows by their text."""
    if note.narrative and note.narrative.strip():
        return merged(split(note.narrative))
    sent = note_payload.read(note.payload) if note.payload else None
    return merged(sent.sections) if sent is not None else {}


def _only_note(rows: tuple[ScribeRow, ...] | None) -> Note | None:
    """Return the one note a log speaks of, if it is one."""
    ids = {row.note_id for row in rows or () if row.note_id}
    return Note(id=ids.pop()) if len(ids) == 1 else None
