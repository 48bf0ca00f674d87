"""A page and a ticket's run say the same: the stored traces agree with the engine on every case that has logs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from console.notes.case_import import keep_case_note, keep_logs
from console.notes.correlation import correlate_all, correlate_new, correlate_note
from console.notes.correlation.state import known
from console.notes.models import Note, Trace
from console.notes.services import external_hash
from diagnostics.case import Case
from diagnostics.case_folder import load
from diagnostics.evidence.log_parts import note_trace
from diagnostics.parsing import logs as parse
from diagnostics.tracing.triage import USUAL_DELAY, trace
from tests.cases.expected import cases
from tests.console.builders import a_facility, an_integration

pytestmark = pytest.mark.django_db
AREAS = sorted({case.area for case in cases()})


def with_logs(area: str) -> list[tuple[str, Case]]:
    found = [(told.name, load(told.folder, offline=True)) for told in cases() if told.area == area]
    return [(name, case) for name, case in found if case.note and (case.logs.scribe or case.logs.ehr)]


def by_engine(case: Case, now):
    scribe = None if case.logs.scribe is None else parse.scribe_rows(case.logs.scribe)
    ehr = None if case.logs.ehr is None else parse.ehr_rows(case.logs.ehr)
    minutes = getattr(case.vendor, "usual_filing_minutes", None)
    delay = timedelta(minutes=float(minutes)) if minutes else USUAL_DELAY
    return trace(case.note, scribe, ehr, None, now, delay)


@pytest.mark.parametrize("area", AREAS)
def test_logs_alone_tell_what_the_engine_tells(area: str) -> None:
    facility, differing, compared = a_facility(), [], 0
    for name, case in with_logs(area):
        integration = an_integration(facility)
        integration.vendor = case.integration.vendor
        integration.save()
        keep_logs(integration, case)
        correlate_new(integration=integration)
        stored = Trace.objects.filter(
            note__integration=integration, note__external_hash=external_hash(integration, case.note.id)
        ).first()
        expected = by_engine(case, known(integration)[1].now)
        if stored is None:
            assert not expected.rows, name  # the scribe's log tells nothing of the note
            continue
        compared += 1
        if stored.failure_mode != expected.failure_mode:
            differing.append((name, str(expected.failure_mode), stored.failure_mode))
        assert stored.note.external_id == case.note.id
    assert differing == []
    assert compared


def more_is_kept(case: Case) -> bool:
    return bool(case.note.payload or case.note.narrative or case.filed is not None)


@pytest.mark.parametrize("area", [a for a in AREAS if any(more_is_kept(case) for _, case in with_logs(a))])
def test_a_note_of_which_more_is_kept_is_told_by_the_engine_itself(area: str) -> None:
    facility, differing, compared = a_facility(), [], 0
    for name, case in with_logs(area):
        integration = an_integration(facility)
        integration.vendor = case.integration.vendor
        integration.save()
        note = keep_case_note(integration, case, department=None)
        keep_logs(integration, case)
        if not more_is_kept(case):
            continue
        told = correlate_note(note)
        expected = note_trace(replace(case, now=known_now(integration)))
        compared += 1
        if (told.failure_mode, told.broke_at) != (expected.failure_mode, expected.broke_at or ""):
            differing.append((name, str(expected.failure_mode), told.failure_mode))
        correlate_all(integration=integration)
        assert Trace.objects.get(note=note).failure_mode == told.failure_mode
    assert differing == []
    assert compared


def known_now(integration):
    from console.notes.correlation import state

    kept, scope = state.known(integration)
    return (scope or state.look(integration, kept)).now


def test_two_integrations_do_not_mix(db) -> None:
    facility = a_facility()
    one, other = an_integration(facility), an_integration(facility)
    (_, case), *_ = [found for area in AREAS for found in with_logs(area) if found[1].logs.scribe]
    keep_logs(one, case)
    keep_logs(other, replace(case, logs=replace(case.logs, ehr=None)))
    correlate_new()
    kept, bare = (Note.objects.filter(integration=each).count() for each in (one, other))
    assert kept == bare > 0
    modes = {each: Trace.objects.filter(integration=each).values_list("confidence", flat=True) for each in (one, other)}
    assert max(modes[other]) <= 0.6 < max(modes[one])
