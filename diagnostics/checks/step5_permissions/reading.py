"""Judge from the logs whether the account that reads may also write (guide step 5)."""

import re
from datetime import datetime, timedelta

from diagnostics import causes
from diagnostics.check import check, failed, passed, unknown
from diagnostics.checks.refusal import Refusal, refusal_of
from diagnostics.checks.step5_permissions import reasons
from diagnostics.evidence.case_parts import Encounters, NoteFacts, Roles, Settings
from diagnostics.evidence.fhir import EncounterNow
from diagnostics.evidence.logs import AuditTrail, NoteTrace, ScribeLog, ScribeRow
from diagnostics.findings import Result
from diagnostics.identity import plain
from diagnostics.vocabulary import Step, Strength

_WINDOW_S = 300  # reading and writing within five minutes say something of one token


@check(
    id="perm.read_ok_write_denied.log",
    step=Step.PERMISSIONS,
    title="The account that may read may also write",
    proves=causes.READ_OK_WRITE_DENIED,
    checklist=("PERM.1",),
    applies=lambda case: case.integration.protocol == "fhir",
)
def reads_and_writes(
    trace: NoteTrace,
    note: NoteFacts,
    settings: Settings,
    roles: Roles | None,
    encounters: Encounters | None,
    visit_now: EncounterNow | None,
    log: ScribeLog | None,
    trail: AuditTrail | None,
) -> Result:
    """Reading with the same account minutes before a refused write leaves only the right to write."""
    refusal = refusal_of(trace)
    if refusal is None or not refusal.forbidden or not reasons.by_the_ehr(refusal):
        return passed("No write was refused with 403 by the EHR.")
    reads = _reads(trace, log, trail, refusal)
    if not reads:
        return unknown("No read of that time is in the logs.", get="a read of the same patient with that token")
    visit, _live = reasons.visit_of(note, encounters, visit_now)
    scope = reasons.granted_scope(trace, log, refusal)
    lacking = reasons.lacks_create(scope, reasons.needed_type(trace, settings)) if scope else None
    other = reasons.reason_of_its_own(note, roles, visit, refusal, lacking)
    if other is not None:
        return failed(f"Reading worked and writing was refused; {other} says more.", strength=Strength.MODERATE)
    written = _written_elsewhere(trace, log, refusal)
    if written:
        return failed(
            f"Reading worked and writing was refused, but {written} other notes were written with this account within "
            "the hour: something about this encounter or patient is closed to it.",
            strength=Strength.MODERATE, reads=reads, written=written,
        )  # fmt: skip
    return failed("Reading worked at that time, and the write was refused with 403.", reads=reads)


def _reads(trace: NoteTrace, log: ScribeLog | None, trail: AuditTrail | None, refusal: Refusal) -> int:
    """Count the reads of clinical data that went well within five minutes with that token, in either system's log."""
    asked = 0
    sent = refusal.attempt.sent if refusal.attempt is not None else None
    for row in log.rows if log is not None else trace.rows:
        row_is_read = (row.method or "").upper() in ("GET", "HEAD")
        if row_is_read and row.status is not None and 200 <= row.status < 300 and _near(row.at, refusal.at):
            asked += _same_account(row, sent) and not (row.url or "").rstrip("/").endswith(_PUBLIC)
    clients = {plain(row.client_id) for row in trace.ehr_rows} - {None}
    shift = timedelta(seconds=trace.clock_offset_s or 0.0) if refusal.attempt is not None else timedelta()
    served = [
        row
        for row in (trail.rows if trail is not None else ())
        if row.event in ("received", "accepted")
        and row.status == 200
        and _READ_RESOURCE.match(row.resource or "")
        and _near(row.at - shift, refusal.at)
        and (not clients or plain(row.client_id) in clients)
    ]
    return asked + len(served)


def _same_account(row: ScribeRow, sent: ScribeRow | None) -> bool:
    """Tell whether nothing shows that another token or site made a request."""
    if sent is None:
        return True
    other_token = row.token_id is not None and sent.token_id is not None and row.token_id != sent.token_id
    return not other_token and (row.site is None or sent.site is None or row.site == sent.site)


def _written_elsewhere(trace: NoteTrace, log: ScribeLog | None, refusal: Refusal) -> int:
    """Count other notes that were written within an hour: then the account may write, and this is about the note."""
    ours = {row.note_id for row in trace.rows if row.note_id}
    sent = refusal.attempt.sent if refusal.attempt is not None else None
    return len({
        row.note_id
        for row in (log.rows if log is not None else ())
        if row.event == "acked" and row.note_id and row.note_id not in ours
        and row.status is not None and 200 <= row.status < 300
        and (row.method or "POST").upper() == "POST"
        and abs((row.at - refusal.at).total_seconds()) <= 3600
        and _same_account(row, sent)
    })  # fmt: skip


_PUBLIC = ("/metadata", "smart-configuration", "openid-configuration")
# what the EHR's trail calls a read: a patient, an encounter, or a search of any type
_READ_RESOURCE = re.compile(r"(?:Patient|Encounter|Practitioner)(?:/|$)|[A-Z][A-Za-z]{2,40}\?")


def _near(one: datetime, other: datetime) -> bool:
    return abs((one - other).total_seconds()) <= _WINDOW_S
