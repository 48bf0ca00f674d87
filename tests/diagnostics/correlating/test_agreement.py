"""One note or a million: correlation says of every case's note what the engine's triage says of it."""

from datetime import timedelta

import pytest

from diagnostics.case import Case
from diagnostics.case_folder import load
from diagnostics.parsing import logs as parse
from diagnostics.tracing.correlate import Joined
from diagnostics.tracing.reduced import reduced
from diagnostics.tracing.story import Clocks, medians
from diagnostics.tracing.triage import USUAL_DELAY, trace
from tests.cases.expected import cases


def usual_delay(case: Case) -> timedelta:
    minutes = getattr(case.vendor, "usual_filing_minutes", None)
    return timedelta(minutes=float(minutes)) if minutes else USUAL_DELAY


@pytest.mark.parametrize("area", sorted({case.area for case in cases()}))
def test_correlation_and_triage_agree(area) -> None:
    differing, compared = [], 0
    for told in cases():
        if told.area != area:
            continue
        case = load(told.folder, offline=True)
        logs, note, delay = case.logs, case.note, usual_delay(case)
        if note is None or not (logs.scribe or logs.ehr):
            continue
        scribe = None if logs.scribe is None else parse.scribe_rows(logs.scribe)
        ehr = None if logs.ehr is None else parse.ehr_rows(logs.ehr)
        one = trace(note, scribe, ehr, None, case.now, delay)
        joined = Joined(
            reduced("scribe", logs.scribe or ()), reduced("ehr", logs.ehr or ()), now=case.now,
            has_scribe=logs.scribe is not None, has_ehr=logs.ehr is not None, usual_delay=delay,
        )  # fmt: skip
        stories = {story.note: story for story in joined.stories(Clocks(medians(joined.samples())))}
        if not one.rows and note.id not in stories:
            continue  # a note of which the scribe's log tells nothing is known from elsewhere, and the engine's alone
        compared += 1
        if stories[note.id].mode is not one.failure_mode:
            differing.append((told.folder.name, one.failure_mode, stories[note.id].mode))
    assert differing == []
    assert compared
