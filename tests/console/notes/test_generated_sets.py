"""The commands judged by generated logs whose truth is known: the plain set, and one written to prove them wrong."""

import io
import json
import math
from collections import Counter
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.benchmarks.two_logs import easy, hard
from tests.benchmarks.two_logs.judging import judge, lines, report

NOTES = 2000


@pytest.fixture(scope="module")
def sets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sets")
    easy.write(NOTES, folder / "easy")
    hard.write(NOTES, folder / "hard")
    return folder


def test_equal_seeds_give_equal_bytes_and_others_do_not(tmp_path: Path) -> None:
    for maker in (easy, hard):
        for name, seed in (("one", 1), ("same", 1), ("other", 2)):
            maker.write(300, tmp_path / name, seed)
        for file in ("scribe.ndjson", "ehr.ndjson", "truth.ndjson"):
            one, same, other = ((tmp_path / name / file).read_bytes() for name in ("one", "same", "other"))
            assert one == same, (maker.__name__, file)
            assert one != other, (maker.__name__, file)


def test_the_plain_set_has_the_shares_it_promises(tmp_path: Path) -> None:
    easy.write(10_000, tmp_path)
    modes = Counter(fact["failure_mode"] for fact in lines(tmp_path / "truth.ndjson"))
    for mode, share in easy.SHARES:
        assert modes[mode] == pytest.approx(share * 10_000, abs=4 * math.sqrt(share * 10_000)), mode
    scribe, ehr = (list(lines(tmp_path / f"{log}.ndjson")) for log in ("scribe", "ehr"))
    assert len(scribe) / 10_000 == pytest.approx(4, abs=0.25)
    assert len(ehr) / 10_000 == pytest.approx(2.5, abs=0.15)
    nameless = sum("transaction_id" not in row and "request_id" not in row for row in ehr)
    assert nameless / len(ehr) == pytest.approx(easy.LOST, rel=0.3)
    assert [row["at"] for row in scribe] != sorted(row["at"] for row in scribe)


def test_the_hard_set_lacks_every_id_in_a_seventh_of_its_rows(tmp_path: Path) -> None:
    hard.write(5000, tmp_path)
    ids = ("note_id", "transaction_id", "request_id", "encounter_id", "patient_id", "resource")
    for log in ("scribe", "ehr"):
        rows = list(lines(tmp_path / f"{log}.ndjson"))
        bare = sum(not any(row.get(key) for key in ids) for row in rows)
        assert bare / len(rows) == pytest.approx(0.155, abs=0.025), log
    facts = list(lines(tmp_path / "truth.ndjson"))
    assert len(facts) == pytest.approx(5000, rel=0.05)
    assert 0.6 < sum(fact["decidable"] for fact in facts) / len(facts) < 0.9


def test_the_truth_agrees_with_the_rows_that_were_written(sets: Path) -> None:
    """Where a note kept all its ids, the EHR's filing rows under its own transactions tell the same as the truth."""
    transactions: dict[str, set[str]] = {}
    place: dict[str, str] = {}
    for row in lines(sets / "easy" / "scribe.ndjson"):
        if row.get("note_id"):
            place[row["note_id"]] = row["encounter_id"]
            if row.get("transaction_id"):
                transactions.setdefault(row["note_id"], set()).add(row["transaction_id"])
    filed: dict[str, list[dict[str, str]]] = {}
    for row in lines(sets / "easy" / "ehr.ndjson"):
        if row["event"] == "filed" and row.get("transaction_id"):
            filed.setdefault(row["transaction_id"], []).append(row)
    checked: Counter[str] = Counter()
    for fact in lines(sets / "easy" / "truth.ndjson"):
        if not fact["ids_intact"]:
            continue
        note, mode = fact["note_id"], fact["failure_mode"]
        documents = [row for transaction in transactions[note] for row in filed.get(transaction, ())]
        expected = {"delivered": 1, "misplaced": 1, "duplicate": 2}.get(mode, 0)
        assert len(documents) == expected, fact
        if expected:
            elsewhere = any(row["encounter_id"] != place[note] for row in documents)
            assert elsewhere == (mode == "misplaced"), fact
        checked[mode] += 1
    assert set(checked) == {"delivered", "misplaced", "duplicate", "rejected", "never_sent", "delayed"}


def answers(folder: Path) -> Path:
    """Import both logs of a set, correlate, and keep what `traces` tells."""
    for log in ("scribe", "ehr"):
        out = io.StringIO()
        call_command("import_logs", log, str(folder / f"{log}.ndjson"), "--json", stdout=out)
        counts = json.loads(out.getvalue().strip().splitlines()[-1])
        assert counts["quarantined"] == 0, counts
        assert counts["rows"] == counts["stored"] + counts["duplicate"]
        assert counts["rows"] == sum(1 for _ in lines(folder / f"{log}.ndjson"))
    call_command("correlate", "--json", "--workers", "1", stdout=io.StringIO())
    out = io.StringIO()
    call_command("traces", stdout=out)
    told = folder / "traces.ndjson"
    told.write_text(out.getvalue(), encoding="utf-8")
    return told


@pytest.mark.django_db(transaction=True)
def test_the_plain_set_is_told_right(sets: Path) -> None:
    verdict = judge(sets / "easy" / "truth.ndjson", answers(sets / "easy"))
    assert verdict.accuracy >= 0.999, report(verdict)
    assert verdict.wrong_intact == 0, report(verdict)
    assert verdict.invented == 0
    assert max(verdict.offset_errors) < 0.5


@pytest.mark.django_db(transaction=True)
def test_on_the_hard_set_no_wrong_answer_is_sure_of_itself(sets: Path) -> None:
    verdict = judge(sets / "hard" / "truth.ndjson", answers(sets / "hard"))
    assert verdict.wrong_sure == 0, (report(verdict), verdict.failures[:5])
    assert verdict.invented == 0
    assert verdict.accuracy_decidable >= 0.9, report(verdict)
