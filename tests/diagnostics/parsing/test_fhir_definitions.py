"""The element definitions the engine reads are those of the standard's models, and the library is the oracle."""

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from diagnostics.parsing.fhir_definitions import definition, known_names, resource_names
from diagnostics.parsing.fhir_structure import judge_structure
from tests.diagnostics import fhir_samples
from tests.tools import fhir_definitions


def test_the_file_is_what_the_tool_writes() -> None:
    assert fhir_definitions.TARGET.read_text(encoding="utf-8") == fhir_definitions.text()


def test_the_names_are_those_of_r4() -> None:
    assert len(known_names()) == 146  # FHIR R4 (4.0.1), resource list, without its two abstract kinds
    assert "DocumentReference" in resource_names() <= known_names()


def test_a_type_knows_its_elements() -> None:
    document = definition("DocumentReference")
    assert document is not None
    assert document.required == ("content", "status")
    assert document.elements["author"].many
    assert document.elements["custodian"].targets == {"Organization"}
    assert document.elements["docStatus"].codes == {"preliminary", "final", "amended", "entered-in-error"}
    observation = definition("Observation")
    assert observation is not None
    assert ("value", True) not in {(name, must) for name, _, must in observation.choices}
    assert "Medication" not in (observation.elements["subject"].targets or ())  # R4B allows it, R4 does not
    extension = definition("Extension")
    assert extension is not None
    assert "valueRatioRange" not in extension.elements  # of R4B
    assert definition("Nonsense") is None


@pytest.mark.parametrize(("name", "resource"), fhir_samples.sound().items(), ids=list(fhir_samples.sound()))
def test_what_the_library_takes_the_engine_takes(name: str, resource: dict[str, Any]) -> None:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    assert judge_structure(resource).issues == (), name


# Each change is one fault; the library, an independent reader of the standard, must refuse it too.
FAULTS: list[tuple[str, str, object]] = [
    ("DocumentReference.mood", "mood", "calm"),
    ("DocumentReference.status", "status", None),
    ("DocumentReference.date", "date", "2026-03-02T16:58:00"),
    ("DocumentReference.subject", "subject", [{"reference": "Patient/p1"}]),
    ("DocumentReference.category", "category", {"text": "x"}),
    ("DocumentReference.content[0].attachment", "content", [{"format": {"code": "x"}}]),
    ("DocumentReference.content[0].attachment.size", "content", [{"attachment": {"size": -1}}]),
    ("DocumentReference.id", "id", "a b"),
    ("DocumentReference.description", "description", 5),
    ("DocumentReference.context.period.start", "context", {"period": {"start": "01/02/2026"}}),
]


@pytest.mark.parametrize(("path", "element", "value"), FAULTS, ids=[row[0] for row in FAULTS])
def test_what_the_library_refuses_the_engine_names(path: str, element: str, value: object) -> None:
    resource = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": {"title": "x"}}]}
    changed = {key: each for key, each in (resource | {element: value}).items() if each is not None}
    with pytest.raises(ValidationError):
        get_fhir_model_class("DocumentReference").model_validate(changed)
    assert path in {issue.path for issue in judge_structure(changed).issues}
