"""Ready words for the provider whose note is missing: what happened, is the note safe, what to do. No cause's jargon.

A provider reads three sentences between two patients. The words name no patient, no note and no vendor, so that they
can be pasted into any message.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from console.notes.models import FailureMode
from console.tickets.models import TicketNote, TicketState, WaitingFor

_HAPPENED: Mapping[str, str] = {
    FailureMode.NOT_GENERATED: "The AI scribe made no note of the visit.",
    FailureMode.NEVER_SENT: "Your note was made, but it did not leave the AI scribe.",
    FailureMode.REJECTED: "Your note was sent, but the chart system did not take it.",
    FailureMode.MISPLACED: "Your note was filed, but not where it belongs.",
    FailureMode.PARTIAL: "Your note was filed, but a part of it is missing.",
    FailureMode.DUPLICATE: "Your note was filed more than once.",
    FailureMode.DELAYED: "Your note arrived in the chart later than usual.",
    FailureMode.DELIVERED: "Your note is in the chart.",
}
_UNCLEAR = "Your note was reported missing from the chart, and we are finding out where it stopped."

_SAFE: Mapping[str, str] = {
    FailureMode.NOT_GENERATED: "There is no text to recover from the scribe.",
    FailureMode.NEVER_SENT: "The note is safe: its text is kept by the AI scribe.",
    FailureMode.REJECTED: "The note is safe: its text is kept by the AI scribe.",
    FailureMode.MISPLACED: "The text is not lost, but do not rely on the chart for this visit until we have told you.",
    FailureMode.PARTIAL: "The whole text is kept by the AI scribe; the chart does not hold all of it.",
    FailureMode.DUPLICATE: "The note is safe, and every copy says the same unless one was edited since.",
    FailureMode.DELAYED: "The note is safe.",
    FailureMode.DELIVERED: "The note is safe.",
}
_SAFETY_UNKNOWN = "We do not know yet whether the text is complete; do not delete your own notes of the visit."


@dataclass(frozen=True)
class ProviderText:
    """Be the three answers."""

    happened: str
    safe: str
    to_do: str

    @property
    def text(self) -> str:
        """Give them as one text to copy."""
        return f"What happened: {self.happened}\nIs the note safe: {self.safe}\nWhat you need to do: {self.to_do}\n"


def provider_text(
    *, mode: str, state: str, waiting_for: str = "", ends: Collection[str] = (), wrong_patient: bool = False
) -> ProviderText:
    """Write the text for a ticket's failure mode, its state and how its notes ended."""
    many = len(ends) > 1
    happened = _HAPPENED.get(mode, _UNCLEAR)
    safe = _SAFE.get(mode, _SAFETY_UNKNOWN)
    if wrong_patient:
        happened = "A note was filed in the chart of another patient."
        safe = "The text is not lost. Do not use either chart's note of this visit until it has been corrected."
    to_do = _to_do(mode, state, waiting_for, ends, wrong_patient)
    if many and mode in _HAPPENED:
        happened += f" This concerns {len(ends)} notes."
    return ProviderText(happened, _settled(ends) or safe, to_do)


def _settled(ends: Collection[str]) -> str:
    """Say what is known where every note has its end."""
    kinds = set(ends)
    if not kinds or TicketNote.End.WAITING in kinds:
        return ""
    if kinds == {TicketNote.End.IN_CHART}:
        return "The note is in the chart." if len(ends) == 1 else "All notes are in the chart."
    if kinds == {TicketNote.End.BY_HAND}:
        return "It was entered by hand." if len(ends) == 1 else "All notes were entered by hand."
    if kinds == {TicketNote.End.NOT_NEEDED}:
        return "It was found that no note is needed."
    return "Every note is in the chart, was entered by hand, or is not needed."


def _to_do(mode: str, state: str, waiting_for: str, ends: Collection[str], wrong_patient: bool) -> str:
    waiting = not ends or TicketNote.End.WAITING in ends
    over = state in (TicketState.RESOLVED, TicketState.CLOSED)
    if over and not waiting:
        return "Nothing. Please open the chart once and see that the note reads as you meant it."
    if over:
        return "Nothing more."
    if state == TicketState.WAITING and waiting_for == WaitingFor.PROVIDER:
        return "We are waiting for your answer; please reply to the help desk."
    if wrong_patient:
        return "Do not copy or sign it. The help desk has it corrected and tells you when that is done."
    if not waiting:
        return "Nothing. We are still finding out why it happened."
    match mode:
        case FailureMode.NOT_GENERATED:
            return "Please write the note yourself while you remember the visit."
        case FailureMode.MISPLACED:
            return "Do not copy it yourself, or it may be there twice. Wait until the help desk tells you."
        case FailureMode.PARTIAL:
            return "If you need the missing part now, add it by hand and tell the help desk; otherwise wait."
        case FailureMode.DUPLICATE:
            return "Do not sign or delete a copy yourself. Wait until the help desk tells you which one stays."
        case FailureMode.DELAYED | FailureMode.DELIVERED:
            return "Nothing."
        case FailureMode.NEVER_SENT | FailureMode.REJECTED:
            if state == TicketState.FIXED:
                return "Wait a little longer: the fault was mended, and we are checking that the note arrives."
            return (
                "Wait until the help desk tells you: please do not dictate it again. "
                "If the note is needed for care today, enter it by hand and tell the help desk."
            )
    return "Wait until the help desk tells you. If the note is needed for care today, enter it by hand and tell us."
