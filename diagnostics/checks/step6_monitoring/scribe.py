"""Judge whether the AI scribe itself is why the note is not, or not only once, in the chart (domain.md 2.7)."""

from datetime import timedelta

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.evidence.logs import NoteTrace
from diagnostics.findings import Result
from diagnostics.tracing.triage import copies, same_content
from diagnostics.vocabulary import FailureMode, Step, Strength


@check(
    id="scribe.note.not_generated",
    step=Step.MONITORING,
    title="The AI scribe generated the note",
    proves=causes.NOTE_NOT_GENERATED,
)
def generated(trace: NoteTrace) -> Result:
    """A note that was never generated is no sync failure: the recording or its approval is where to look."""
    if not trace.has_scribe_log:
        return unknown("The AI scribe's log is not at hand.", get=NoteTrace.how_to_get)
    if trace.failure_mode is FailureMode.NOT_GENERATED:
        strength = Strength.DECISIVE if trace.has_ehr_log else Strength.STRONG
        return failed(
            "The AI scribe's log holds no row of this note, and the EHR received nothing of it.",
            strength=strength,
            scribe_rows=0,
            ehr_rows=len(trace.ehr_rows),
        )
    if trace.rows:
        return passed("The AI scribe's log follows the note.", scribe_rows=len(trace.rows), since=trace.rows[0].at)
    return unknown("No row of the AI scribe's log names this note.", get=NoteTrace.how_to_get)


@check(
    id="scribe.note.not_sent",
    step=Step.MONITORING,
    title="The AI scribe tried to send the note",
    proves=causes.NOTE_NOT_SENT,
)
def tried(trace: NoteTrace) -> Result:
    """A note that waits in the scribe without any attempt needs the scribe vendor, not the EHR team."""
    if not trace.has_scribe_log:
        return unknown("The AI scribe's log is not at hand.", get=NoteTrace.how_to_get)
    if trace.attempts or trace.tokens:
        if trace.failure_mode is FailureMode.NEVER_SENT and not trace.attempts and all(t.ok for t in trace.tokens):
            return failed(
                "A token was granted, but the note was never sent with it.",
                strength=Strength.STRONG,
                token_at=trace.tokens[-1].at,
            )
        return passed("An attempt was made.", attempts=len(trace.attempts), token_requests=len(trace.tokens))
    if trace.failure_mode is not FailureMode.NEVER_SENT:
        return not_applicable("The note is not one that was left unsent.")
    errors = [row for row in trace.rows if row.error]
    if errors:
        return failed(
            "The AI scribe logged an error before it made any attempt.", strength=Strength.STRONG, at=errors[0].at
        )
    return failed(
        "The note was generated, and the log shows no token request, no attempt to send and no error after that.",
        strength=Strength.DECISIVE if trace.has_ehr_log else Strength.STRONG,
        generated_at=trace.rows[0].at if trace.rows else None,
        last_event=trace.rows[-1].event if trace.rows else None,
        ehr_rows=len(trace.ehr_rows),
    )


@check(
    id="scribe.retry.duplicate",
    step=Step.MONITORING,
    title="The note was filed once",
    proves=causes.RETRY_DUPLICATE,
)
def filed_once(trace: NoteTrace) -> Result:
    """Two copies of one note in a legal record are worse than a late one."""
    filed = copies(trace.ehr_rows) if trace.ehr("filed") else 0
    if not filed:
        return unknown("The EHR's log shows no filing of this note.", get="the EHR's audit rows of this note")
    if filed == 1:
        return passed("The EHR's log shows one filed document.", documents=1, attempts=len(trace.attempts))
    sent = [a for a in trace.attempts if a.outcome != "unreached"]
    if not same_content(trace.ehr("filed")):
        return not_applicable("Several documents were filed, and their content differs: no copy.", documents=filed)
    if trace.failure_mode is not FailureMode.DUPLICATE:
        return failed(
            f"The EHR filed {filed} documents of the note, and not all where it belongs.",
            strength=Strength.STRONG,
            documents=filed,
            attempts=len(sent),
        )
    if len(sent) < 2:
        return failed(
            "The EHR filed the note more than once, although the AI scribe's log shows one sending.",
            strength=Strength.STRONG,
            documents=filed,
            attempts=len(sent),
        )
    return failed(
        f"The AI scribe sent the note {len(sent)} times and the EHR filed {filed} documents.",
        documents=filed,
        attempts=len(sent),
        first_sent_at=sent[0].at,
        last_sent_at=sent[-1].at,
    )


@check(
    id="scribe.timeout.short",
    step=Step.MONITORING,
    title="The AI scribe waited long enough for the answer",
    proves=causes.TIMEOUT_SHORT,
)
def waited(trace: NoteTrace) -> Result:
    """A scribe that gives up before the EHR has answered reports a failure that is none, and may send twice."""
    lost = [a for a in trace.attempts if a.outcome == "lost" and a.answer is not None]
    if not lost:
        return not_applicable("No attempt ended without an answer.")
    decided = [*trace.ehr("accepted"), *trace.ehr("filed")]
    if not decided:
        return unknown("The EHR's log does not show what became of the attempt.", get="the EHR's audit rows")
    shift = timedelta(seconds=trace.clock_offset_s or 0.0)
    others_only = True
    for attempt in lost:
        gave_up = attempt.answer.at if attempt.answer else attempt.at
        # What the EHR decided once a later attempt was under way may speak of that one.
        later = min((a.at for a in trace.attempts if a.at > attempt.at), default=None)
        own = [row.at - shift for row in decided if later is None or row.at - shift < later]
        others_only = others_only and not own
        late = [at for at in own if at > gave_up]
        if late:
            return failed(
                "The EHR accepted the note after the AI scribe had stopped waiting for the answer.",
                gave_up_at=gave_up,
                accepted_at=min(late),
                waited_s=round((gave_up - attempt.at).total_seconds(), 1),
                needed_s=round((min(late) - attempt.at).total_seconds(), 1),
            )
    if others_only:
        return not_applicable("What the EHR decided may be about a later attempt.")
    return passed("The EHR had decided before the AI scribe gave up; the answer was lost on its way.")
