"""Generated payloads: planning never raises, always tells the same, holds no credential, and keeps what identifies."""

import json
from dataclasses import fields, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from diagnostics.case import Case, Hl7Interface
from diagnostics.evidence.chart_seen import ChartSeen, DocumentSeen
from diagnostics.parsing.fhir import read_resource
from diagnostics.parsing.hl7 import read_message
from diagnostics.resend import Way, plan
from tests.diagnostics.resend.cases import SECRETS, bag_of, case_of, document, message, offered

thorough = settings(
    derandomize=True, deadline=None, max_examples=150, suppress_health_check=list(HealthCheck), database=None
)
SIGNED = ({"id": "E-1", "status": "finished", "signed": True, "patient_id": "P-1"},)
PARENT = ChartSeen(found=0, others=(DocumentSeen("77", "current", "final", ("11506-3",), "", ("N|77^&",)),))

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(), max_size=20)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
ELEMENTS = st.sampled_from(
    ["identifier", "masterIdentifier", "subject", "context", "content", "date", "type", "relatesTo", "status", "id"]
)
resources = st.dictionaries(ELEMENTS, values, max_size=6).map(lambda more: {**document(), **more})
noise = st.binary(max_size=300)
cut = st.tuples(st.sampled_from([message(), json.dumps(document()).encode()]), st.integers(0, 400), noise).map(
    lambda part: part[0][: part[1]] + part[2]
)
field_text = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x0b\x1c|"), max_size=20)
messages = st.tuples(field_text, field_text, field_text, st.sampled_from([b"\r", b"\n", b"\r\n"])).map(
    lambda parts: message(
        MSH=f"MSH|^~\\&|{parts[0]}|S|EHR|H|2026||MDM^T02|{parts[1]}|P|2.5.1",
        TXA=f"TXA|1|PN|TX|2026||||||||{parts[2]}|||||AU",
    ).replace(b"\r", parts[3])
)
payloads = noise | cut | resources.map(lambda held: json.dumps(held).encode()) | messages


def cases_of(payload: bytes) -> list[Case]:
    """Return the payload as each kind of integration may hold it, in an open visit and in a signed one."""
    found = []
    for hl7 in (False, True):
        plain = case_of(payload, hl7=hl7)
        named = replace(plain.integration, hl7=replace(plain.integration.hl7, version="2.4"))
        found += [plain, replace(plain, encounters=SIGNED), replace(plain, integration=named)]
    return found


@thorough
@given(payloads)
def test_planning_never_raises_and_always_tells_the_same(payload: bytes) -> None:
    for case in cases_of(payload):
        for evidence in ((), (offered(), PARENT)):
            how = plan(case, bag_of(case, *evidence))
            assert (how.way is None) == bool(how.refused) == (not how.digest)
            again = plan(case, bag_of(case, *reversed(evidence)))
            assert again == how and again.digest == how.digest


@thorough
@given(payloads)
def test_no_plan_holds_a_credential(payload: bytes) -> None:
    for case in cases_of(payload):
        how = plan(case, bag_of(case, offered(), PARENT))
        told = " ".join(str(getattr(how, each.name)) for each in fields(how))
        assert not any(secret in told for secret in SECRETS.values())
        assert not any(name.lower() == "authorization" for name, _ in how.headers)


@thorough
@given(resources)
def test_a_planned_document_keeps_every_element_it_had(resource: dict[str, object]) -> None:
    payload = json.dumps(resource).encode()
    for encounters in (None, SIGNED):
        case = case_of(payload, encounters=encounters)
        how = plan(case, bag_of(case, offered(), PARENT))
        if how.way is None:
            continue
        read = read_resource(how.body)
        assert read.resource is not None and not read.problems
        sent = read.resource
        assert {key: sent[key] for key in resource} == read_resource(payload).resource
        assert set(sent) - set(resource) <= {"identifier", "relatesTo"}
        assert all(value.isascii() and value.isprintable() for _name, value in how.headers)


@thorough
@given(messages)
def test_a_planned_message_keeps_its_document_number(payload: bytes) -> None:
    for encounters in (None, SIGNED):
        case = case_of(payload, hl7=True, encounters=encounters)
        how = plan(case, bag_of(case, offered(), PARENT))
        if how.way is None:
            continue
        before, after = read_message(payload), read_message(how.body)
        assert after.get("TXA-12") == before.get("TXA-12") and how.body.endswith(b"\r") and b"\n" not in how.body
        kept = after.get("MSH-10") == before.get("MSH-10")
        assert kept == (how.way is Way.MESSAGE)
        assert how.way is Way.MESSAGE or after.get("TXA-13") == "N|77^&"


def test_the_header_of_another_version_is_the_only_change() -> None:
    case = case_of(message(), hl7=True)
    hl7 = Hl7Interface(host="ehr.example", port=2575, version="2.4")
    how = plan(replace(case, integration=replace(case.integration, hl7=hl7)), bag_of(case))
    assert how.body == message().replace(b"|2.5.1\r", b"|2.4\r", 1)
