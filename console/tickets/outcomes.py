"""Say in one sentence how something that the console tried went. Pure: documents and evidence in, words out.

What is said names statuses, codes and times; never a patient, a note's text or a token.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.fhir import CanaryWrite
from diagnostics.evidence.hl7 import CanaryMessage
from diagnostics.evidence.network import HttpAnswer

GOOD, BAD, OPEN = "good", "bad", "open"
Document = Mapping[str, Any]

# What a document written for the test patient cannot show: where the sections of a real note end up.
_NEEDS_A_NOTE = frozenset({"field_mapping", "template_conflict"})


@dataclass(frozen=True)
class Said:
    """Be how it went: good, bad or open, and the sentence that says so."""

    outcome: str
    says: str


@dataclass(frozen=True)
class Beside:
    """Be one check that had failed, before the fix and after it."""

    check: str
    title: str
    before: str
    after: str  # a status, or "" where the later run could not look

    @property
    def is_good(self) -> bool:
        """Tell whether it passes now."""
        return self.after == "passed"

    @property
    def is_bad(self) -> bool:
        """Tell whether it still fails."""
        return self.after == "failed"


def of_token(evidence: Iterable[Evidence]) -> Said:
    """Say what the token server answered."""
    answer = next((each for each in evidence if isinstance(each, TokenAnswer)), None)
    if answer is None:
        return Said(OPEN, "No token was asked for: the token server could not be reached, or this flow has none.")
    if answer.granted:
        lives = f", valid for {_lasting(answer.expires_in)}" if answer.expires_in else ""
        return Said(GOOD, f"The token server gave a token{lives}.")
    return Said(BAD, f"The token server gave no token: {_answered(answer.answer, answer.problem)}")


def of_canary(evidence: Iterable[Evidence]) -> Said:
    """Say what became of the test document or test message."""
    for each in evidence:
        if isinstance(each, CanaryWrite):
            return _written(each)
        if isinstance(each, CanaryMessage):
            return _acknowledged(each)
    return Said(OPEN, "Nothing was written: what comes before a write (connection, token) did not work. See the steps.")


def of_place(document: Document, place: str) -> Said:
    """Say whether the endpoints can be reached from a segment."""
    failed = [check for check in _checks(document) if check["status"] == "failed"]
    if failed:
        return Said(BAD, f"From {place}: {_sentence(failed[0])}")
    if any(check["status"] == "passed" for check in _checks(document)):
        return Said(GOOD, f"From {place} every connection, certificate and answer that was looked at is in order.")
    return Said(OPEN, f"From {place} nothing could be looked at.")


def of_confirmation(before: Document | None, after: Document, evidence: Collection[Evidence]) -> Said:
    """Say whether a diagnosis made after a fix shows that what was found before is gone.

    That nothing fails is not enough: a check that had failed must pass now, or a test document must have arrived.
    """
    root = after.get("root_cause")
    if root:
        return Said(BAD, f"Not fixed: {root['title']}.")
    pairs = beside(before, after)
    still = next((pair for pair in pairs if pair.is_bad), None)
    if still is not None:
        return Said(BAD, f"Not fixed: “{still.title}” still fails.")
    new = [check for check in _checks(after) if check["status"] == "failed"]
    if new:
        return Said(BAD, f"Something else fails now: {_sentence(new[0])}")
    written = of_canary(evidence)
    if written.outcome == BAD:
        return written
    passed = [pair for pair in pairs if pair.is_good]
    if passed:
        more = f" and {len(passed) - 1} more" if len(passed) > 1 else ""
        canary = " A test document was written and read back." if written.outcome == GOOD else ""
        return Said(GOOD, f"What failed before passes now: “{passed[0].title}”{more}.{canary}")
    category = ((before or {}).get("root_cause") or {}).get("category", "")
    if written.outcome == GOOD and category not in _NEEDS_A_NOTE:
        return Said(GOOD, f"Nothing fails any more. {written.says}")
    return Said(
        OPEN,
        "Nothing fails any more, but what had failed can only be seen with a note. "
        "Look for the next note in the chart, then set its end.",
    )


def beside(before: Document | None, after: Document | None) -> tuple[Beside, ...]:
    """Give every check that had failed, with what the later run says of it; in the order of the steps."""
    now = {check["id"]: check["status"] for check in _checks(after or {})}
    return tuple(
        Beside(check["id"], str(check.get("title") or check["id"]), check["status"], _decided(now.get(check["id"], "")))
        for check in _checks(before or {})
        if check["status"] == "failed"
    )


def _decided(status: str) -> str:
    return status if status in ("passed", "failed", "warning", "blocked") else ""


def _checks(document: Document) -> list[Mapping[str, Any]]:
    return [check for step in document.get("steps", ()) for check in step["checks"]]


def _sentence(check: Mapping[str, Any]) -> str:
    return str(check.get("says") or check.get("title") or check["id"])


def _written(canary: CanaryWrite) -> Said:
    kept = "" if canary.withdrawn else " It could not be marked entered in error: ask the EHR team to remove it."
    match canary.state:
        case "written" if canary.found:
            return Said(GOOD, f"A test document was written and read back.{kept}")
        case "written":
            return Said(OPEN, "The EHR took the test document, but it was not found when it was read back.")
        case "refused":
            return Said(BAD, f"The EHR refused the test document: {_answered(canary.answer)}")
        case "earlier":
            found = f"It was found.{kept}" if canary.found else "It was not found."
            return Said(OPEN, f"The worker was interrupted while it wrote the test document. {found} Try it again.")
    return Said(OPEN, "Whether the test document was written is unknown: the answer was lost. It was not sent again.")


def _acknowledged(message: CanaryMessage) -> Said:
    codes = f" ({', '.join(message.errors)})" if message.errors else ""
    if message.state == "acknowledged" and message.ack in ("AA", "CA"):
        filed = "" if message.ack == "AA" else " CA says that it was stored, not that it was filed."
        return Said(GOOD if message.ack == "AA" else OPEN, f"The test message was answered with {message.ack}.{filed}")
    if message.state == "acknowledged":
        return Said(BAD, f"The test message was answered with {message.ack}{codes}.")
    if message.state == "mismatched":
        return Said(BAD, "The answer to the test message names another message.")
    if message.state == "misframed":
        return Said(BAD, "The answer to the test message was not framed as MLLP asks.")
    if message.state == "unreached":
        return Said(BAD, "The test message was not sent: the interface could not be reached.")
    return Said(OPEN, "No answer came to the test message; whether it was taken is unknown. It was not sent again.")


def _answered(answer: HttpAnswer | None, problem: str = "") -> str:
    if answer is None:
        return "no answer came."
    if answer.fault is not None:
        return f"{answer.fault.says or answer.fault.kind.replace('_', ' ')}."
    return f"it answered {answer.status}{f' ({problem})' if problem else ''}."


def _lasting(seconds: float) -> str:
    return f"{round(seconds / 60)} min" if seconds >= 120 else f"{round(seconds)} s"
