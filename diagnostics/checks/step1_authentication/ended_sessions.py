"""Judge whether a provider's own session had ended, and with it the token (SMART online_access)."""

import re
from datetime import datetime, timedelta

from diagnostics import causes
from diagnostics.case import Case
from diagnostics.check import check, failed, not_applicable, passed, unknown
from diagnostics.checks.logged_words import weight_of, words_of
from diagnostics.checks.step4_network.answers_seen import SeenAnswer, last_failure
from diagnostics.checks.tokens_used import requests
from diagnostics.evidence.case_parts import NoteFacts, Vendor
from diagnostics.evidence.logs import AuditTrail, EhrRow, NoteTrace, ScribeLog, ScribeRow
from diagnostics.findings import Result
from diagnostics.identity import plain
from diagnostics.parsing.answers import AnswerKind
from diagnostics.vocabulary import Step, Strength

_SESSION = timedelta(hours=16)  # longer than anybody's working day
_ENDED = re.compile(
    r"\blog(?:ged|ging)?[ _-]?(?:out|off)\b|\bsign(?:ed|ing)?[ _-]?(?:out|off)\b"
    r"|\bsession\b.{0,40}\b(?:ended|expired|closed|terminated|timed[ _-]?out|time-?out|not active|invalidated)\b"
    r"|\bworkstation\b.{0,40}\b(?:switch\w{0,3}|chang\w{1,3}|lock\w{0,3})\b",
    re.IGNORECASE,
)
# in an audit trail these say as much; in an answer they may speak of the refresh token's own age
_IN_A_TRAIL = re.compile(r"\bidle\b|\binactivity\b|\b110123\b", re.IGNORECASE)  # DICOM code 110123: Logout


def _of_a_person(case: Case) -> bool:
    return case.integration.auth.flow == "provider-context"


@check(
    id="auth.session.ended",
    step=Step.AUTHENTICATION,
    title="The provider's session was open when the note was sent",
    hints=causes.SESSION_ENDED,
    checklist=("TOKEN.7",),
    applies=_of_a_person,
)
def session_was_open(
    trace: NoteTrace, vendor: Vendor, note: NoteFacts | None, log: ScribeLog | None, trail: AuditTrail | None
) -> Result:
    """A token that lives with its user's session dies when the user signs out or changes the workstation."""
    last = last_failure(trace)
    if last is None or last.at is None:
        return passed("Nothing failed.") if trace.attempts or trace.tokens else not_applicable("Nothing was tried.")
    if not _about_the_token(last):
        return passed("The refusal does not speak of the token.", status=last.status)
    said = words_of(last.answer, last.status, context=f"{vendor.profile.name} provider-context")
    ended = _ended_at(trail, note, _begun(log, trace, last.at), last.at)
    if said.cause == causes.SESSION_ENDED.id:
        return failed(f"The answer says so: {said.says}", strength=weight_of(said), at=last.at, ended_at=ended)
    if _ENDED.search(last.answer.says):
        return failed("The answer speaks of a session that had ended.", at=last.at, ended_at=ended)
    if ended is not None:
        by_design = any(row.event == "queued" and row.at <= last.at for row in trace.rows)
        return failed(
            f"The provider's session ended at {ended:%H:%M} UTC, and after that the EHR refused the token.",
            strength=Strength.MODERATE if by_design else Strength.STRONG, ended_at=ended, at=last.at,
        )  # fmt: skip
    if _lives_with_the_session(log, trace, last.at):
        return failed("The token was granted for as long as the provider is signed in only (online_access).",
                      strength=Strength.MODERATE, at=last.at)  # fmt: skip
    return unknown("Whether the provider had signed out is not recorded.",
                   get="the EHR's audit rows of the provider's sign-in and sign-out that day")  # fmt: skip


def _about_the_token(last: SeenAnswer) -> bool:
    if last.answer.kind in (AnswerKind.HTML_BLOCK, AnswerKind.HTML_GATEWAY):
        return False
    if last.what == "write":
        return last.status == 401 or bool(_ENDED.search(last.answer.says))
    oauth = last.answer.oauth.error if last.answer.oauth else ""
    return oauth in ("", "invalid_grant", "invalid_token") and last.status in (None, 400, 401, 403)


def _begun(log: ScribeLog | None, trace: NoteTrace, until: datetime) -> datetime:
    """Return since when a sign-out would have ended this token: since the last one that was issued."""
    good = [one.at for one in requests(log, trace) if one.ok and one.at <= until]
    return max([until - _SESSION, *good])


def _ended_at(trail: AuditTrail | None, note: NoteFacts | None, since: datetime, until: datetime) -> datetime | None:
    """Return when the EHR recorded the end of this provider's session; a row that names nobody counts as theirs."""
    mine = plain(note.note.provider_id) if note is not None else None
    for row in reversed(trail.rows if trail is not None else ()):
        if not since <= row.at <= until or not (_ENDED.search(_words(row)) or _IN_A_TRAIL.search(_words(row))):
            continue
        if row.author_id is None or mine is None or plain(row.author_id) == mine:
            return row.at
    return None


def _words(row: EhrRow) -> str:
    change = row.change or {}
    told = [change.get("what"), change.get("to"), row.extra.get("subtype"), row.extra.get("type")]
    if row.event in ("change", "token") or row.resource is None:
        told += [row.event, row.error]
    return " ".join(str(each)[:300] for each in told if each)


def _lives_with_the_session(log: ScribeLog | None, trace: NoteTrace, until: datetime) -> bool:
    granted: list[ScribeRow] = [one.asked for one in requests(log, trace) if one.ok and one.at <= until]
    scope = (granted[-1].scope or "").split() if granted else []
    return "online_access" in scope and "offline_access" not in scope
