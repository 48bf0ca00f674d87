"""No practice fault after which the note is in a chart lets it be resent; after the others it can be, once."""

from pathlib import Path

import pytest

from diagnostics.case_folder import load
from diagnostics.checks.refusal import ARRIVED
from diagnostics.practice import FAULTS, build_case
from diagnostics.practice.server import PracticeEhr
from diagnostics.resend import SETTLED, Fate
from tests.diagnostics.resend.conftest import documents, planned, sent

IN_CHART = sorted(name for name, fault in FAULTS.items() if fault.failure_mode in ARRIVED)
MENDED = sorted(
    name
    for name, fault in FAULTS.items()
    if fault.failure_mode in ("rejected", "never_sent") and fault.category in ("network", "permissions")
)


@pytest.mark.parametrize("name", IN_CHART)
def test_what_is_in_a_chart_is_refused(ehr: PracticeEhr, tmp_path: Path, name: str) -> None:
    build_case(ehr, "north", name, tmp_path)
    case = load(tmp_path)
    how = planned(case)
    assert how.way is None and how.refused
    assert sent(case, how).fate is Fate.NOT_SENT


@pytest.mark.parametrize("name", MENDED)
def test_a_mended_fault_lets_the_note_in_once(ehr: PracticeEhr, tmp_path: Path, name: str) -> None:
    build_case(ehr, "north", name, tmp_path)
    case = load(tmp_path)
    ehr.set_faults("north", ())
    how = planned(case)
    if how.way is None:
        assert "signed or closed" in how.refused or "not at hand" in how.refused, how.refused
        return
    fates = [sent(case, how).fate for _ in range(2)]
    assert documents(ehr, how) <= 1
    assert fates[0] in SETTLED | {Fate.REFUSED, Fate.NOT_SENT} and (documents(ehr, how) == 1) == (fates[0] in SETTLED)
