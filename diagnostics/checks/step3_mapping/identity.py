"""Judge whether the note went to the patient and the encounter it was made for."""

from datetime import datetime, timedelta

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.evidence.case_parts import EncounterFacts, Encounters, Filed, NoteFacts
from diagnostics.evidence.logs import EhrRow, NoteTrace
from diagnostics.evidence.note_text import SentDiscrete
from diagnostics.findings import Result
from diagnostics.identity import plain, same
from diagnostics.vocabulary import FailureMode, Step, Strength

_BEFORE, _AFTER = timedelta(hours=12), timedelta(hours=72)  # how far from its visit a note may be made


def _key(value: str | None) -> str | None:
    """Return an id for comparison: without reference or assigning authority, and without leading zeros."""
    found = plain((value or "").split("^")[0])
    return (found.lstrip("0") or "0") if found and found.isdigit() else found


def _other(stored: str | None, meant: str | None) -> bool:
    """Tell whether both are known and differ."""
    one, two = _key(stored), _key(meant)
    return one is not None and two is not None and one != two


@check(
    id="map.patient.mismatch",
    step=Step.MAPPING,
    title="The note is in the chart of the patient it was made for",
    proves=causes.PATIENT_MISMATCH,
    checklist=("MAP.5",),
)
def right_patient(
    note: NoteFacts,
    filed: Filed | None,
    trace: NoteTrace | None,
    encounters: Encounters | None,
    sent: SentDiscrete | None,
) -> Result:
    """A note in another patient's chart is a safety event for two people."""
    meant = note.note.patient_id or _of_scribe(trace, "patient_id")
    if meant is None:
        meant = sent.patient_ids[0] if sent is not None and len(sent.patient_ids) == 1 else None
    if meant is None:
        return unknown("The patient the note was made for is not known.", get="the note's patient id at the scribe")
    stored = [("the chart", filed.patient_id)] if filed is not None and filed.found else []
    stored += [("the EHR's filing row", row.patient_id) for row in _last_filings(trace, "patient_id")]
    wrong = [where for where, id in stored if _other(id, meant)]
    if wrong:
        return failed(f"The note was filed under another patient, says {wrong[0]}.", seen_in=wrong)
    taken = [
        row for row in (trace.ehr("received") + trace.ehr("accepted") if trace else ()) if _other(row.patient_id, meant)
    ]
    if taken and not any(_key(id) == _key(meant) for _where, id in stored):
        return failed("The EHR took the note for another patient.", seen_in=["the EHR's log"])
    visit = _visit(encounters, note.note.encounter_id)
    if visit is not None and _other(visit.patient_id, meant):
        return failed("The encounter named in the note belongs to another patient.", seen_in=["the encounter"])
    if sent is not None and sent.patient_ids and all(_other(id, meant) for id in sent.patient_ids):
        if any(_key(id) == _key(meant) for _where, id in stored):
            return passed("The chart is that of the patient meant; the payload writes the id another way.")
        return failed("The payload names another patient than the scribe's session.", conclusive=False)
    if not any(id for _where, id in stored) and visit is None and sent is None:
        return unknown("Which patient the EHR filed it under is not known.", get=Filed.how_to_get)
    return passed("Nothing names another patient.")


@check(
    id="map.encounter.mismatch",
    step=Step.MAPPING,
    title="The note belongs to the encounter it was made for",
    proves=causes.ENCOUNTER_MISMATCH,
    checklist=("MAP.5",),
)
def right_encounter(
    note: NoteFacts,
    filed: Filed | None,
    trace: NoteTrace | None,
    encounters: Encounters | None,
    sent: SentDiscrete | None,
) -> Result:
    """Two visits on one day, or a visit matched by its date, put a note where nobody looks for it."""
    meant = note.note.encounter_id or _of_scribe(trace, "encounter_id")
    stored = [("the chart", filed.encounter_id)] if filed is not None and filed.found else []
    stored += [("the EHR's filing row", row.encounter_id) for row in _last_filings(trace, "encounter_id")]
    if meant is not None:
        wrong = [where for where, id in stored if _other(id, meant)]
        if wrong:
            return failed(f"The note was filed under another encounter, says {wrong[0]}.", seen_in=wrong)
        taken = [
            r for r in (trace.ehr("received") + trace.ehr("accepted") if trace else ()) if _other(r.encounter_id, meant)
        ]
        if taken and not any(id for _where, id in stored):
            return failed("The EHR took the note for another encounter.", seen_in=["the EHR's log"])
        if any(id for _where, id in stored):
            return passed("The note is under the encounter it was made for.")
        if sent is not None and _other(sent.encounter_id, meant):
            return failed("The payload names another encounter than the scribe's session.", conclusive=False)
    return _candidates(note, meant, encounters, sent, trace)


def _candidates(
    note: NoteFacts,
    meant: str | None,
    encounters: Encounters | None,
    sent: SentDiscrete | None,
    trace: NoteTrace | None,
) -> Result:
    """Judge the EHR's candidates: none has the id, or several fit the time and nothing but the time decides."""
    if encounters is None or not encounters.candidates:
        if meant is not None and sent is not None and sent.encounter_id:
            return passed("Payload and session name the same encounter.")
        return unknown("Which encounter the EHR filed it under is not known.", get=Encounters.how_to_get)
    named = [c for c in encounters.candidates if c.id]
    if meant is not None and named and not any(_key(c.id) == _key(meant) for c in named):
        if trace is not None and trace.failure_mode is FailureMode.DELIVERED:
            return warned("The EHR's encounter has another id than the note's; the note was taken all the same.")
        return failed("The EHR's encounter is another one than the scribe's session had.",
                      strength=Strength.DECISIVE, candidates=len(named))  # fmt: skip
    if meant is not None:
        return passed("The note carries the encounter's own id.")
    if sent is not None and any(same(c.id, sent.encounter_id) for c in named):
        return passed("The payload carries the encounter's own id.")
    at = note.note.generated_at
    fitting = [c for c in encounters.candidates if at is None or _fits(c, at)]
    if len(fitting) > 1:
        says = f"The note carries no encounter id, and {len(fitting)} encounters fit its time."
        if trace is not None and trace.failure_mode is FailureMode.DELIVERED:
            return warned(says, candidates=len(fitting))
        return failed(says, candidates=len(fitting))
    if not fitting:
        return failed(
            "The note carries no encounter id, and no encounter fits its time.", conclusive=False, candidates=0
        )
    return not_applicable("The note carries no encounter id, and only one encounter fits its time.")


def _fits(candidate: EncounterFacts, at: datetime) -> bool:
    start, end = candidate.start, candidate.end
    return (start is None or start - _BEFORE <= at) and (end is None or at <= end + _AFTER)


def _last_filings(trace: NoteTrace | None, name: str) -> list[EhrRow]:
    """Return the last filing row of each document that names the id: an earlier one may have been put right."""
    last: dict[str | None, EhrRow] = {}
    for row in trace.ehr("filed") if trace is not None else ():
        if getattr(row, name):
            last[plain(row.resource)] = row
    return list(last.values())


def _visit(encounters: Encounters | None, id: str | None) -> EncounterFacts | None:
    """Return the EHR's encounter that the note names."""
    return next((c for c in encounters.candidates if same(c.id, id)), None) if encounters is not None else None


def _of_scribe(trace: NoteTrace | None, name: str) -> str | None:
    values = {
        _key(getattr(row, name)): getattr(row, name) for row in (trace.rows if trace else ()) if getattr(row, name)
    }
    return next(iter(values.values())) if len(values) == 1 else None
