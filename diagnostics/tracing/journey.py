"""Draw a note's way through the five stages: what went well, where it broke, what was not reached."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from diagnostics.findings import JourneyStage
from diagnostics.tracing.known import Known, Verdict
from diagnostics.vocabulary import FailureMode, Stage, StageState


def journey(f: Known, verdict: Verdict) -> tuple[JourneyStage, ...]:
    """Return the five stages; those before the break went well, those after it were not reached."""
    at = _times(f)
    order = list(Stage)
    broke = verdict.broke_at
    reached = _furthest(f, verdict)
    stages = []
    for stage in order:
        if broke is not None and stage is broke:
            state = StageState.UNKNOWN if verdict.mode is FailureMode.UNKNOWN else StageState.BROKEN
            if verdict.mode is FailureMode.DELAYED and verdict.missing:
                state = StageState.UNKNOWN
        elif broke is not None and order.index(stage) > order.index(broke):
            state = StageState.UNKNOWN if verdict.mode is FailureMode.UNKNOWN else StageState.NOT_REACHED
        elif broke is None and verdict.mode is FailureMode.UNKNOWN:
            state = StageState.OK if reached is not None and order.index(stage) <= reached else StageState.UNKNOWN
        else:
            state = StageState.OK
        stages.append(JourneyStage(stage, state, at.get(stage), _says(stage, f)))
    return tuple(stages)


def _furthest(f: Known, verdict: Verdict) -> int | None:
    if f.attempts:
        return 2
    return 0 if f.generated and verdict.mode is not FailureMode.UNKNOWN else None


def _times(f: Known) -> dict[Stage, datetime]:
    at: dict[Stage, datetime] = {}

    def first(stage: Stage, moments: Iterable[datetime | None]) -> None:
        found = [m for m in moments if m is not None]
        if found:
            at[stage] = min(found)

    rows = f.match.scribe
    first(Stage.GENERATED, [r.at for r in rows if r.event == "generated"] or [f.note.generated_at])
    first(Stage.PACKAGED, [r.at for r in rows if r.event == "packaged"])
    first(Stage.SENT, [a.at for a in f.attempts])
    shift = timedelta(seconds=f.offset)
    answers = [a.answer.at for a in f.attempts if a.answer and a.outcome in ("accepted", "rejected")]
    first(Stage.ACCEPTED, answers or [r.at - shift for r in f.seen("accepted", "rejected")])
    first(Stage.FILED, [r.at - shift for r in f.seen("filed")] or [f.filed.at if f.filed and f.filed.found else None])
    return at


def _says(stage: Stage, f: Known) -> str:
    """Say in a few words what happened at a stage, without any text of the note."""
    if stage is Stage.GENERATED:
        return "AI scribe"
    if stage is Stage.SENT and f.attempts:
        last = f.attempts[-1]
        count = len(f.attempts)
        tries = f" · {count} attempts" if count > 1 else ""
        return f"{last.sent.method or 'sent'}{tries}"
    if stage is Stage.ACCEPTED and f.attempts:
        last = f.attempts[-1]
        answer = last.ack or (str(last.status) if last.status else "")
        return answer or {"unreached": "no connection", "lost": "no answer", "pending": "no answer yet"}.get(
            last.outcome, ""
        )
    if stage is Stage.FILED:
        if f.seen("filed") or (f.filed is not None and f.filed.found):
            return "in the chart"
        if f.ehr is not None:
            return "no EHR audit entry" if not f.match.ehr else "not filed"
    return ""
