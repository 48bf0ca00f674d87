"""The interface's answer to a test message: every check reaches passed and failed."""

import pytest

from diagnostics.evidence.hl7 import CanaryMessage
from diagnostics.vocabulary import Outcome
from tests.diagnostics.checks.seen import fault, judged
from tests.diagnostics.stories import case, integration

PASSED, FAILED, UNKNOWN, NA = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN, Outcome.NOT_APPLICABLE
TAKEN = CanaryMessage(state="acknowledged", ack="AA", ack_id="1")
HL7 = case(integration=integration(protocol="hl7v2"))


@pytest.mark.parametrize(
    ("check", "seen", "status"),
    [
        ("hl7.ack.negative.canary", TAKEN, PASSED),
        ("hl7.ack.negative.canary", CanaryMessage(state="acknowledged", ack="AR", errors=("203", "")), FAILED),
        ("hl7.ack.negative.canary", CanaryMessage(state="unanswered"), NA),
        ("hl7.ack.missing.canary", TAKEN, PASSED),
        ("hl7.ack.missing.canary", CanaryMessage(state="unanswered", fault=fault("timeout_first_byte")), FAILED),
        ("hl7.ack.mismatch.canary", TAKEN, PASSED),
        ("hl7.ack.mismatch.canary", CanaryMessage(state="mismatched", ack="AA", ack_id="9"), FAILED),
        ("hl7.mllp.framing.canary", TAKEN, PASSED),
        ("hl7.mllp.framing.canary", CanaryMessage(state="misframed", ack="AA"), FAILED),
        *[
            (f"hl7.{check}.canary", CanaryMessage(state=state, fault=fault("refused", "tcp")), UNKNOWN)
            for check in ("ack.negative", "ack.missing", "ack.mismatch", "mllp.framing")
            for state in ("unreached", "earlier")
        ],
    ],
)
def test_the_answer_to_a_test_message_is_judged(check: str, seen: CanaryMessage, status: Outcome) -> None:
    assert judged(check, seen, of=HL7).status is status
    assert judged(check, seen, of=case()).status is NA
