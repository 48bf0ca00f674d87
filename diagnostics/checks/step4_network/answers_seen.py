"""Collect the HTTP answers of a run, live and recorded, in the one form the checks of intermediaries judge."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from diagnostics.evidence.auth import Discovery, TokenAnswer
from diagnostics.evidence.base import Evidence
from diagnostics.evidence.fhir import CanaryWrite, EncounterNow, Metadata, ReadBack, Reads
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.network import HttpAnswer
from diagnostics.parsing.answers import RecordedAnswer, read_answer


@dataclass(frozen=True)
class SeenAnswer:
    """Be one answer: where it came from, how it reads, and whether the request carried an Authorization header."""

    what: str  # token | write | metadata | read | discovery
    url: str
    answer: RecordedAnswer
    status: int | None
    at: datetime | None = None
    sent_authorization: bool = False
    source: Evidence | None = None
    via_proxy: bool = False


def live_answers(
    token: TokenAnswer | None = None,
    metadata: Metadata | None = None,
    reads: Reads | None = None,
    canary: CanaryWrite | None = None,
    discovery: Discovery | None = None,
    encounter: EncounterNow | None = None,
    read_back: ReadBack | None = None,
) -> tuple[SeenAnswer, ...]:
    """Return every answer the probes got, those a note depends on first."""
    found: list[SeenAnswer | None] = []
    found.append(_seen("token", token.answer, token) if token else None)
    found.append(_seen("metadata", metadata.answer, metadata) if metadata else None)
    found.append(_seen("write", canary.answer, canary) if canary and canary.answer else None)
    found += [_seen("read", each.answer, reads) for each in (reads.results if reads else ())]
    found.append(_seen("read", encounter.answer, encounter) if encounter else None)
    found.append(_seen("read", read_back.answer, read_back) if read_back else None)
    found += [_seen("discovery", each, discovery) for each in (discovery.answers if discovery else ())]
    return tuple(each for each in found if each is not None)


def _seen(what: str, answer: HttpAnswer, source: Evidence | None) -> SeenAnswer | None:
    if answer.status is None:
        return None
    read = read_answer(answer.body, answer.status, answer.headers, answer.content_type)
    return SeenAnswer(what, answer.url, read, answer.status, None, answer.sent_authorization, source, answer.via_proxy)


def recorded_answers(trace: NoteTrace) -> tuple[SeenAnswer, ...]:
    """Return every answer the scribe's log holds of this note's writes and token requests, in time order."""
    found = [
        SeenAnswer(
            "write", each.url or "", read_answer(each.error, each.status, each.headers), each.status, each.at, True
        )
        for each in trace.attempts
        if each.status is not None or each.error
    ]
    found += [
        SeenAnswer(
            "token", each.asked.url or "", read_answer(each.error, each.status, each.headers), each.status, each.at
        )
        for each in trace.tokens
        if not each.ok and (each.status is not None or each.error)
    ]
    return tuple(sorted(found, key=lambda each: each.at.timestamp() if each.at else 0.0))


def last_failure(trace: NoteTrace) -> SeenAnswer | None:
    """Return the answer to what failed last: a write, or where none was made a token request.

    A write that was sent although no token had been granted, and met 401, is only the echo of that token request.
    """
    last = trace.last
    before = [each for each in trace.tokens if last is not None and each.at <= last.at]
    echo = last is not None and last.status == 401 and bool(before) and not before[-1].ok
    if last is not None and not echo:
        if last.outcome not in ("rejected", "unreached", "lost"):
            return None
        read = read_answer(last.error, last.status, last.headers)
        return SeenAnswer("write", last.url or "", read, last.status, last.at, True)
    failed = [each for each in trace.tokens if not each.ok]
    if not failed:
        return None
    each = failed[-1]
    read = read_answer(each.error, each.status, each.headers)
    return SeenAnswer("token", each.asked.url or "", read, each.status, each.at)


def condemned(answers: Iterable[SeenAnswer]) -> tuple[Evidence, ...]:
    """Return the evidence behind some answers, for `condemns`."""
    return tuple(each.source for each in answers if each.source is not None)
