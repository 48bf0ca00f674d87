"""Read from the scribe's log which token a write was sent with, and how token requests went. No checks live here.

A log may hold the tokens of several sites and notes. The fingerprint (`token_id`) says which one a write used; only
where the scribe logs none does the last token issued before the write count, of the write's own site where sites are
named.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from diagnostics.evidence.logs import Attempt, NoteTrace, ScribeLog, ScribeRow, TokenAttempt
from diagnostics.tracing.attempts import pair


def came(row: ScribeRow) -> bool:
    """Tell whether a `token` row itself records no failure."""
    return row.error is None and (row.status is None or 200 <= row.status < 300)


def requests(log: ScribeLog | None, trace: NoteTrace | None) -> tuple[TokenAttempt, ...]:
    """Return every token request of the log in time order, each with its own answer; without a log, the note's.

    Requests are paired with their answers note by note, because the rows of several notes may be interleaved.
    """
    found = {_key(token.asked): token for token in _paired(log.rows if log is not None else ())}
    for token in trace.tokens if trace is not None else ():
        if not token.ok or _key(token.asked) not in found:
            found[_key(token.asked)] = token  # the answer may name the note although the request does not
    return tuple(sorted(found.values(), key=lambda token: token.at))


def _paired(rows: Iterable[ScribeRow]) -> Iterator[TokenAttempt]:
    """Yield token requests, each with the `failed` row of the same note that follows it at once, if one does."""
    waiting: dict[str | None, ScribeRow] = {}
    for row in rows:
        asked = waiting.pop(row.note_id, None) if waiting else None
        if asked is not None:
            yield from pair((asked, row) if row.event == "failed" else (asked,))[1]
        if row.event == "token":
            waiting[row.note_id] = row
    for asked in waiting.values():
        yield from pair((asked,))[1]


def _key(row: ScribeRow) -> tuple[object, ...]:
    return row.at, row.token_id, row.url, row.note_id, row.site


def token_of(attempt: Attempt | None, trace: NoteTrace, log: ScribeLog | None) -> ScribeRow | None:
    """Return the row of the token that a write was sent with, or None where the log does not say."""
    if attempt is None:
        return None
    sent = attempt.sent
    issued = [token.asked for token in requests(log, trace) if token.ok and token.at <= attempt.at]
    if sent.token_id and any(row.token_id for row in issued):
        issued = [row for row in issued if row.token_id == sent.token_id]
    elif sent.site:
        issued = [row for row in issued if row.site in (None, sent.site)] or issued
    return max(issued, key=lambda row: row.at, default=None)


def ends_at(row: ScribeRow | None) -> datetime | None:
    """Return when a token ends by its own answer, or None where the answer named no lifetime."""
    if row is None or row.expires_in is None or not -1e8 < row.expires_in < 1e9:
        return None
    return row.at + timedelta(seconds=row.expires_in)
