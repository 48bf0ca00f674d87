"""Judge the acknowledgement of an HL7 v2 message: what it says, whether it came, and to which message."""

from datetime import timedelta

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.refusal import ARRIVED, Refusal, refusal_of
from diagnostics.checks.step2_write_back.framing import over_hl7
from diagnostics.evidence.case_parts import Clock, Settings
from diagnostics.evidence.logs import Attempt, NoteTrace
from diagnostics.evidence.payload import Hl7Message
from diagnostics.findings import Result
from diagnostics.identity import plain
from diagnostics.parsing.answers import read_answer
from diagnostics.parsing.hl7_tables import ERRORS
from diagnostics.vocabulary import Category, Step, Strength, WhoActs

_USUAL_WAIT = timedelta(seconds=30)
_NEGATIVE = {"AE": "an application error", "AR": "an application rejection", "CE": "a commit error",
             "CR": "a commit rejection"}  # fmt: skip


@check(
    id="hl7.ack.negative",
    step=Step.WRITE_BACK,
    title="The EHR's interface acknowledged the message as accepted",
    proves=causes.ACK_NEGATIVE,
    checklist=("WRITE.11",),
    applies=over_hl7,
)
def accepted(trace: NoteTrace, settings: Settings, sent: Hl7Message | None) -> Result:
    """The acknowledgement's own error code says who must act: sender, EHR team, or the EHR's vendor."""
    refusal = refusal_of(trace)
    if refusal is None or refusal.ack not in _NEGATIVE:
        positive = [a for a in trace.attempts if a.outcome == "accepted"]
        if positive:
            return passed("The message was acknowledged as accepted.", ack=positive[-1].ack)
        return not_applicable("No acknowledgement came that says no.")
    ack = refusal.answer.ack
    if _of_another(refusal, sent):
        return unknown("The refusal names another message in MSA-2: whether this one was refused is not known.",
                       get="the EHR's or the interface engine's rows of this note's control id")  # fmt: skip
    first = ack.worst if ack else None
    code = first.code if first else ""
    place = f" at {first.location[:20]}" if first and first.location else ""
    meaning = ERRORS.get(code)
    says = f"The interface answered {refusal.ack}, {_NEGATIVE[refusal.ack]}"
    says += f": error {code[:10]}{f' ({meaning})' if meaning else ''}{place}." if code else ", without an error code."
    category, who = _ROUTES.get(code, (None, None))
    emitter = ack.sender[:40] if ack else ""
    engine = _other_than_the_ehr(emitter, settings, sent)
    if engine:
        says += f" {emitter} spoke, not {engine}: an interface engine may refuse before the EHR sees a message."
        who = WhoActs.INTEGRATION_ENGINEER
    return failed(
        says,
        strength=Strength.DECISIVE if code in _OF_FORM else Strength.STRONG,
        category=category,
        who_acts=who,
        ack=refusal.ack,
        error_code=code or None,
        location=first.location[:20] if first else None,
        errors=[{"code": error.code[:10], "location": error.location[:20], "severity": error.severity}
                for error in ack.errors[:10]] if ack else [],
        emitter=emitter or None,
        at=refusal.at,
    )  # fmt: skip


def _of_another(refusal: Refusal, sent: Hl7Message | None) -> bool:
    """Tell whether the refusal was made for another message: its MSA-2 is none of this note's ids."""
    attempt = refusal.attempt
    if attempt is None:
        return False
    own = sent.message.get("MSH-10") if sent is not None else None
    asked, answered = _ids(attempt, own)
    return bool(asked and answered and plain(answered) not in (plain(asked), plain(own or asked)))


def _other_than_the_ehr(emitter: str, settings: Settings, sent: Hl7Message | None) -> str:
    """Return the receiver the message was meant for where MSH-3 of the answer names another application."""
    meant = settings.integration.hl7.receiving_application or (sent.message.get("MSH-5") if sent is not None else "")
    meant = meant.split("^", 1)[0].strip()
    return meant[:40] if emitter and meant and emitter.strip().lower() != meant.lower() else ""


# the codes of table 0357 that speak of the message itself: nothing else need be known
_OF_FORM = frozenset({"100", "101", "102", "103", "104", "200", "201", "202", "203"})
_ROUTES: dict[str, tuple[Category | None, WhoActs | None]] = {
    "204": (Category.FIELD_MAPPING, WhoActs.INTEGRATION_ENGINEER),
    "206": (Category.PERMISSIONS, WhoActs.PROVIDER),
    "207": (Category.EHR_DEFECT, WhoActs.EHR_TEAM),
    "100": (None, WhoActs.SCRIBE_VENDOR),
    "101": (None, WhoActs.SCRIBE_VENDOR),
    "102": (None, WhoActs.SCRIBE_VENDOR),
    "104": (None, WhoActs.SCRIBE_VENDOR),
}


@check(
    id="hl7.ack.missing",
    step=Step.WRITE_BACK,
    title="An acknowledgement came for the message",
    proves=causes.ACK_MISSING,
    checklist=("WRITE.11",),
    applies=over_hl7,
)
def came(trace: NoteTrace, clock: Clock, settings: Settings, sent: Hl7Message | None) -> Result:
    """Without an acknowledgement nobody knows whether the note arrived; sending again may file it twice."""
    last = trace.last
    if last is None:
        return not_applicable("Nothing was sent.")
    if last.outcome == "unreached":
        return not_applicable("The connection failed before the message was sent.")
    if last.outcome not in ("lost", "pending"):
        return passed("An acknowledgement came.", ack=last.ack)
    if sent is not None and _none_due(sent):
        return not_applicable("MSH-15 and MSH-16 ask for no acknowledgement, or for one of errors only.")
    patience = max(_USUAL_WAIT, timedelta(seconds=settings.integration.timeout_s))
    waited = clock.now - last.at
    if last.outcome == "pending" and waited < patience:
        return unknown("The message was sent a moment ago.", get="the acknowledgement, half a minute from now")
    if trace.failure_mode in ARRIVED:
        return warned("No acknowledgement came, and the note is in the chart: do not send it again.",
                      strength=Strength.WEAK, sent_at=last.at)  # fmt: skip
    if any(attempt.outcome == "accepted" for attempt in trace.attempts):
        return warned("An earlier attempt was acknowledged as accepted, and the last one had no answer: do not send it "
                      "again.", strength=Strength.WEAK, sent_at=last.at)  # fmt: skip
    seen = "The EHR's log shows that the message arrived." if _arrived(trace, last) else ""
    return failed(
        f"The message was sent and no acknowledgement came. {seen}".strip(),
        strength=Strength.STRONG,
        sent_at=last.at,
        attempts=len(trace.attempts),
    )


def _arrived(trace: NoteTrace, attempt: Attempt) -> bool:
    """Tell whether the EHR's log shows this very attempt: a row nearer to it than to any other.

    It must be nearer both with and without the clocks' estimated offset, which the same row may have given.
    """
    shifts = {timedelta(0), timedelta(seconds=trace.clock_offset_s or 0.0)}
    return any(
        all(min(trace.attempts, key=lambda one: abs(row.at - shift - one.at)) is attempt for shift in shifts)
        for row in trace.ehr("received")
    )


def _none_due(sent: Hl7Message) -> bool:
    """Tell whether silence is what was asked for: never (NE) or only on errors (ER); an empty one of the two is NE.

    With both empty the original mode holds, in which every message is answered (chapter 2).
    """
    values = {sent.message.get("MSH-15").upper(), sent.message.get("MSH-16").upper()} - {""}
    return bool(values) and values <= {"NE", "ER"}


@check(
    id="hl7.ack.mismatch",
    step=Step.WRITE_BACK,
    title="The acknowledgement belongs to the message that was sent",
    proves=causes.ACK_MISMATCH,
    checklist=("WRITE.11",),
    applies=over_hl7,
)
def belongs(trace: NoteTrace, sent: Hl7Message | None) -> Result:
    """A sender that takes the next message's answer for this one's calls a lost note delivered."""
    own = sent.message.get("MSH-10") if sent is not None else None
    pairs = [(a, *_ids(a, own)) for a in trace.attempts if a.answer is not None]
    known = [(a, asked, answered) for a, asked, answered in pairs if asked and answered]
    if not known:
        return not_applicable("The log does not say which message an acknowledgement was for.")
    right = [a for a, asked, answered in known if plain(answered) in (plain(asked), plain(own or asked))]
    wrong = [a for a, _, _ in known if a not in right]
    if not wrong:
        return passed("Every acknowledgement names the message it answers.", acknowledgements=len(known))
    if known[-1][0] in right:  # the last answer decides, and that one is this message's own
        return warned("An acknowledgement of an earlier attempt named another message; the last one is right.",
                      strength=Strength.WEAK, at=wrong[-1].at)  # fmt: skip
    if trace.failure_mode in ARRIVED:
        if all(a.answer is not None and a.answer.event == "acked" for a in wrong):
            return warned("An acknowledgement named another message, and the note is in the chart all the same.",
                          strength=Strength.WEAK, at=wrong[-1].at)  # fmt: skip
        return failed("The acknowledgement named another message, so the scribe took a filed note for a failed one.",
                      strength=Strength.MODERATE, at=wrong[-1].at, mismatches=len(wrong))  # fmt: skip
    return failed(
        "The acknowledgement taken for this note names another message in MSA-2.",
        strength=Strength.STRONG,
        at=wrong[-1].at,
        mismatches=len(wrong),
    )


def _ids(attempt: Attempt, own: str | None) -> tuple[str | None, str | None]:
    """Return the id that was sent (MSH-10) and the one that was answered (MSA-2)."""
    answer = attempt.answer
    said = answer.ack_id if answer else None
    if not said and attempt.error:
        ack = read_answer(attempt.error).ack
        said = ack.control_id if ack else None
    return attempt.sent.transaction_id or own, said or None


@check(
    id="hl7.ack.commit_only",
    step=Step.WRITE_BACK,
    title="The EHR itself confirmed the message, not only the interface engine",
    proves=causes.ACK_COMMIT_ONLY,
    checklist=("WRITE.11",),
    applies=over_hl7,
)
def confirmed(trace: NoteTrace, sent: Hl7Message | None, clock: Clock) -> Result:
    """A commit acknowledgement means that the engine has stored the message; the EHR has said nothing yet."""
    acks = [a for a in trace.attempts if a.ack]
    if not acks:
        return not_applicable("No acknowledgement is in the log.")
    codes = {str(a.ack).upper() for a in acks}
    if codes != {"CA"}:
        return passed("The acknowledgement is the application's own.", acks=sorted(codes))
    if trace.ehr("filed") or trace.failure_mode in ARRIVED:
        return passed("Only the engine's acknowledgement came, and the note is in the chart.")
    asked = sent.message.get("MSH-16").upper() if sent is not None else ""
    if asked in ("NE", "ER") and not trace.has_ehr_log:
        return not_applicable("MSH-16 asks for no acknowledgement of the application, or for one of errors only.")
    waited = clock.now - acks[-1].at
    if waited < timedelta(minutes=15):
        return unknown("Only the engine's acknowledgement has come so far.", get="the EHR's own acknowledgement")
    return failed(
        "The interface engine stored the message (CA), and the EHR never confirmed it.",
        strength=Strength.MODERATE,  # a site may confirm nothing further by design
        sent_at=acks[-1].at,
        application_ack_due=asked in ("AL", "SU"),
    )
