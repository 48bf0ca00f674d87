"""Turn the conclusion of a diagnosis into the answer at the head of the ticket page."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from console.diagnoses import words
from console.diagnoses.pages import Document, Link, catalogue, moment, numbered, plain
from diagnostics.causes.model import Cause


@dataclass(frozen=True)
class Reason:
    """Be one sentence of the verdict, with what it does and the check that says so."""

    kind: str
    tone: str
    says: str
    link: Link | None


@dataclass(frozen=True)
class RemedyLine:
    """Be one thing to do; `action` names what the console can do for it (`diagnostics.causes.model.Action`)."""

    text: str
    action: str = ""


@dataclass(frozen=True)
class CauseView:
    """Be a cause in words."""

    id: str
    title: str
    category: str
    certainty: str
    who_acts: str
    because: tuple[Reason, ...]
    remedy: tuple[RemedyLine, ...]
    caution: str = ""


@dataclass(frozen=True)
class ChangeLine:
    """Be one thing that changed."""

    kind: str
    what: str
    before: str
    after: str
    at: datetime | None


@dataclass(frozen=True)
class QuestionLine:
    """Be one thing the engine asks a person, to be answered with yes or no."""

    id: str
    text: str


@dataclass(frozen=True)
class Verdict:
    """Be the answer at the head of the page."""

    state: str  # running, found, none, good, past
    label: str
    title: str
    cause: CauseView | None
    ruled_out: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    contributing: tuple[CauseView, ...]
    changes: tuple[ChangeLine, ...]
    questions: tuple[QuestionLine, ...] = ()

    @property
    def ruled_out_words(self) -> str:
        """Name the categories that are ruled out."""
        return ", ".join(name.lower() if name not in ("EHR", "AI scribe") else name for name, _ in self.ruled_out)


def verdict(document: Document | None, *, running: bool = False, gave_up: bool = False) -> Verdict:
    """Say the conclusion in the words of a page."""
    if document is None or running:
        early = document and document.get("failure_mode") not in (None, "unknown")
        title = "Looking for the cause" if running else "No diagnosis has been made yet"
        if gave_up:
            title = "The diagnosis did not come to an end"
        label = "Diagnosis running" if running else words.NO_CAUSE
        changes = _changes(document) if early and document else ()
        return Verdict("running" if running else "none", label, title, None, (), (), (), changes)
    numbers = numbered({int(item["step"]): item for item in document.get("steps", ())})
    root = document.get("root_cause")
    shared = {
        "ruled_out": tuple(
            (words.CATEGORIES.get(r["category"], r["category"]), str(r["because"]))
            for r in document.get("ruled_out", ())
        ),
        "missing": tuple(str(m) for m in document.get("missing", ())),
        "contributing": tuple(_cause(c, numbers, document) for c in document.get("contributing", ())),
        "changes": _changes(document),
        "questions": tuple(QuestionLine(str(q["id"]), str(q["text"])) for q in document.get("questions", ())),
    }
    if root is not None:
        cause = _cause(root, numbers, document)
        label = words.CERTAINTIES.get(root["certainty"], root["certainty"])
        return Verdict("found", label, cause.title, cause, **shared)
    if document.get("failure_mode") == "delivered":
        return Verdict("good", "Nothing is wrong", "The note is in the chart, where it belongs", None, **shared)
    return Verdict("none", words.NO_CAUSE, "The evidence at hand does not settle it", None, **shared)


def remembered(category: str, cause: str) -> Verdict:
    """Say the cause that a person confirmed, of a diagnosis whose evidence is no longer kept."""
    declared = catalogue()[1].get(cause)
    name = words.CATEGORIES.get(category, category)
    title = declared.title if declared else name
    who = words.WHO_ACTS.get(str(declared.who_acts), "") if declared else ""
    view = CauseView(cause, title, name, words.CERTAINTIES["proven"], who, because=(), remedy=())
    return Verdict("past", view.certainty, title, view, (), (), (), ())


def _cause(item: Mapping[str, Any], numbers: Mapping[str, Link], document: Document) -> CauseView:
    declared = catalogue()[1].get(item["cause"])
    proven = item["certainty"] == "proven"
    failed = {
        check["id"] for step in document.get("steps", ()) for check in step["checks"] if check["status"] == "failed"
    }
    reasons = [_reason(r, numbers, failed, proven) for r in item.get("because", ())]
    return CauseView(
        id=item["cause"],
        title=item["title"],
        category=words.CATEGORIES.get(item["category"], item["category"]),
        certainty=words.CERTAINTIES.get(item["certainty"], item["certainty"]),
        who_acts=words.WHO_ACTS.get(item.get("who_acts", ""), ""),
        because=tuple(reasons),
        remedy=_remedy(item, declared),
        caution=declared.caution if declared else "",
    )


def _remedy(item: Mapping[str, Any], declared: Cause | None) -> tuple[RemedyLine, ...]:
    actions = {step.text: step.action for step in declared.remedy} if declared else {}
    return tuple(RemedyLine(text, str(actions.get(text) or "")) for text in item.get("remedy", ()))


def _reason(reason: Mapping[str, Any], numbers: Mapping[str, Link], failed: set[str], proven: bool) -> Reason:
    check = reason.get("check") or ""
    if check == "changes":
        return Reason("changed", "warn", _short(str(reason["says"])), Link("what changed", anchor="changes"))
    if check in failed or not check:
        kind, tone = ("proves", "bad") if proven else ("speaks for it", "warn")
    else:
        kind, tone = "agrees", ""
    return Reason(kind, tone, str(reason["says"]), numbers.get(check))


def _changes(document: Document) -> tuple[ChangeLine, ...]:
    return tuple(
        ChangeLine(
            kind=str(c.get("kind") or "").replace("_", " "),
            what=str(c.get("what") or ""),
            before="" if c.get("from") is None else _short(plain(c["from"])),
            after="" if c.get("to") is None else _short(plain(c["to"])),
            at=moment(c.get("at")),
        )
        for c in document.get("changes", ())
    )


def _short(text: str) -> str:
    """Cut fingerprints to their beginning: two that differ differ there, and the whole stands in the evidence."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{28,}\b", r"\1…", text)
