"""FHIR payloads, damaged at random: nothing raises, work stays in proportion, and each planted fault is named.

3,000 examples in all, the same in every run. Sound payloads are those of `tests.diagnostics.fhir_samples`.
"""

import copy
import json
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics import catalog
from diagnostics.gather import read_parts
from diagnostics.judge import judge
from diagnostics.parsing.fhir import read_resource
from diagnostics.parsing.fhir_definitions import TypeDefinition, definition
from diagnostics.parsing.fhir_structure import MAX_ISSUES, judge_structure
from diagnostics.parsing.xhtml import judge_document, judge_narrative
from diagnostics.vocabulary import Outcome
from tests.diagnostics import fhir_samples
from tests.diagnostics.checks.step2.payloads import fhir_case, sent_and

SOUND = list(fhir_samples.sound().values())
CHECKS = [check for check in catalog.checks().values() if check.id.startswith("fhir.")]
Place = tuple[dict[str, Any], TypeDefinition, str]


def often(examples: int) -> settings:
    """Return the settings of one property: so many examples, the same ones each time, no clock."""
    slow = [HealthCheck.too_slow, HealthCheck.data_too_large]
    return settings(max_examples=examples, deadline=None, derandomize=True, database=None, suppress_health_check=slow)


def objects(node: dict[str, Any], kind: TypeDefinition, path: str) -> Iterator[Place]:
    """Yield every object of a resource with its type and FHIRPath."""
    yield node, kind, path
    for name, value in node.items():
        element = kind.elements.get(name)
        if element is None or element.holds is not None:
            continue
        for index, each in enumerate(value if element.many else [value]):
            at = f"{path}.{name}[{index}]" if element.many else f"{path}.{name}"
            inner = definition(each["resourceType"] if element.type == "Resource" else element.type)
            if isinstance(each, dict) and inner is not None:
                yield from objects(each, inner, at)


@st.composite
def places(draw: st.DrawFn) -> tuple[dict[str, Any], Place]:
    """Draw a sound payload and one object in it."""
    resource = copy.deepcopy(draw(st.sampled_from(SOUND)))
    kind = definition(resource["resourceType"])
    assert kind is not None
    return resource, draw(st.sampled_from(list(objects(resource, kind, resource["resourceType"]))))


def found(resource: dict[str, Any]) -> dict[str, set[str]]:
    """Return the faults told of a resource as it would come over the wire: path → kinds."""
    read = read_resource(json.dumps(resource).encode())
    assert read.resource is not None
    told: dict[str, set[str]] = {}
    for issue in judge_structure(read.resource).issues:
        told.setdefault(issue.path, set()).add(issue.kind)
    return told


@often(400)
@given(places(), st.data())
def test_a_required_element_that_is_gone_is_named(drawn: tuple[dict[str, Any], Place], data: st.DataObject) -> None:
    resource, (node, kind, path) = drawn
    there = [name for name in kind.required if name in node]
    there += [name for _, members, must in kind.choices if must for name in members if name in node]
    if not there:
        return
    name = data.draw(st.sampled_from(there))
    group = kind.elements[name].choice
    del node[name]
    node.pop(f"_{name}", None)
    told = found(resource)
    if node:
        assert "missing" in told[f"{path}.{group or name}"]
    else:
        assert "shape" in told[path]  # an object of which nothing is left


@often(400)
@given(
    places(), st.sampled_from(["mood", "Status", "valueNonsense", "contnet", "_mood", "extensions", "resource_type"])
)
def test_an_element_that_does_not_exist_is_named(drawn: tuple[dict[str, Any], Place], name: str) -> None:
    resource, (node, _kind, path) = drawn
    node[name] = "calm"
    assert "unknown_element" in found(resource)[f"{path}.{name}"]


WRONG: dict[str, list[Any]] = {
    "text": [5, 1.5, True, {"value": "x"}, ["x"], None, ""],
    "number": ["5", True, {"value": 5}, [5], None],
    "boolean": ["true", 1, {"value": True}, [True], None],
    "object": ["x", 5, True, [{"text": "x"}], None, {}],
}


@often(700)
@given(places(), st.data())
def test_a_value_of_the_wrong_type_is_named(drawn: tuple[dict[str, Any], Place], data: st.DataObject) -> None:
    resource, (node, kind, path) = drawn
    names = [name for name in node if name in kind.elements and name not in ("resourceType", "contained", "entry")]
    if not names:
        return
    name = data.draw(st.sampled_from(names))
    element = kind.elements[name]
    numbers = ("decimal", "integer", "positiveInt", "unsignedInt")
    form = "object" if element.holds is None else "number" if element.type in numbers else (
        "boolean" if element.type == "boolean" else "text")  # fmt: skip
    value = data.draw(st.sampled_from(WRONG[form]))
    node[name] = [value] if element.many else value
    told = found(resource)
    assert any(at == f"{path}.{name}" or at.startswith((f"{path}.{name}[", f"{path}.{name}.")) for at in told), told


ODD = ["\ud800", "\x00", "A" * 70_000, "====", "#x", "urn:uuid:1", "a://", "Patient?x=1", "2026-02-30", "<div>",
       "&nbsp", "9" * 400, "Bundle", "DocumentReference"]  # fmt: skip
NAMES = ["resourceType", "type", "entry", "resource", "contained", "content", "attachment", "data", "reference", "id",
         "url", "extension", "x y"]  # fmt: skip
JUNK: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=40) | st.sampled_from(ODD),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a sound payload of which one to four elements, anywhere, hold something else, are gone or renamed."""
    resource = copy.deepcopy(draw(st.sampled_from(SOUND)))
    for _ in range(draw(st.integers(1, 4))):
        holders = list(_containers(resource))
        if not holders:
            break
        holder = draw(st.sampled_from(holders))
        key = draw(st.sampled_from(list(holder) if isinstance(holder, dict) else list(range(len(holder)))))
        match draw(st.sampled_from(["replace", "drop", "rename", "nest", "deepen", "repeat"])):
            case "replace":
                holder[key] = draw(JUNK)
            case "drop":
                del holder[key]
            case "rename" if isinstance(holder, dict):
                holder[draw(st.text(max_size=20))] = holder.pop(key)
            case "nest":
                holder[key] = {str(key): holder[key]} if isinstance(holder, list) else [holder[key]]
            case "deepen":
                for _ in range(120):
                    holder[key] = [holder[key]]
            case "repeat" if isinstance(holder, list):
                holder.extend(copy.deepcopy(holder[key]) for _ in range(120))
            case _:
                pass
    return resource


def _containers(value: Any, depth: int = 0) -> Iterator[Any]:
    if depth < 40 and isinstance(value, dict | list) and value:
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _containers(inner, depth + 1)


def steps_of(work: Callable[[], Any]) -> int:
    """Return how many functions a piece of work called: a measure that no busy machine changes."""
    count = 0

    def seen(_frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count


@often(600)
@given(damaged())
def test_judging_costs_in_proportion_to_the_payload_and_never_raises(resource: dict[str, Any]) -> None:
    data = json.dumps(resource).encode()
    read = read_resource(data)
    if read.resource is None:
        assert read.problems
        return
    structure = judge_structure(read.resource)
    assert len(structure.issues) <= MAX_ISSUES
    assert all(issue.path and issue.says.endswith(".") for issue in structure.issues)
    parts = 1 + sum(len(each) for each in _containers(read.resource))
    assert steps_of(lambda: judge_structure(read.resource or {})) <= 120 * parts + 3_000


@often(350)
@given(damaged(), st.sampled_from([None, 201, 400, 422, 404]))
def test_no_check_of_fhir_breaks_on_a_damaged_payload(resource: dict[str, Any], status: int | None) -> None:
    case = fhir_case(json.dumps(resource).encode(), sent_and(status, "") if status else None, vendor="oracle-health")
    for finding in judge(case, read_parts(case), CHECKS):
        assert finding.status is not Outcome.ERROR, finding.check
        assert len(finding.says) < 1_000


@often(350)
@given(st.sampled_from(SOUND), st.data())
def test_any_bytes_are_read_or_refused_with_a_reason(resource: dict[str, Any], data: st.DataObject) -> None:
    raw = json.dumps(resource).encode()
    at = data.draw(st.integers(0, len(raw)))
    junk = data.draw(st.binary(max_size=30))
    prefix = data.draw(
        st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"<", b"<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>"])
    )
    for cut in (raw[:at], prefix + raw[:at] + junk + raw[at:], prefix + junk):
        read = read_resource(cut)
        if read.resource is None:
            assert read.problems
            assert all(problem.says for problem in read.problems)
        else:
            judge_structure(read.resource)


PIECES = [
    "<div xmlns='http://www.w3.org/1999/xhtml'>", "</div>", "<br>", "<br/>", "&nbsp;", "&nbsp", "&amp;", "&#x0;", "<p>",
    "</p>", "<script>", "</script>", "<img src='http://x.example/a.png'/>", "<!-- ", "-->", "<![CDATA[", "]]>", "x",
    "\x00", "\ud800", "<?xml version='1.0' encoding='utf-7'?>", "<!DOCTYPE html>", "<a onclick='x'>",
]  # fmt: skip


@often(200)
@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_xhtml_of_any_kind_is_judged(text: str) -> None:
    for faults in (judge_narrative(text), judge_document(text)):
        assert len(faults) <= 10
        assert all(fault.says for fault in faults)
