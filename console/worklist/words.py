"""Say in words what a trace holds: what became of a note, why, and how sure that is."""

import re
from dataclasses import dataclass
from functools import lru_cache

from console.diagnoses import words
from console.notes.models import FailureMode
from diagnostics import catalog
from diagnostics.explain import explain
from diagnostics.vocabulary import Stage

MODES = {
    "not_generated": "The AI scribe made no note of this visit.",
    "never_sent": "The note never left the AI scribe.",
    "rejected": "The EHR refused the note.",
    "misplaced": "The EHR filed the note in another place.",
    "partial": "Part of the note did not reach the chart.",
    "duplicate": "The note is in the chart more than once.",
    "delayed": "The EHR took the note but has not filed it yet.",
    "delivered": "The note is in the chart.",
    "unknown": "Neither log says what became of the note.",
}
PROBABLY = "Probably in the chart, please check: the logs do not prove it."

KEYS = {
    "transaction_id": ("Transaction id", "Both logs name the same message. This is as sure as it gets."),
    "request_id": ("Request id", "Both logs name the same request, and a request belongs to one message."),
    "content_hash": ("Filed text", "The EHR filed the very text of this note."),
    "encounter_id": ("Encounter and time", "Same encounter, close in time; another note of it could be meant."),
    "patient_and_author": ("Patient, author and time", "Same patient and provider within minutes: a hint, no proof."),
    "time": ("Time", "Only the time fits. Do not rely on it."),
}

SURE, GOOD, WEAK = 0.9, 0.7, 0.5


@dataclass(frozen=True)
class Cause:
    """Be the cause of one failure as far as the logs tell: a headline and what the answer said, masked."""

    headline: str
    detail: str


def sureness(confidence: float) -> str:
    """Put a confidence between 0 and 1 in a word."""
    if confidence >= SURE:
        return "sure"
    if confidence >= GOOD:
        return "fairly sure"
    return "weak" if confidence >= WEAK else "a guess"


def sureness_tone(confidence: float) -> str:
    """Give the colour class of a confidence."""
    return "" if confidence >= GOOD else "warn"


def pill(mode: str, confidence: float) -> str:
    """Name what became of a note in the few words of a pill."""
    if mode == FailureMode.DELIVERED and confidence < GOOD:
        return "Probably in the chart"
    return str(FailureMode(mode).label)


def pill_tone(mode: str, confidence: float) -> str:
    """Give the pill's colour class."""
    return "warn" if mode == FailureMode.DELIVERED and confidence < GOOD else words.tone(mode)


def sentence(mode: str, confidence: float) -> str:
    """Say what became of a note."""
    return PROBABLY if mode == FailureMode.DELIVERED and confidence < GOOD else MODES.get(mode, MODES["unknown"])


@lru_cache(maxsize=4096)
def cause(mode: str, status: int | None, ack: str, signature: str, broke_at: str) -> Cause:
    """Say why: the catalogue's title where the masked answer names a cause, else what the mode alone says."""
    answer = str(status) if status is not None and status >= 300 else ack if ack not in ("AA", "CA") else ""
    told = explain(signature, status=status) if signature else None
    known = catalog.causes().get(told.cause or "") if told else None
    if known is not None:
        headline = known.title
    elif mode == FailureMode.REJECTED and answer:
        headline = f"The EHR answered {answer}"
    elif mode == FailureMode.NEVER_SENT and signature:
        headline = "No answer reached the AI scribe" if broke_at == Stage.SENT else "Never left the AI scribe"
    else:
        headline = _PLAIN.get(mode, _PLAIN["unknown"])
    return Cause(headline, " · ".join(part for part in (answer, said(signature)) if part))


WEAKLY = Cause("Filed, as far as weak signs tell", "")

_SPOKEN = re.compile(r'"(?:diagnostics|error_description|errormessage|message|detail)":\s*"([^"]{3,})"', re.IGNORECASE)
_TITLE = re.compile(r"<title>(.*?)</title>", re.IGNORECASE)
_TAG = re.compile(r"</?(?!(?:n|w|id|text)>)[^<>]*>|</?<[nw]>>|</<[nw]>", re.IGNORECASE)


def said(signature: str) -> str:
    """Give the part of a masked answer that was meant for people: of JSON its message, of a page its text."""
    spoken = _SPOKEN.search(signature)
    if spoken:
        return spoken[1]
    if signature.lstrip().lower().startswith(("<!doctype", "<html", "<?xml")):
        text = _TAG.sub(" ", _TITLE.sub(" ", signature)).replace("<<n>>", " ").replace("<<w>>", " ")
        return " ".join(text.split()) or signature
    return signature


_PLAIN = {
    "not_generated": "No note was generated",
    "never_sent": "Never left the AI scribe",
    "rejected": "Refused without a reason",
    "misplaced": "Filed in another place",
    "partial": "Part of it is missing",
    "duplicate": "Filed more than once",
    "delayed": "Accepted, not filed yet",
    "delivered": "Filed in the chart",
    "unknown": "Sent, and no log tells the rest",
}


def journey(mode: str, broke_at: str, reached: dict[str, bool]) -> list[dict[str, str]]:
    """Give the five stages as the small picture draws them; `reached` are those of which a time is known.

    What came before a break or before a known stage was passed, whether or not a row tells of it.
    """
    order = list(words.STAGES)
    furthest = max((order.index(stage) for stage in order if reached.get(stage)), default=-1)
    stop = order.index(broke_at) if broke_at in order else len(order)
    stages = []
    for index, stage in enumerate(order):
        if index >= stop:
            state = "broken" if index == stop else "not_reached"
        elif index <= furthest or stop < len(order) or mode == FailureMode.DELIVERED:
            state = "ok"
        else:
            state = "unknown"
        stages.append({"stage": stage, "state": state})
    return stages
