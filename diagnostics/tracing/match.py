"""Find the rows of one note in both logs, by the strongest key that joins them, and the clocks' offset.

Keys, strongest first (domain.md section 5): transaction id 1.0, request id 0.95, content hash 0.9, encounter with
time 0.7, patient and author with time 0.5. A match is accepted when it is unique; names are never joined on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from diagnostics.case import Note
from diagnostics.evidence.logs import EhrRow, ScribeRow
from diagnostics.identity import plain, plains, same
from diagnostics.tracing.content import rows_with_text

CONFIDENCE = {
    "transaction_id": 1.0,
    "request_id": 0.95,
    "content_hash": 0.9,
    "encounter_id": 0.7,
    "patient_and_author": 0.5,
}
WINDOW_BEFORE = timedelta(minutes=15)
WINDOW_AFTER = timedelta(hours=72)


@dataclass(frozen=True)
class Match:
    """Hold the rows of one note, the keys that joined them and how sure that is."""

    scribe: tuple[ScribeRow, ...]
    ehr: tuple[EhrRow, ...]
    keys: tuple[str, ...]
    confidence: float
    ambiguous: bool = False


def scribe_rows_of(note: Note, rows: Sequence[ScribeRow]) -> tuple[ScribeRow, ...]:
    """Return the scribe's rows of a note: by note id, by transaction id, else by encounter; and its token rows.

    Token requests carry no note id as a rule: those between the note's first row and its last belong to its story,
    and so do those of the minutes before it was sent.
    """
    ours = [row for row in rows if row.note_id is not None and row.note_id == note.id]
    transactions = plains([note.transaction_id, *(row.transaction_id for row in ours)])
    requests = plains(row.request_id for row in ours)
    chosen = [
        row
        for row in rows
        if row in ours
        or (row.note_id is None and (plain(row.transaction_id) in transactions or plain(row.ack_id) in transactions))
        or (row.note_id is None and row.request_id and plain(row.request_id) in requests)
    ]
    if not chosen and note.encounter_id:
        chosen = [row for row in rows if row.note_id is None and same(row.encounter_id, note.encounter_id)]
    return _with_tokens(chosen, rows)


def _with_tokens(chosen: list[ScribeRow], rows: Sequence[ScribeRow]) -> tuple[ScribeRow, ...]:
    """Add the token rows that belong to the note's story, each with the failure that answers it."""
    if not chosen:
        return ()
    held = set(map(id, chosen))
    sends = [row.at for row in chosen if row.event in ("sent", "failed", "acked")]
    start = min(row.at for row in chosen)
    end = max(sends) if sends else None
    used = {row.token_id for row in chosen if row.token_id}
    last: ScribeRow | None = None
    for row in rows:
        if id(row) in held:
            last = row if row.event == "token" else None
            continue
        if row.event == "token" and row.note_id is None:
            if row.token_id and row.token_id in used:
                held.add(id(row))  # the very token this note was sent with, however old
                last = row
            elif row.at >= start - timedelta(minutes=10) and (end is None or row.at <= end):
                held.add(id(row))
                last = row
            else:
                last = None
        elif row.event == "failed" and row.note_id is None and last is not None and row.transaction_id is None:
            held.add(id(row))
            last = None
    return tuple(row for row in rows if id(row) in held)


def ehr_rows_of(
    note: Note,
    scribe: Sequence[ScribeRow],
    rows: Sequence[EhrRow],
    others: set[str],
    offset: float | None = None,
    texts: Callable[[], Mapping[str, str]] = dict,
) -> Match:
    """Return the EHR's rows of a note. `others` are transaction ids that belong to other notes.

    `offset` is the EHR's clock minus the scribe's in seconds, where it is known. `texts` gives the note's sections,
    and is asked only where no id joins the logs. A row from before the note existed is of an earlier message whose
    id was used again, whatever id it carries.
    """
    begun = [row.at for row in scribe if row.event != "token"] or ([note.generated_at] if note.generated_at else [])
    if begun:
        slack = WINDOW_BEFORE if offset is None else timedelta(minutes=1) - timedelta(seconds=offset)
        rows = [row for row in rows if row.at >= min(begun) - slack]
    transactions = plains([note.transaction_id, *(row.transaction_id for row in scribe)])
    requests = plains(row.request_id for row in scribe)
    resources = plains(_locations(scribe))
    keys: list[str] = []
    chosen: dict[int, EhrRow] = {}
    for row in rows:
        if row.event in ("token", "change"):
            continue
        if row.transaction_id and plain(row.transaction_id) in transactions:
            chosen[id(row)] = row
            keys.append("transaction_id")
        elif row.request_id and plain(row.request_id) in requests:
            chosen[id(row)] = row
            keys.append("request_id")
        elif row.resource and plain(row.resource) in resources:
            chosen[id(row)] = row
            keys.append("transaction_id")
    ambiguous = False
    if not chosen:
        found, key, ambiguous = _without_ids(note, scribe, rows, others, texts)
        for row in found:
            chosen[id(row)] = row
            keys.append(key)
    _by_resource(rows, chosen)
    ordered = tuple(row for row in rows if id(row) in chosen)
    names = tuple(key for key in CONFIDENCE if key in keys)
    confidence = CONFIDENCE[names[0]] if names else 0.0
    return Match(tuple(scribe), ordered, names, confidence * (0.6 if ambiguous else 1.0), ambiguous)


def _locations(scribe: Iterable[ScribeRow]) -> Iterable[str | None]:
    for row in scribe:
        location = row.response_headers.get("location") or row.response_headers.get("content-location")
        if location:
            yield location.split("/_history/", 1)[0]


def _by_resource(rows: Sequence[EhrRow], chosen: dict[int, EhrRow]) -> None:
    """Add rows about the same resource that lost their ids (a filer's row often carries only the document)."""
    documents = plains(row.resource for row in chosen.values() if row.resource and "/" in row.resource)
    for row in rows:
        anonymous = row.transaction_id is None and row.request_id is None
        if id(row) not in chosen and anonymous and row.resource and plain(row.resource) in documents:
            chosen[id(row)] = row


def _without_ids(
    note: Note,
    scribe: Sequence[ScribeRow],
    rows: Sequence[EhrRow],
    others: set[str],
    texts: Callable[[], Mapping[str, str]],
) -> tuple[list[EhrRow], str, bool]:
    """Fall back to the text, to encounter with time, to patient and author with time; never to another note's rows."""
    times = [row.at for row in scribe if row.event != "token"]
    if not times:
        return [], "", False
    start, end = min(times) - WINDOW_BEFORE, max(times) + WINDOW_AFTER
    encounter = note.encounter_id or next((row.encounter_id for row in scribe if row.encounter_id), None)
    patient = note.patient_id or next((row.patient_id for row in scribe if row.patient_id), None)
    author = note.provider_id or next((row.provider_id for row in scribe if row.provider_id), None)
    # where the systems share ids at all, a row with an id of its own is of another note
    shared = any(plain(row.transaction_id) in others for row in rows)
    free = [
        row
        for row in rows
        if row.event not in ("token", "change")
        and start <= row.at <= end
        and (row.transaction_id is None or plain(row.transaction_id) not in others)
        and (row.transaction_id is None or not shared)
    ]
    told = rows_with_text(free, texts()) if any(row.fields for row in free) else []
    if told:
        return told, "content_hash", len(plains(row.patient_id for row in told)) > 1
    found = [row for row in free if same(row.encounter_id, encounter)]
    key = "encounter_id"
    if not found:
        close = max(times) + timedelta(minutes=15)
        found = [
            row for row in free if row.at <= close and same(row.patient_id, patient) and same(row.author_id, author)
        ]
        key = "patient_and_author"
    strangers = plains(row.transaction_id for row in found)
    return found, key, len(strangers) > 1


def clock_offset(scribe: Sequence[ScribeRow], ehr: Sequence[EhrRow]) -> tuple[float | None, int]:
    """Return the EHR's clock minus the scribe's in seconds, and the number of pairs it rests on.

    Rests on strong keys only. Where both the arrival and the answer of a write are in both logs, the offset is the
    midpoint difference, so that latency cancels out.
    """
    by_transaction: dict[str, list[EhrRow]] = {}
    for entry in ehr:
        for id in {plain(entry.transaction_id), plain(entry.request_id)} - {None}:
            by_transaction.setdefault(str(id), []).append(entry)
    sendings: dict[str, list[tuple[datetime, datetime | None]]] = {}
    for row in scribe:
        id = plain(row.request_id) or plain(row.transaction_id)
        if id is None:
            continue
        made = sendings.setdefault(id, [])
        if row.event == "sent":
            made.append((row.at, None))
        elif row.event in ("acked", "failed") and made and made[-1][1] is None:
            answered = row.at if row.status is not None or row.ack is not None else None
            made[-1] = (made[-1][0], answered)
    firm: list[float] = []
    loose: list[float] = []
    for id, made in sendings.items():
        rows = by_transaction.get(id, [])
        shown = [seconds for sent, answered in made for seconds in _shown(sent, answered, rows)]
        if len(made) == 1:
            (firm if made[0][1] is not None else loose).extend(shown)
        elif shown:
            # an arrival may be of any of several sendings: the one that needs the clocks wrong the least
            loose.append(min(shown, key=abs))
    offsets = firm or loose
    return (round(median(offsets), 3), len(offsets)) if offsets else (None, 0)


def _shown(sent: datetime, answered: datetime | None, rows: Sequence[EhrRow]) -> Iterable[float]:
    """Yield the offset one sending shows, with an answer or without."""
    if answered is not None:
        return _offset(sent, answered, rows)
    arrival = _arrival(sent, rows)
    return [] if arrival is None else [arrival]


def _arrival(sent: datetime, rows: Sequence[EhrRow]) -> float | None:
    """Return the seconds from a sending without an answer to its arrival, or to the EHR's decision on it."""
    seen = [row.at for row in rows if row.event == "received"] or [
        row.at for row in rows if row.event in ("accepted", "rejected")
    ]
    return (min(seen, key=lambda t: abs(t - sent)) - sent).total_seconds() if seen else None


def _offset(sent: datetime, answered: datetime, rows: Sequence[EhrRow]) -> Iterable[float]:
    """Yield the offset one answered write shows."""
    received = [row.at for row in rows if row.event == "received"]
    decided = [row.at for row in rows if row.event in ("accepted", "rejected")]
    middle = sent + (answered - sent) / 2
    if received and decided:
        near = min(received, key=lambda t: abs((t - sent).total_seconds()))
        after = [t for t in decided if t >= near] or decided
        ours = near + (min(after) - near) / 2
        yield (ours - middle).total_seconds()
    elif received or decided:
        near = min(received or decided, key=lambda t: abs((t - middle).total_seconds()))
        yield (near - middle).total_seconds()
