"""What a run remembers is forgotten at its end: no text of a case stays in the memory of a worker."""

import gc
import re
from functools import _lru_cache_wrapper
from pathlib import Path

import pytest

from diagnostics import engine
from diagnostics.case_folder import load
from diagnostics.remembering import forget, remembered
from tests.cases.expected import cases

ROOT = Path(__file__).resolve().parents[2] / "diagnostics"
# what these keep comes from files of the product, never from a case
STATIC = {
    "catalog.py", "vendors/__init__.py", "vendors/facts.py", "signatures/model.py", "parsing/icd10cm.py",
    "parsing/fhir_definitions.py", "parsing/hl7_grammar.py", "parsing/hl7_segments.py",
    "checks/step2_write_back/escaping.py",
}  # fmt: skip


def test_a_run_leaves_nothing_behind() -> None:
    told = [case.folder for case in cases() if case.area in ("auth", "mapping", "hl7")][::9]
    for folder in told:
        engine.run(load(folder, offline=True))
    left = {
        f"{kept.__module__}.{kept.__name__}": kept.cache_info().currsize
        for kept in gc.get_objects()
        if isinstance(kept, _lru_cache_wrapper)
        and str(kept.__module__).startswith("diagnostics.")
        and not any(str(kept.__module__) == _module(name) for name in STATIC)
        and kept.cache_info().currsize
    }
    assert left == {}


def _module(name: str) -> str:
    return "diagnostics." + name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_only_what_is_no_case_is_kept_for_good(path: Path) -> None:
    name = str(path.relative_to(ROOT))
    if name in STATIC or name == "remembering.py" or name.startswith("practice/"):
        return
    assert not re.search(r"^\s*@(?:functools\.)?(?:lru_cache|cache)\b", path.read_text(encoding="utf-8"), re.MULTILINE)


def test_what_is_remembered_is_computed_once_until_it_is_forgotten() -> None:
    asked: list[str] = []

    @remembered(4)
    def shout(text: str) -> str:
        asked.append(text)
        return text.upper()

    assert [shout("a"), shout("a")] == ["A", "A"]
    forget()
    assert shout("a") == "A"
    assert asked == ["a", "a"]
