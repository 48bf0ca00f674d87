"""Explain an error text: its category, perhaps its cause, and how sure the words allow to be.

The forms of the standards are read first (OperationOutcome, OAuth error, acknowledgement, challenge, page), then the
known texts of products (`signatures/*.toml`), then the bare HTTP status. Where a text only allows a category, the
cause stays empty; where not even that, both do: a wrong certain answer costs more than none.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from diagnostics.explaining.acks import explain_ack
from diagnostics.explaining.circumstances import narrow
from diagnostics.explaining.clinical import reads_like_a_note
from diagnostics.explaining.faults import explain_fault
from diagnostics.explaining.model import Explanation, Question, category_only
from diagnostics.explaining.oauth import explain_oauth
from diagnostics.explaining.outcome import explain_outcome
from diagnostics.explaining.pages import explain_challenge, explain_page, explain_status
from diagnostics.explaining.vendor import explain_named_code, explain_vendor
from diagnostics.parsing.answers import AnswerKind, RecordedAnswer, read_answer
from diagnostics.parsing.embedded import unescaped
from diagnostics.signatures import Signature, best

__all__ = ["Explanation", "explain", "explain_lines"]

_LIMIT = 65_536
_HEAD, _TAIL = 12_288, 4_096  # what is searched for known texts: an answer's beginning, a stack trace's last cause
_MAX_LINE = 1_048_576
_SPECIFIC = 20  # signatures of this weight name one product's exact words and go before everything else
_EXACT = 26  # and from here on even where they allow no more than a category
_UNKNOWN = "This text names nothing known. Add the HTTP status, the whole body, or what was being sent where."
_ACCEPTED = "The server accepted the request, so this is no error. If the note is missing, look where it was filed."
_EMPTY = "There is no text here. Paste what came back: the status line, the headers and the body, or the log's lines."
_NOTE = "This reads like a note, not like an error. Paste what the EHR or the network answered to it instead."
_HL7 = re.compile(
    r"\b(?:hl7(?![-/.]?fhir)|mllp|ms[ha][-.|]\w|ob[xr][-. ]|pid[-.][0-9]|pv1\b|txa\b|evn\b|nack\b|mdm\^|oru\^|segment\b"
    r"|no ack\b|ack (?:received|timeout|code|control)|waiting for ack|mirth|rhapsody|cloverleaf|iguana|ca\.uhn\.hl7v2)"
    r"|<ens",
    re.IGNORECASE,
)
_STATUS = re.compile(
    r"\b(?:http(?:/[0-9.]{1,3})?|status(?:[ _-]?code)?|response(?:[ _-]?code)?|httpstatus|returned|got|received"
    r"|answered|error)\b[\"']?[\s:=(\[]{1,4}(?:http(?:/[0-9.]{1,3})? ?(?:status )?(?:code )?)?[\"']?"
    r"([345][0-9]{2})\b(?![.:][0-9])"
    r"|\b(?:indicate success|responded with|failed with(?: status)?(?: code)?|answered with):? ?([345][0-9]{2})\b"
    r"|\b([45][0-9]{2}) (?:client|server) error\b",
    re.IGNORECASE,
)
_LEADING = re.compile(r"\s{0,20}([345][0-9]{2})(?=[:,;]| -|$)")
_FHIR_XML = re.compile(r"(?:<\?xml[^>]{0,200}>\s{0,20})?<[A-Z][A-Za-z]{1,40} [^>]{0,400}http://hl7\.org/fhir[\"']")
_REASON = re.compile(
    r"\b(?:(400) bad request|(401) unauthorized|(403) forbidden|(404) not found|(405) method not allowed"
    r"|(406) not acceptable|(407) proxy authentication|(408) request time-?out|(409) conflict|(410) gone"
    r"|(412) precondition failed|(413) (?:request entity|payload|content) too large|(415) unsupported media type"
    r"|(422) unprocessable|(429) too many requests|(500) internal server error|(502) bad gateway"
    r"|(503) service (?:temporarily )?unavailable|(504) gateway time-?out|(511) network authentication)",
    re.IGNORECASE,
)


def explain(
    text: str | None, *, status: int | None = None, protocol: str | None = None, context: Any = None
) -> Explanation:
    """Explain one error text; never raises. `protocol` is fhir, hl7v2, oauth, tls or net; `context` is free words."""
    body = (text if isinstance(text, str) else "")[:_LIMIT]
    status = _as_status(status)
    if status is None:
        status = _status_of(body)
    answer = read_answer(body, status)
    aside = _as_words(context).lower()
    question = Question(
        answer=answer,
        status=status,
        protocol=protocol if isinstance(protocol, str) else _protocol_of(answer, body),
        context=f"{aside} {body.lower()}",
        words=_own_words(answer).lower(),
        aside=aside,
    )
    found = narrow(question, _judge(question, body))
    if found is not None:
        return found
    if 200 <= (status or answer.status or 0) < 300:
        return category_only(None, None, _ACCEPTED)
    return category_only(None, None, _UNKNOWN if body.strip() else _EMPTY)


def _judge(question: Question, body: str) -> Explanation | None:
    if _is_payload(question.answer, body):
        return category_only(None, None, "This is what was sent or stored, not an error; paste the answer to it.")
    if (question.status is None or question.status < 400) and reads_like_a_note(body):
        return category_only(None, None, _NOTE)
    known = _known(question, body)
    if known is not None and known.weight >= (_SPECIFIC if known.cause is not None else _EXACT):
        return _of_signature(known)
    structured = _structured(question)
    if structured is not None and structured.cause is not None and structured.firm:
        return structured
    if known is not None and known.cause is not None:
        return _of_signature(known)
    if structured is not None and structured.category is not None:
        return structured
    if known is not None:
        return _of_signature(known)
    accepted = question.status is not None and question.status < 300
    if structured is not None and structured.says and (accepted or question.answer.kind is not AnswerKind.VENDOR):
        return structured
    plain = explain_status(question, question.status) if question.status is not None else None
    return plain if plain is not None and plain.says else None


def _structured(question: Question) -> Explanation | None:
    """Explain the answer by its form; a challenge in its headers goes before an empty or free body."""
    kind = question.answer.kind
    if kind is AnswerKind.ACK:
        return explain_ack(question)
    if kind is AnswerKind.OPERATION_OUTCOME:
        return explain_outcome(question)
    if kind is AnswerKind.OAUTH:
        return explain_oauth(question)
    challenge = explain_challenge(question)
    if challenge is not None:
        return challenge
    if question.answer.page is not None:
        return explain_page(question)
    known = explain_vendor(question) if kind is AnswerKind.VENDOR else None
    return known or explain_named_code(question) or explain_fault(question)


def _known(question: Question, body: str) -> Signature | None:
    """Return the signature that fits best the beginning and the end of the text, also where it is escaped."""
    shown = body if len(body) <= _HEAD + _TAIL else f"{body[:_HEAD]}\n{body[-_TAIL:]}"
    text = "\n".join([shown, *unescaped(shown)[-1:], question.words[:_HEAD]])
    return best(text, status=question.status, protocol=question.protocol, context=question.context)


def _of_signature(signature: Signature) -> Explanation:
    if signature.category is None:
        return category_only(None, None, signature.says)
    return Explanation(signature.category, signature.cause, signature.certainty, signature.says)


def _is_payload(answer: RecordedAnswer, body: str) -> bool:
    """Tell a pasted note or message from an error: its clinical words must not be read as an error's."""
    start = body.lstrip("\x0b\r\n\t ")
    if start.startswith("MSH|") and answer.ack is None:
        return True
    if start.startswith("{") and answer.kind in (AnswerKind.VENDOR, AnswerKind.TEXT):  # text: cut before its end
        return '"resourceType"' in start and '"OperationOutcome"' not in start
    return bool(_FHIR_XML.match(start)) and answer.kind is AnswerKind.TEXT


def _own_words(answer: RecordedAnswer) -> str:
    """Return the answer's own words in full: descriptions and diagnostics, not codes."""
    described = [challenge.params.get("error_description", "") for challenge in answer.challenges]
    if answer.oauth:
        return " ".join([answer.oauth.description, *described])
    if answer.issues:
        return " ".join(issue.says for issue in (answer.errors or answer.issues))
    if answer.ack:
        return answer.ack.says
    if answer.vendor:
        return " ".join([answer.vendor.message, *described])
    return " ".join(described)


def _protocol_of(answer: RecordedAnswer, body: str) -> str | None:
    """Return hl7v2 where the text speaks of it; else what the form of the answer says, if anything."""
    if answer.kind is AnswerKind.ACK:
        return "hl7v2"
    if answer.kind in (AnswerKind.OPERATION_OUTCOME, AnswerKind.OAUTH):
        return "fhir" if answer.kind is AnswerKind.OPERATION_OUTCOME else "oauth"
    return "hl7v2" if _HL7.search(body[:8192]) else None


def _status_of(text: str) -> int | None:
    """Return the HTTP status that the text names in words, such as `status code 401` or `403 Forbidden`."""
    head = text[:8192]
    found = _REASON.search(head)
    if found:
        return int(next(group for group in found.groups() if group))
    named = _STATUS.search(head) or _LEADING.match(head)
    return int(next(group for group in named.groups() if group)) if named else None


def _as_status(status: Any) -> int | None:
    if isinstance(status, bool) or not isinstance(status, int | str):
        return None
    try:
        number = int(status)
    except ValueError:
        return None
    return number if 100 <= number <= 599 else None


def _as_words(context: Any) -> str:
    if context is None:
        return ""
    return context[:4096] if isinstance(context, str) else json.dumps(context, default=str)[:4096]


def explain_lines(lines: Iterable[str]) -> Iterator[str]:
    """Answer JSON Lines with JSON Lines: one object in, one object out, in order; a bad line answers with nulls."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield json.dumps(_explain_line(line, number).as_dict(), ensure_ascii=False)


def _explain_line(line: str, number: int) -> Explanation:
    if len(line) > 4 * _MAX_LINE:
        return category_only(None, None, f"Line {number} is longer than 4 MB; shorten the text.")
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return category_only(None, None, f'Line {number} is not a JSON object; write {{"text": …}} on one line.')
    if not isinstance(row, dict) or not isinstance(row.get("text"), str | None):
        return category_only(None, None, f'Line {number} needs an object whose key "text" holds the error text.')
    return explain(row.get("text"), status=row.get("status"), protocol=row.get("protocol"), context=row.get("context"))
