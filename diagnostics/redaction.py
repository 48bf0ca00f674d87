"""Take secrets and clinical text out of whatever leaves the engine: JSON, logs, errors, stored exchanges.

Secrets are found by where they stand (header and parameter names) and by their shape (JWT, PEM, bearer). Clinical
text is never masked by guessing: it is not put into findings in the first place; known texts of the case (the
note's narrative and payload lines, patient names in the payload) are removed wherever they slipped through.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from diagnostics.case import Case

MASK = "[removed]"

# What the engine itself words: no value of the case can have slipped in, and a surname such as "Field" must not
# blank it.
OWN_WORDS = {
    "title",
    "remedy",
    "id",
    "name",
    "status",
    "cause",
    "category",
    "check",
    "failure_mode",
    "stage",
    "state",
    "who_acts",
    "certainty",
    "blocked_by",
    "checklist",
    "kind",
}

_SECRET_NAMES = re.compile(
    r"^(?:proxy-)?authorization$|cookie|client_assertion(?!_type)|client_secret|refresh_token|access_token|id_token|api[-_]?key"
    r"|private_key|password|passwd|secret|x-amz-security-token|set-cookie",
    re.IGNORECASE,
)
_SHAPES = (
    re.compile(
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY-----.{0,8000}?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY-----|\Z)", re.S
    ),
    re.compile(r"\beyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{4,8000}(?:\.[A-Za-z0-9_-]{0,4000})?"),
    re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,4000}"),
    re.compile(
        r"""(?i)(["']?(?:client_secret|client_assertion|refresh_token|access_token|id_token|api[_-]?key|password)["']?"""
        r"""\s{0,3}[:=]\s{0,3})("[^"]{1,4000}"|'[^']{1,4000}'|[^\s"'&,;}]{1,4000})"""
    ),
)


def secret_name(name: str) -> bool:
    """Tell whether a header, parameter or key of this name carries a secret."""
    return bool(_SECRET_NAMES.search(name))


def redact_text(value: str) -> str:
    """Return text without anything shaped like a secret."""
    for shape in _SHAPES:
        value = shape.sub(_masked, value)
    return value


def _masked(match: "re.Match[str]") -> str:
    if match.lastindex == 1:
        return f"{match.group(1)} {MASK}"
    if match.lastindex == 2:
        return f"{match.group(1)}{MASK}"
    return MASK


class Redactor:
    """Remove secrets by shape, and the case's own secrets and clinical text by value."""

    def __init__(self, case: Case) -> None:
        known = sorted(_known(case), key=len, reverse=True)
        self._known = re.compile("|".join(rf"(?<!\w){re.escape(k)}(?!\w)" for k in known)) if known else None

    def text(self, value: str) -> str:
        """Return text without secrets and without what the case holds of the note."""
        value = redact_text(value)
        return self._known.sub(MASK, value) if self._known else value

    def data(self, value: Any) -> Any:
        """Return JSON-like data with every string redacted and every secret-named key masked."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {
                str(key): item
                if str(key) in OWN_WORDS and not isinstance(item, Mapping)
                else MASK
                if secret_name(str(key)) and isinstance(item, str) and item
                else self.data(item)
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.data(item) for item in value]
        return value


def _known(case: Case) -> Iterable[str]:
    auth = case.integration.auth
    for secret in (auth.client_secret, auth.refresh_token, auth.api_key, auth.assertion):
        if secret and len(secret) >= 6:
            yield secret
    if case.note is None:
        return
    if case.note.narrative:
        yield from _lines(case.note.narrative)
    if case.note.payload:
        payload = case.note.payload[:1_000_000].decode("utf-8", errors="replace")
        yield from names_in(payload)
    for value in _filed_texts(case):
        yield from _lines(value)


def _lines(value: str) -> Iterable[str]:
    for line in value.splitlines()[:2000]:
        line = line.strip()
        if len(line) >= 12:
            yield line


def _filed_texts(case: Case) -> Iterable[str]:
    fields = (case.filed or {}).get("fields") or {}
    if isinstance(fields, Mapping):
        yield from (str(value) for value in fields.values() if value)


_HL7_NAME = re.compile(r"(?:^|[\r\n])(?:PID|NK1)\|([^\r\n]{0,2000})")


def names_in(payload: str) -> Iterable[str]:
    """Yield names of people in a payload: PID-5 of HL7, family and given names of FHIR."""
    for match in _HL7_NAME.finditer(payload):
        fields = match.group(1).split("|")
        if len(fields) > 4:
            yield from (part for part in fields[4].split("^") if len(part) >= 3)
    for match in re.finditer(r'"(?:family|given)"\s{0,4}:\s{0,4}(\[[^\]]{0,400}\]|"[^"\\]{1,200}")', payload):
        yield from (name for name in re.findall(r'"([^"\\]{3,200})"', match.group(1)))
