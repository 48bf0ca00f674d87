"""The catalogue is whole: every cause can be found, says what to do and who acts; every check has its evidence."""

import inspect
import tomllib
from pathlib import Path

from diagnostics import catalog
from diagnostics.check import PREFIXES
from diagnostics.checklists import ITEMS
from diagnostics.evidence.base import Evidence
from diagnostics.probes.declare import parts, probes

ROOT = Path(__file__).resolve().parents[2]


def test_every_cause_is_reached_by_a_check_or_a_signature() -> None:
    reached = {cause.id for check in catalog.checks().values() for cause in check.causes}
    reached |= set(catalog.checks())
    for path in (ROOT / "diagnostics" / "signatures").glob("*.toml"):
        for rows in tomllib.loads(path.read_text(encoding="utf-8")).values():
            if isinstance(rows, list):
                reached |= {row["cause"] for row in rows if row.get("cause")}
    told = "".join(p.read_text(encoding="utf-8") for p in (ROOT / "diagnostics" / "explaining").glob("*.py"))
    told += "".join(p.read_text(encoding="utf-8") for p in (ROOT / "diagnostics" / "vendors").glob("*.py"))
    unreached = sorted(id for id in catalog.causes() if id not in reached and f'"{id}"' not in told)
    assert unreached == []


def test_explains_names_causes_that_exist() -> None:
    known = catalog.causes()
    for cause in known.values():
        for other in cause.explains:
            assert other in known or any(id.startswith(other) for id in known if other.endswith(".")), (cause.id, other)


def test_every_piece_of_evidence_has_one_source() -> None:
    catalog.load()
    sources = set(parts()) | set(probes())
    needed = {need.kind for check in catalog.checks().values() for need in check.needs}
    assert {kind.__name__ for kind in needed - sources} == set()
    assert all(issubclass(kind, Evidence) for kind in sources)


def test_every_probe_is_needed_by_a_check_or_a_probe() -> None:
    needed = {need.kind for check in catalog.checks().values() for need in check.needs}
    needed |= {kind for probe in probes().values() for kind in (*probe.needs, *probe.wants)}
    assert {kind.__name__ for kind in set(probes()) - needed} == set()


def test_checks_are_pure_by_their_imports() -> None:
    forbidden = (
        "import socket",
        "import ssl",
        "import httpx",
        "import asyncio",
        "import time\n",
        "datetime.now",
        "utcnow",
    )
    for check in catalog.checks().values():
        source = Path(inspect.getfile(check.function)).read_text(encoding="utf-8")
        for word in forbidden:
            assert word not in source, (check.id, word)


def test_ids_carry_the_cause_they_speak_for() -> None:
    prefixes = {prefix for group in PREFIXES.values() for prefix in group}
    for check in catalog.checks().values():
        assert check.id.split(".")[0] in prefixes
        assert check.id == check.id.lower()


def test_checklist_items_are_used() -> None:
    used = {item for check in catalog.checks().values() for item in check.checklist}
    used |= {item for cause in catalog.causes().values() for item in cause.checklist}
    assert used <= set(ITEMS)
