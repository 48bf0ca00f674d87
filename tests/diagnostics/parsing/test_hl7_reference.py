"""Our structures, required fields, repetitions and tables against those hl7apy carries for each version."""

import importlib
import re
from typing import Any

import pytest

from diagnostics.parsing.hl7_grammar import compile_structure, match, structure_of
from diagnostics.parsing.hl7_segments import required_fields, single_fields
from diagnostics.parsing.hl7_tables import ERRORS, SUGGESTED, TABLES, table_of

VERSIONS = ("2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.8")
SEGMENTS = ("MSH", "EVN", "PID", "PV1", "TXA", "OBX", "OBR", "ORC", "MSA", "ERR")
# what the reference and the segment definitions of the standard disagree on, or what holds under a condition
APART = {
    ("2.3", "EVN"), ("2.3", "OBX"), ("2.3.1", "OBX"), ("2.7", "OBX"), ("2.8", "OBX"), ("2.3", "OBR"), ("2.3", "ORC"),
    ("2.3.1", "ORC"),
}  # fmt: skip


def reference(version: str, module: str) -> Any:
    """Return a module of the reference for a version."""
    return importlib.import_module(f"hl7apy.v{version.replace('.', '_')}.{module}")


def structure(version: str, name: str) -> str:
    """Return the reference's structure in the standard's notation."""
    groups = reference(version, "groups").GROUPS

    def written(held: Any) -> str:
        parts = []
        for name, _, (least, most), kind in held[1]:
            part = name if kind == "SEG" else written(groups[name])
            part = part if most == 1 else f"{{{part}}}"
            parts.append(part if least else f"[{part}]")
        return " ".join(parts)

    return written(reference(version, "messages").MESSAGES[name])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "code", "event"),
    [("MDM_T01", "MDM", "T01"), ("MDM_T02", "MDM", "T02"), ("ORU_R01", "ORU", "R01"), ("ACK", "ACK", "")],
)
def test_a_structure_takes_what_the_reference_takes(version: str, name: str, code: str, event: str) -> None:
    theirs = compile_structure(structure(version, name))
    ours = structure_of(code, event, version)
    assert ours is not None
    assert compile_structure(ours).required == theirs.required
    left_out = {"PRT", "ARV", "ROL"}  # read as allowed anywhere
    assert theirs.alphabet - left_out <= compile_structure(ours).alphabet
    for sequence in walks(theirs):
        found = match(ours, sequence)
        assert found.unexpected is None and not found.repeated and not found.missing and not found.unfinished, sequence


def walks(grammar: Any) -> list[list[str]]:
    """Return sequences through a structure that use each of its positions at least once."""
    found = []
    for wanted in range(len(grammar.names)):
        start = path(grammar, set(grammar.first), {wanted})
        end = path(grammar, set(grammar.follow[wanted]), set(grammar.last)) if wanted not in grammar.last else []
        if start is not None and end is not None:
            found.append([grammar.names[at] for at in (*start, *end)])
    return found


def path(grammar: Any, starts: set[int], ends: set[int]) -> list[int] | None:
    """Return the shortest way from any start to any end, both included."""
    ways = [[start] for start in sorted(starts)]
    seen = set(starts)
    for way in ways:
        if way[-1] in ends:
            return way
        for after in sorted(grammar.follow[way[-1]] - seen):
            seen.add(after)
            ways.append([*way, after])
    return None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", SEGMENTS)
def test_required_and_repeating_fields_are_the_references(version: str, name: str) -> None:
    fields = {int(one[0].partition("_")[2]): one[2] for one in reference(version, "segments").SEGMENTS[name][1]}
    must = {number for number, (least, _) in fields.items() if least} - {
        1 if name == "MSH" else 0,
        2 if name == "MSH" else 0,
    }
    if (version, name) not in APART:
        assert set(required_fields(name, version)) == must
    repeating = {number for number, (_, most) in fields.items() if most != 1}
    assert not repeating & set(single_fields(name, version)) - ({17} if name == "TXA" and version == "2.3.1" else set())


@pytest.mark.parametrize("version", ("2.5", "2.5.1", "2.6", "2.7", "2.8"))
def test_tables_are_the_references(version: str) -> None:
    held = reference(version, "tables").TABLES
    for path_ in TABLES:
        bound = table_of(path_, version)
        assert bound is not None and set(held[f"HL7{bound[0]}"][1]) == bound[1], path_
    for number, values in SUGGESTED.values():
        assert set(held[f"HL7{number}"][1]) <= values, number
    assert set(held["HL70357"][1]) <= set(ERRORS)
    assert all(re.fullmatch(r"\d{1,3}", code) for code in ERRORS)
