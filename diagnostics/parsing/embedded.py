"""Find the structured part of an answer inside the text it was pasted or logged in.

A scribe's log rarely keeps a body alone: it keeps "400 Bad Request: {...}", a Python repr, an escaped string or the
whole transcript of curl. Everything here is bounded and never raises.
"""

import ast
import json
import re
from typing import Any
from urllib.parse import parse_qsl

from defusedxml import ElementTree  # type: ignore[import-untyped]
from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]

LIMIT = 65_536
_MAX_STARTS = 40
_MAX_LAYERS = 3
_ESCAPE = re.compile(r"\\([nrt\"/\\])")
_ANSWER_KEYS = frozenset({"error", "issue", "resourceType", "fault", "errors", "errorCode", "errorcode", "message"})
_BODY_KEYS = ("body", "response", "responseBody", "response_body", "payload", "data", "content", "result")
_TEXT_KEYS = ("message", "error", "errorMessage", "detail", "Message", "msg", "log")  # a whole body as one string
_MAX_LITERAL = 16_384  # a Python literal is parsed recursively: keep it small
_DECODER = json.JSONDecoder(strict=False)
_FORM = re.compile(r"(?:^|[\s?&#\"'])(error=[a-z_]{3,60}(?:&[A-Za-z_]{1,40}=[^\s\"'<>]{0,2000}){0,12})")
_OAUTH_WORD = re.compile(
    r"(?<![A-Za-z0-9_./-])(invalid_client|invalid_grant|unauthorized_client|invalid_scope|unsupported_grant_type"
    r"|invalid_request|access_denied|invalid_token|insufficient_scope|interaction_required|login_required"
    r"|consent_required|invalid_target|temporarily_unavailable)(?![A-Za-z0-9_-])"
)
_HEADER = re.compile(r"^(?:<\s|\s{0,8})?([A-Za-z][A-Za-z0-9-]{1,60}):[ \t]{1,4}(\S[^\r\n]{0,4000})$")
_JSON_HEADER = re.compile(  # as an HTTP client prints them in an error object
    r"[\"'](www-authenticate|proxy-authenticate|via|server|location|retry-after|x-cache|x-squid-error)[\"']"
    r"\s{0,3}:\s{0,3}[\"']((?:[^\"\\\n]|\\.){1,2000})[\"']",
    re.IGNORECASE,
)
_STATUS_LINE = re.compile(r"\bHTTP/[0-9](?:\.[0-9])?[ \"]{1,4}([1-5][0-9]{2})\b")


def json_object(text: str) -> dict[str, Any] | None:
    """Return the first JSON object (or Python dict literal, or object in an escaped string) within the text."""
    text = text[:LIMIT]
    for candidate in _spellings(text):
        found = _first_object(candidate)
        if found is not None:
            return found
    return None


def unescaped(text: str) -> list[str]:
    """Return the text without one, two and three layers of JSON string escapes, where it has them."""
    found: list[str] = []
    for _ in range(_MAX_LAYERS):
        if '\\"' not in text and "\\n" not in text and "\\r" not in text:
            break
        text = _ESCAPE.sub(_unescape_one, text)
        found.append(text)
    return found


def _unescape_one(match: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r", "t": " ", '"': '"', "/": "/", "\\": "\\"}[match.group(1)]


def _spellings(text: str) -> list[str]:
    spellings = [text]
    if '\\"' in text:  # a body logged inside a JSON string, perhaps more than once
        spellings.extend(unescaped(text))
    if "&quot;" in text:
        spellings.append(text.replace("&quot;", '"'))
    return spellings


def _first_object(text: str) -> dict[str, Any] | None:
    """Return the object that looks like an answer; a log may print headers or a request before it."""
    start, found = -1, None
    for _ in range(_MAX_STARTS):
        start = text.find("{", start + 1)
        if start < 0:
            break
        end = start
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            value = _literal(text, start)
        if isinstance(value, dict) and value:
            value = _inner(value) or value
            if not _ANSWER_KEYS.isdisjoint(value):
                return value
            found = found or value
        start = max(start, end - 1)
    return found


def _inner(row: dict[str, Any]) -> dict[str, Any] | None:
    """Return the body that a log row carries, as an object or as a string of JSON."""
    for key in (*_BODY_KEYS, *_TEXT_KEYS):
        value = row.get(key)
        if key in _TEXT_KEYS and not isinstance(value, str):
            continue
        if isinstance(value, str) and value.lstrip().startswith("{"):
            try:
                value = json.loads(value, strict=False)
            except (ValueError, RecursionError):
                continue
        if isinstance(value, dict) and not _ANSWER_KEYS.isdisjoint(value):
            return value
    return None


def _literal(text: str, start: int) -> Any:
    """Read a Python dict repr, which starts `{'` and ends at the last brace of its line."""
    if not text.startswith("{'", start):
        return None
    end = text.rfind("}", start, start + _MAX_LITERAL)
    if end < 0:
        return None
    try:
        return ast.literal_eval(text[start : end + 1])
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def operation_outcome_xml(text: str) -> dict[str, Any] | None:
    """Return an OperationOutcome written in XML as the dict its JSON form would be."""
    start = text.find("<OperationOutcome")
    end = text.find("</OperationOutcome>", start)
    if start < 0 or end < 0:
        return None
    try:
        root = ElementTree.fromstring(text[start : end + len("</OperationOutcome>")])
    except (ElementTree.ParseError, DefusedXmlException, ValueError, RecursionError):
        return None
    issues = []
    for element in root:
        if _local(element) == "issue":
            issue: dict[str, Any] = {}
            for child in element:
                name = _local(child)
                if name == "details":
                    issue["details"] = _concept(child)
                elif name in ("expression", "location"):
                    issue.setdefault(name, []).append(child.get("value", ""))
                else:
                    issue[name] = child.get("value", "")
            issues.append(issue)
    return {"resourceType": "OperationOutcome", "issue": issues}


def _local(element: Any) -> str:
    return str(element.tag).rsplit("}", 1)[-1]


def _concept(element: Any) -> dict[str, Any]:
    concept: dict[str, Any] = {}
    for child in element:
        if _local(child) == "text":
            concept["text"] = child.get("value", "")
        elif _local(child) == "coding":
            concept.setdefault("coding", []).append({_local(part): part.get("value", "") for part in child})
    return concept


def oauth_form(text: str) -> dict[str, str] | None:
    """Return the parameters of an OAuth error carried in a redirect or form (`error=...&error_description=...`)."""
    match = _FORM.search(text[:LIMIT])
    if match is None:
        return None
    return dict(parse_qsl(match.group(1), keep_blank_values=True))


def oauth_words(text: str) -> dict[str, str] | None:
    """Return a registered OAuth error code named in a sentence, with the sentence as its description."""
    match = _OAUTH_WORD.search(text[:LIMIT])
    if match is None:
        return None
    around = text[max(0, match.start() - 200) : match.end() + 600]
    return {"error": match.group(1), "error_description": around.replace(match.group(1), " ")}


def headers(text: str) -> dict[str, str]:
    """Return response headers written one a line (as curl prints them) or as JSON members, names in lower case."""
    found: dict[str, str] = {}
    for line in text[:LIMIT].splitlines()[:400]:
        if line.startswith(">"):  # curl -v marks what was sent; only the answer counts
            continue
        match = _HEADER.match(line)
        if match:
            name, value = match.group(1).lower(), match.group(2).strip()
            if name.endswith("-authenticate") and name in found:  # each challenge may have a line of its own
                value = f"{found[name]}, {value}"
            elif name in found:
                continue
            found[name] = value
    for written in _JSON_HEADER.finditer(text[:LIMIT]):
        name, value = written.group(1).lower(), written.group(2).replace('\\"', '"')
        if name != "location" or value.startswith(("http", "/")):
            found.setdefault(name, value)
    return found


def http_status(text: str) -> int | None:
    """Return the status of the last status line (`HTTP/1.1 401 ...`): a proxy's CONNECT answer comes before it."""
    found = _STATUS_LINE.findall(text[:LIMIT])
    return int(found[-1]) if found else None
