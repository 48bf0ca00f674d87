"""Say what became of a note from two logs and what the chart holds: the failure mode and the journey. Pure.

The decision table is domain.md section 5; row numbers stand beside the branches. What the content of the chart says
beyond ids (wrong section, truncated) is judged by the checks of step 3 and joined in `diagnostics.conclude`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from diagnostics.case import Note
from diagnostics.evidence.case_parts import Filed
from diagnostics.evidence.logs import Attempt, EhrRow, NoteTrace, ScribeRow
from diagnostics.identity import differs, plain, plains
from diagnostics.tracing.attempts import numbered, pair
from diagnostics.tracing.content import plain_fields
from diagnostics.tracing.journey import journey
from diagnostics.tracing.known import Known, Verdict
from diagnostics.tracing.match import clock_offset, ehr_rows_of, scribe_rows_of
from diagnostics.vocabulary import FailureMode, Stage

GRACE = timedelta(minutes=30)  # a generated note that has not left yet is not overdue before (domain.md section 6)
USUAL_DELAY = timedelta(minutes=15)  # accepted but not filed (table row 15)


def trace(
    note: Note,
    scribe: Sequence[ScribeRow] | None,
    ehr: Sequence[EhrRow] | None,
    filed: Filed | None,
    now: datetime,
    usual_delay: timedelta = USUAL_DELAY,
    texts: Callable[[], Mapping[str, str]] = dict,
) -> NoteTrace:
    """Return the trace of one note. `None` for a log means that it is not at hand, which is not the same as empty.

    `texts` gives the note's sections; it is asked where no id joins the two logs.
    """
    ours = scribe_rows_of(note, scribe or ())
    others = plains(row.transaction_id for row in scribe or () if row not in ours and row.note_id != note.id)
    offset, _pairs = clock_offset(scribe or (), ehr or ())
    found = ehr_rows_of(note, ours, ehr or (), others, offset, texts)
    # rows of which nobody can say whether they are this note's decide nothing; they are kept as candidates
    match = replace(found, ehr=()) if found.ambiguous else found
    writes, tokens = pair(ours)
    writes = numbered(writes)
    facts = Known(
        note, scribe, ehr, match, writes, filed, now, usual_delay, tokens_failed(tokens), bool(tokens), offset or 0.0
    )
    verdict = decide(facts)
    return NoteTrace(
        rows=ours,
        attempts=writes,
        tokens=tokens,
        ehr_rows=match.ehr,
        candidates=found.ehr if found.ambiguous else (),
        failure_mode=verdict.mode,
        journey=journey(facts, verdict),
        broke_at=verdict.broke_at,
        keys=match.keys,
        confidence=_confidence(facts, verdict),
        clock_offset_s=offset,
        has_scribe_log=scribe is not None,
        has_ehr_log=ehr is not None,
        says=verdict.says,
        missing=verdict.missing,
    )


def tokens_failed(tokens: Sequence[object]) -> bool:
    """Tell whether the last token request of the note's story failed."""
    return bool(tokens) and not getattr(tokens[-1], "ok", True)


def decide(f: Known) -> Verdict:
    """Walk the table; wrong patient before misplaced before rejected before never sent, as its precedence says."""
    in_chart = _in_chart(f)
    if in_chart is not None:
        return in_chart
    if f.scribe is None and f.ehr is None:
        return Verdict(FailureMode.UNKNOWN, None, "Neither log is at hand.", (_SCRIBE_LOG, _EHR_LOG))
    if f.match.ambiguous and not (f.attempts and f.attempts[-1].outcome in ("rejected", "unreached")):
        return Verdict(
            FailureMode.UNKNOWN, Stage.FILED, "Several documents of the EHR's log could be this note.", _WHICH
        )
    if f.scribe is None:
        return _ehr_only(f)
    if not f.match.scribe and not f.note.generated_at and f.scribe is not None:
        return _no_scribe_rows(f)
    if not f.attempts:
        return _never_tried(f)
    return _tried(f)


_SCRIBE_LOG = "the AI scribe's log rows of this note"
_EHR_LOG = "the EHR's audit rows from the hour of the failure"
_CHART = "what the chart holds now: a read-back or a screen copy"
_WHICH = ("the id of the note's document at the EHR, from the EHR's team: several could be it", _CHART)


def _filed_rows(f: Known) -> list[EhrRow]:
    """Return the EHR's `filed` rows that no later row of the same document takes back."""
    return f.seen("filed")


def _in_chart(f: Known) -> Verdict | None:
    """Rows 6, 9, 10 to 14, 17: the chart, or the EHR's own filing, says where the note is."""
    rows = _filed_rows(f)
    chart = f.filed
    if chart is not None and not chart.found:
        return None
    if chart is None and not rows:
        return None
    patients = [row.patient_id for row in rows] + ([chart.patient_id] if chart else [])
    encounters = [row.encounter_id for row in rows] + ([chart.encounter_id] if chart else [])
    wanted_patient = f.note.patient_id or _first(row.patient_id for row in f.match.scribe)
    wanted_encounter = f.note.encounter_id or _first(row.encounter_id for row in f.match.scribe)
    if any(differs(p, wanted_patient) for p in patients):
        return Verdict(FailureMode.MISPLACED, Stage.FILED, "The note was filed under another patient.")
    if any(differs(e, wanted_encounter) for e in encounters):
        return Verdict(FailureMode.MISPLACED, Stage.FILED, "The note was filed under another encounter.")
    if copies(f.match.ehr) > 1 and same_content(rows):
        return Verdict(FailureMode.DUPLICATE, Stage.FILED, "The EHR filed the note more than once.")
    last = f.attempts[-1] if f.attempts else None
    if last is not None and last.outcome != "accepted" and not f.answered:
        return Verdict(
            FailureMode.DELIVERED, None, "The note is in the chart although the AI scribe got no good answer."
        )
    if f.scribe is None and chart is None:
        return Verdict(FailureMode.DELIVERED, None, "The EHR filed the note; the AI scribe's log is not at hand.")
    if f.scribe is not None and not f.match.scribe:
        return Verdict(
            FailureMode.DELIVERED, None, "The note is in the chart, and the AI scribe's log knows no such note."
        )
    return Verdict(FailureMode.DELIVERED, None, "The note is in the chart.")


def copies(rows: Sequence[EhrRow]) -> int:
    """Count the documents that the EHR's rows of one note show as filed.

    Filings that name no document are told apart by their arrivals: as many copies as were received and filed; and
    by the request, or else the transaction, that each of them is about.
    """
    filed = [row for row in rows if row.event == "filed"]
    unnamed = [row for row in filed if not _names_document(row)]
    received = sum(row.event == "received" for row in rows)
    if unnamed and len(unnamed) == len(filed):
        about = plains(row.request_id or row.transaction_id for row in filed)
        return max(min(len(filed), received), len(about), 1)
    return len(documents(filed))


def documents(rows: Iterable[EhrRow]) -> set[str]:
    """Return the documents that `filed` rows name, by resource, else by transaction id."""
    return plains(row.resource if _names_document(row) else row.transaction_id for row in rows)


def _names_document(row: EhrRow) -> bool:
    """Tell a document's id (`DocumentReference/7`, `DOC-7`) from a bare type."""
    return bool(row.resource) and ("/" in str(row.resource) or any(c.isdigit() for c in str(row.resource)))


def same_content(rows: Sequence[EhrRow]) -> bool:
    """Tell whether filings are the same note: equal fields, where both say what they hold.

    An addendum or a new version of the note is no duplicate; its fields differ.
    """
    by_document: dict[str, EhrRow] = {}
    for row in rows:
        by_document.setdefault(plain(row.resource) or plain(row.transaction_id) or "", row)
    contents = [None if row.fields is None else plain_fields(row.fields) for row in by_document.values()]
    first = contents[0]
    return all(fields is None or first is None or fields == first for fields in contents[1:])


def _ehr_only(f: Known) -> Verdict:
    """Rows 19 and 21: only the EHR's side is at hand."""
    if f.seen("rejected"):
        return Verdict(
            FailureMode.REJECTED, Stage.ACCEPTED, "The EHR logged that it rejected the note.", (_SCRIBE_LOG,)
        )
    if f.seen("received", "accepted"):
        return _accepted_not_filed(f, max(row.at for row in f.seen("received", "accepted")))
    return Verdict(FailureMode.UNKNOWN, None, "The EHR's log holds no row of this note.", (_SCRIBE_LOG, _CHART))


def _no_scribe_rows(f: Known) -> Verdict:
    """Row 1, or row 19 where the EHR saw it all the same."""
    if f.seen("rejected"):
        return Verdict(FailureMode.REJECTED, Stage.ACCEPTED, "The EHR rejected the note.", (_SCRIBE_LOG,))
    if f.seen("received", "accepted"):
        return _accepted_not_filed(f, max(row.at for row in f.seen("received", "accepted")))
    if f.scribe or f.ehr:
        return Verdict(
            FailureMode.NOT_GENERATED, Stage.GENERATED, "The AI scribe's log knows no such note, and nothing was sent."
        )
    return Verdict(FailureMode.UNKNOWN, None, "The logs at hand are empty.", (_SCRIBE_LOG, _EHR_LOG))


def _never_tried(f: Known) -> Verdict:
    """Rows 1, 2 and 3: the scribe never sent it."""
    events = {row.event for row in f.match.scribe}
    if f.seen("received", "accepted", "rejected"):
        return _ehr_only(f)
    if f.token_asked and f.token_failed:
        return Verdict(FailureMode.NEVER_SENT, Stage.SENT, "No token was granted, so the note was never sent.")
    if "generated" not in events and not f.note.generated_at and not events - {"token"}:
        return Verdict(FailureMode.NOT_GENERATED, Stage.GENERATED, "The AI scribe never generated the note.")
    times = [row.at for row in f.match.scribe] or ([f.note.generated_at] if f.note.generated_at else [])
    if times and f.now - max(times) < GRACE and not f.token_failed:
        return Verdict(
            FailureMode.DELAYED,
            Stage.SENT,
            "The note is generated and not yet due: it may still be sent.",
            ("whether the note leaves the AI scribe within 30 minutes of being generated",),
        )
    if f.scribe is not None and not f.match.scribe:
        return Verdict(
            FailureMode.NOT_GENERATED, Stage.GENERATED, "The AI scribe's log holds no row of this note.", (_SCRIBE_LOG,)
        )
    return Verdict(FailureMode.NEVER_SENT, Stage.SENT, "The note was generated, and no attempt to send it was made.")


def _tried(f: Known) -> Verdict:
    """Rows 4 to 9 and 15 to 20: something was sent."""
    last = f.attempts[-1]
    if f.seen("rejected") and not f.answered:
        return Verdict(FailureMode.REJECTED, Stage.ACCEPTED, "The EHR rejected the note.")
    if f.answered:
        return _answered(f)
    if last.outcome == "rejected":
        return Verdict(FailureMode.REJECTED, Stage.ACCEPTED, _rejection(last))
    if f.seen("accepted"):
        return _accepted_not_filed(f, max(row.at for row in f.seen("accepted")))
    if last.outcome == "unreached":
        return Verdict(FailureMode.NEVER_SENT, Stage.SENT, "The connection failed, so the note never left.")
    return _lost(f, last)


def _rejection(last: Attempt) -> str:
    if last.ack:
        return f"The EHR answered the message with {last.ack}."
    return f"The answer to the note was HTTP {last.status}."


def _lost(f: Known, last: Attempt) -> Verdict:
    """Rows 5 and 6: sent, and no answer came; only the other side can tell."""
    waiting = last.outcome == "pending" and f.now - last.at < f.usual_delay
    if waiting:
        return Verdict(
            FailureMode.DELAYED,
            Stage.ACCEPTED,
            "The note was sent a moment ago and is not yet answered.",
            ("the answer, or the chart, a few minutes from now",),
        )
    if f.seen("received"):
        if f.now - max(row.at for row in f.seen("received")) < f.usual_delay:
            return Verdict(
                FailureMode.DELAYED, Stage.FILED, "The EHR received the note and has not filed it yet.", (_CHART,)
            )
        return Verdict(
            FailureMode.UNKNOWN,
            Stage.ACCEPTED,
            "The EHR received the note; no log says what became of it.",
            (_CHART, _EHR_LOG),
        )
    if f.nameless:
        return Verdict(
            FailureMode.UNKNOWN,
            Stage.ACCEPTED,
            "No answer came; the EHR's log holds rows of that minute without any id, which may be this note's.",
            ("the full audit rows of that minute, with their ids, from the EHR's team", _CHART),
        )
    if f.ehr is not None and f.ehr_covers:
        return Verdict(
            FailureMode.NEVER_SENT,
            Stage.SENT,
            "No answer came, and the EHR's log shows that the note never arrived.",
            ("the firewall's and the proxy's log around the attempt",),
        )
    return Verdict(
        FailureMode.UNKNOWN,
        Stage.ACCEPTED,
        "The note was sent and no answer came: whether it arrived is open.",
        (_EHR_LOG, _CHART),
    )


def _answered(f: Known) -> Verdict:
    """Rows 10, 15, 16, 20: the scribe was told yes."""
    answer = f.answered[-1]
    rejected = f.seen("rejected")
    accepted = f.seen("accepted")
    if rejected and (not accepted or max(r.at for r in rejected) >= max(r.at for r in accepted)):
        return Verdict(FailureMode.REJECTED, Stage.FILED, "The EHR answered yes and then rejected the note inside.")
    if f.filed is not None and not f.filed.found and (f.match.ehr or not f.ehr):
        return _accepted_not_filed(f, answer.at, chart=True)
    if f.match.ehr:
        return _accepted_not_filed(f, max(row.at for row in f.match.ehr))
    if f.ehr is None:
        return Verdict(
            FailureMode.UNKNOWN,
            Stage.FILED,
            "The EHR answered yes; whether it filed the note is not known.",
            (_EHR_LOG, _CHART),
        )
    return Verdict(
        FailureMode.UNKNOWN,
        Stage.FILED,
        "The AI scribe was told yes, but the EHR's log holds no row of the note: another system answered, or the audit "
        "log has a gap.",
        (_CHART, "which host answered the write, and whether the EHR logs writes by API"),
    )


def _accepted_not_filed(f: Known, since: datetime, *, chart: bool = False) -> Verdict:
    """Row 15: taken, and not in the chart. Within the usual delay this is waiting, not a fault."""
    at = f.filed.at if chart and f.filed and f.filed.at else f.now
    age = max(at, f.now) - since + timedelta(seconds=f.offset)
    if age < f.usual_delay:
        return Verdict(
            FailureMode.DELAYED,
            Stage.FILED,
            "The EHR took the note and has not filed it yet.",
            ("the chart, once the EHR's usual delay is over",),
        )
    if not chart and not f.seen("accepted") and not _logs_filing(f):
        return Verdict(
            FailureMode.UNKNOWN,
            Stage.FILED,
            "The EHR received the note; no log says what became of it.",
            (_CHART, _EHR_LOG),
        )
    if not chart and f.filed is None and not _logs_filing(f) and not _pending(f):
        return Verdict(
            FailureMode.UNKNOWN,
            Stage.FILED,
            "The EHR accepted the note; its log does not record filing.",
            (_CHART, "the EHR's filing rows, or its filing queue, from the EHR's team"),
        )
    return Verdict(FailureMode.DELAYED, Stage.FILED, "The EHR took the note, and it is still not in the chart.")


def _logs_filing(f: Known) -> bool:
    """Tell whether this audit trail records filing at all: only then does a missing row say something."""
    return any(row.event == "filed" for row in f.ehr or ())


def _pending(f: Known) -> bool:
    """Tell whether somebody said that the note was queued: 202, CA, or the EHR's own words."""
    words = {str(row.status).lower() for row in f.match.ehr}
    if words & {"queued", "pending", "202", "held", "review"} or any((r.ack or "") == "CA" for r in f.match.ehr):
        return True
    return any(a.status == 202 or (a.ack or "") == "CA" for a in f.answered)


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value), None)


def _confidence(f: Known, verdict: Verdict) -> float:
    if verdict.mode is FailureMode.UNKNOWN:
        return 0.3
    if f.match.ambiguous:
        return 0.5
    if f.match.ehr:
        return f.match.confidence
    if f.ehr is None:
        return 0.6 if verdict.mode in (FailureMode.REJECTED, FailureMode.NEVER_SENT) else 0.4
    return 0.9
