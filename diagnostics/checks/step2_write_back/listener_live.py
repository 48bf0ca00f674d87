"""Judge how the EHR's HL7 v2 interface answers a message for the test patient now."""

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.step2_write_back.framing import over_hl7
from diagnostics.evidence.hl7 import CanaryMessage
from diagnostics.findings import Result
from diagnostics.parsing.hl7_tables import ERRORS
from diagnostics.vocabulary import Step, Strength


def _unsent(canary: CanaryMessage) -> Result | None:
    if canary.state == "earlier":
        return unknown("The test message was sent by an interrupted run and is not sent again.")
    if canary.state == "unreached":
        says = canary.fault.says if canary.fault else "no connection"
        return unknown(f"The test message could not be sent: {says}.", get="a connection to the interface")
    return None


@check(
    id="hl7.ack.negative.canary",
    step=Step.WRITE_BACK,
    title="The EHR's interface takes a message for the test patient",
    hints=causes.ACK_NEGATIVE,
    strength=Strength.MODERATE,
    checklist=("WRITE.5", "WRITE.11"),
    applies=over_hl7,
)
def canary_is_accepted(canary: CanaryMessage) -> Result:
    """A refusal of a plain test message speaks of the interface, not of this note's text."""
    unsent = _unsent(canary)
    if unsent is not None:
        return unsent
    if canary.ack in ("AA", "CA"):
        return passed("The test message was accepted.", ack=canary.ack)
    if canary.ack is None:
        return not_applicable("No acknowledgement came.")
    codes = [f"{code} ({ERRORS[code]})" if code in ERRORS else code for code in canary.errors if code]
    because = f", error {', '.join(codes)}" if codes else ""
    return failed(
        f"The interface refused the test message with {canary.ack}{because}.",
        condemns=(canary,),
        ack=canary.ack,
        codes=canary.errors,
        at_fields=canary.error_locations,
        emitter=canary.emitter,
    )


@check(
    id="hl7.ack.missing.canary",
    step=Step.WRITE_BACK,
    title="The EHR's interface acknowledges a test message",
    hints=causes.ACK_MISSING,
    checklist=("WRITE.11",),
    applies=over_hl7,
)
def canary_is_acknowledged(canary: CanaryMessage) -> Result:
    """An interface that takes a message and says nothing leaves every sender guessing."""
    unsent = _unsent(canary)
    if unsent is not None:
        return unsent
    if canary.state == "unanswered":
        return failed("The interface took the test message and sent no acknowledgement.", condemns=(canary,),
                      fault=canary.fault.kind if canary.fault else "")  # fmt: skip
    return passed("An acknowledgement came.", ack=canary.ack)


@check(
    id="hl7.ack.mismatch.canary",
    step=Step.WRITE_BACK,
    title="The interface's acknowledgement names the test message",
    hints=causes.ACK_MISMATCH,
    strength=Strength.MODERATE,
    checklist=("WRITE.11",),
    applies=over_hl7,
)
def canary_is_named(canary: CanaryMessage) -> Result:
    """An acknowledgement for another message makes a sender count the wrong note as delivered."""
    unsent = _unsent(canary)
    if unsent is not None:
        return unsent
    if canary.state == "mismatched":
        return failed("The acknowledgement names another message in MSA-2.", condemns=(canary,), ack=canary.ack)
    return passed("No acknowledgement named another message.", state=canary.state)


@check(
    id="hl7.mllp.framing.canary",
    step=Step.WRITE_BACK,
    title="The interface frames its acknowledgements",
    hints=causes.MLLP_FRAMING,
    strength=Strength.MODERATE,
    checklist=("WRITE.8",),
    applies=over_hl7,
)
def answers_are_framed(canary: CanaryMessage) -> Result:
    """An answer without its frame looks like silence to most senders, and they send again."""
    unsent = _unsent(canary)
    if unsent is not None:
        return unsent
    if canary.state == "misframed":
        return failed("The interface answers outside the MLLP frame.", condemns=(canary,), ack=canary.ack)
    return passed("The answer stood in its frame.", state=canary.state)
