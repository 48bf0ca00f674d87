"""Judge the acknowledgement of an HL7 v2 message: what it says, whether it came, and to which message."""

from datetime import timedelta

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.refusal import ARRIVED, refusal_of
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
def accepted(trace: NoteTrace) -> Result:
    """The acknowledgement's own error code says who must act: sender, EHR team, or the EHR's vendor."""
    refusal = refusal_of(trace)
    if refusal is None or refusal.ack not in _NEGATIVE:
        positive = [a for a in trace.attempts if a.outcome == "accepted"]
        if positive:
            return passed("The message was acknowledged as accepted.", ack=positive[-1].ack)
        return not_applicable("No acknowledgement came that says no.")
    errors = refusal.answer.ack.errors if refusal.answer.ack else ()
    first = next((e for e in errors if e.code and e.code != "0"), None)
    code = first.code if first else ""
    place = f" at {first.location[:20]}" if first and first.location else ""
    meaning = ERRORS.get(code)
    says = f"The interface answered {refusal.ack}, {_NEGATIVE[refusal.ack]}"
    says += f": error {code[:10]}{f' ({meaning})' if meaning else ''}{place}." if code else ", without an error code."
    emitter = refusal.answer.ack.sender[:40] if refusal.answer.ack else None
    category, who = _ROUTES.get(code, (None, None))
    sure = Strength.DECISIVE if meaning and code != "207" else Strength.STRONG
    return failed(
        says,
        strength=sure,
        category=category,
        who_acts=who,
        ack=refusal.ack,
        error_code=code or None,
        location=first.location[:20] if first else None,
        emitter=emitter,
        at=refusal.at,
    )


_ROUTES: dict[str, tuple[Category | None, WhoActs | None]] = {
    "204": (Category.FIELD_MAPPING, WhoActs.INTEGRATION_ENGINEER),
    "206": (Category.PERMISSIONS, WhoActs.PROVIDER),
    "207": (Category.EHR_DEFECT, WhoActs.EHR_TEAM),
    "100": (None, WhoActs.SCRIBE_VENDOR),
    "101": (None, WhoActs.SCRIBE_VENDOR),
    "102": (None, WhoActs.SCRIBE_VENDOR),
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
        return not_applicable("MSH-15 and MSH-16 say that no acknowledgement is due.")
    patience = max(_USUAL_WAIT, timedelta(seconds=settings.integration.timeout_s))
    waited = clock.now - last.at
    if last.outcome == "pending" and waited < patience:
        return unknown("The message was sent a moment ago.", get="the acknowledgement, half a minute from now")
    if trace.failure_mode in ARRIVED:
        return warned("No acknowledgement came, and the note is in the chart: do not send it again.",
                      strength=Strength.WEAK, sent_at=last.at)  # fmt: skip
    seen = "The EHR's log shows that the message arrived." if trace.ehr("received") else ""
    return failed(
        f"The message was sent and no acknowledgement came. {seen}".strip(),
        strength=Strength.STRONG,
        sent_at=last.at,
        attempts=len(trace.attempts),
    )


def _none_due(sent: Hl7Message) -> bool:
    values = {sent.message.get("MSH-15").upper(), sent.message.get("MSH-16").upper()} - {""}
    return values == {"NE"}


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
    wrong = [a for a, asked, answered in known if plain(asked) != plain(answered)]
    if not wrong:
        return passed("Every acknowledgement names the message it answers.", acknowledgements=len(known))
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
    due = sent is not None and sent.message.get("MSH-16").upper() == "AL"
    waited = clock.now - acks[-1].at
    if waited < timedelta(minutes=15):
        return unknown("Only the engine's acknowledgement has come so far.", get="the EHR's own acknowledgement")
    says = "The interface engine stored the message (CA), and the EHR never confirmed it."
    strength = Strength.STRONG if due or trace.has_ehr_log else Strength.MODERATE
    return failed(says, strength=strength, sent_at=acks[-1].at, application_ack_due=due)
