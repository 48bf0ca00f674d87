"""A vendor's own codes in an acknowledgement: by surface, wherever the interface writes them."""

from typing import Any

import pytest

from diagnostics.case import Case
from diagnostics.vocabulary import Outcome, Strength
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import judged
from tests.diagnostics.checks.step2.payloads import sent_and

CHECK = "hl7.ack.negative.vendor"


def answered(msa: str, *err: str, vendor: str = "eclinicalworks", ack: str = "AE", **more: Any) -> Case:
    """Return an HL7 case answered by this acknowledgement."""
    text = "\r".join(["MSH|^~\\&|EHR|N|SCRIBE|N|20260302||ACK|A1|P|2.5.1", msa, *err])
    setting = {"vendor": vendor, "protocol": "hl7v2"} | more
    return stories.case(sent_and(ack=ack, error=text), integration=stories.integration(**setting))


@pytest.mark.parametrize(
    ("case", "cause", "strength"),
    [
        (answered("MSA|AE|tx-1|304 - Encounter not found"), "map.encounter.mismatch", Strength.DECISIVE),
        (
            answered("MSA|AE|tx-1", "ERR|||207^x^HL70357|E|303^linkage^99ECW"),
            "map.encounter.mismatch",
            Strength.DECISIVE,
        ),
        (answered("MSA|AE|tx-1", "ERR|||207|E||||[307] OBR segment missing"), "hl7.grammar.missing", Strength.DECISIVE),
        (answered("MSA|AR|tx-1|Error 306: Missing PROG identifier", ack="AR"), "hl7.grammar.missing", Strength.STRONG),
        (answered("MSA|AE|tx-1|305 Exception occurred"), "ehr.server.error", Strength.STRONG),
    ],
)
def test_a_code_of_the_interface_names_its_cause(case: Case, cause: str, strength: Strength) -> None:
    found = judged(CHECK, case)
    assert (found.status, found.strength) == (Outcome.FAILED, strength), found.says
    assert found.cause is not None and found.cause.id == cause


@pytest.mark.parametrize(
    ("case", "status"),
    [
        (answered("MSA|AE|tx-1|139 locked"), Outcome.PASSED),  # a code of the write-back, not of the interface
        (answered("MSA|AE|tx-1|Encounter 304 was not found"), Outcome.PASSED),  # a number within words is no code
        (answered("MSA|AE|tx-1|Not accepted"), Outcome.PASSED),
        (answered("MSA|AE|tx-9|304 - Encounter not found"), Outcome.UNKNOWN),  # another message's refusal
        (answered("MSA|AA|tx-1", ack="AA"), Outcome.PASSED),
        (answered("MSA|AE|tx-1|304 - Encounter not found", vendor="meditech"), Outcome.NOT_APPLICABLE),
        (answered("MSA|AE|tx-1|304 - Encounter not found", protocol="fhir"), Outcome.NOT_APPLICABLE),
    ],
)
def test_what_is_no_code_of_this_interface_says_nothing(case: Case, status: Outcome) -> None:
    assert judged(CHECK, case).status is status


def test_a_code_added_for_one_integration_counts_there() -> None:
    own = {
        "codes": [{"surface": "hl7", "code": "8801", "says": "the visit is on hold", "cause": "perm.encounter.closed"}]
    }
    found = judged(CHECK, answered("MSA|AE|tx-1|8801: on hold", vendor="meditech", vendor_profile=own))
    assert found.status is Outcome.FAILED and found.cause is not None and found.cause.id == "perm.encounter.closed"
