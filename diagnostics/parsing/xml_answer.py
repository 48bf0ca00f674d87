"""Read XML errors of no FHIR form: SOAP faults (1.1 and 1.2, WS-Security codes) and gateways' error documents.

By bounded patterns instead of a parser, because such bodies are logged cut, with prefixes bound elsewhere, or beside
other text. OperationOutcomes in XML are read by `embedded`.
"""

import html
import re

from diagnostics.parsing.json_answer import VendorError

_LIMIT = 65_536
_PREFIX = r"(?:[A-Za-z0-9_-]{1,30}:)?"
_FAULT = re.compile(rf"<{_PREFIX}(?:Fault|fault|Error|error|errorResponse|ErrorResponse|apiError)[\s>]")
_CODES = re.compile(
    rf"<{_PREFIX}(?:faultcode|Value|Code|code|errorCode|errorcode|Subcode)(?:\s[^<>]{{0,300}})?>([^<]{{1,200}})<"
)
_WORDS = re.compile(
    rf"<{_PREFIX}(?:faultstring|Text|Message|message|Reason|reason|description|Description|moreInformation|detail)"
    r"(?:\s[^<>]{0,300})?>([^<]{1,2000})<"
)


def read_xml_fault(text: str) -> VendorError | None:
    """Return the fault's codes and words, or None where the text holds no XML fault or error document."""
    body = text[:_LIMIT]
    start = _FAULT.search(body)
    if start is None or "<html" in body[:2000].lower():
        return None
    body = body[start.start() :]
    codes = tuple(code.strip() for code in _CODES.findall(body)[:8] if code.strip())
    words = " ".join(dict.fromkeys(html.unescape(word).strip() for word in _WORDS.findall(body)[:8]))
    if not codes and not words:
        return None
    return VendorError(code=codes[-1] if codes else "", message=words[:2000], codes=codes)
