"""Take out of a packet what belongs to patients and people: what is known by its value, all the rest by its shape.

Texts keep only words of our own, short numbers, times and what the integration's settings say. Ids of requests keep
their characters, unless they hold something that is known of the note. Addresses keep host and known path segments.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import timedelta
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from django.utils import timezone

from console.notes.log_rows import mask
from console.tickets.models import Ticket
from console.tickets.packet_words import LETTERS, is_own
from diagnostics.case import Case
from diagnostics.parsing.fhir_definitions import known_names
from diagnostics.redaction import Redactor, names_in, redact_text, secret_name

_GAP = "[…]"
_PERSONAL = ("encounter_id", "patient_id", "provider_id")
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?"
_TOKEN = re.compile(
    r"(?P<kept>\[(?:removed|note|encounter|patient|provider|date|id|…)\]|<(?:w|n|id|text)>)"
    rf"|(?P<time>{_TIME})"
    r"|(?P<url>https?://[^\s\"'<>]+)"
    r"|(?P<measure>\d{1,9}(?:\.\d{1,3})?(?= ?(?:ms|s|seconds?|minutes?|hours?|days?|bytes?|characters?|%)\b))"
    r"|(?P<standard>\b(?:RS|ES|PS|SHA-|UTF-|HL7 v|FHIR R|TLS |TLSv|HTTP/|R|v)\d{1,4}(?:\.\d{1,3}){0,3}\b)"
    r"|(?P<field>\b[A-Z][A-Z0-9]{2}-\d{1,2}(?:\.\d{1,2})?\b)"
    r"|(?P<joined>[^\W_]+(?:[-/:#.][^\W_]+)+)"  # ids, names with a hyphen, versions, hosts
    r"|(?P<single>[^\W_]+)"
)
_NUMBER = re.compile(r"\d{1,4}")
_DECIMAL = re.compile(r"\d{1,3}(?:\.\d{1,3}){1,2}")
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])(?![\dT])")
_ID = re.compile(r"[\w.:/+=@~-]{1,128}")
_HOST = re.compile(r"(?:[a-z0-9-]{1,63}\.){0,10}[a-z0-9-]{1,63}(?::\d{1,5})?|\[[0-9a-f:]{2,45}\](?::\d{1,5})?")
_LONG_NUMBER = re.compile(r"\d{5}")
_VERSION = re.compile(r"(?:v|r|stu|dstu)?\d{1,2}(?:\.\d{1,2}){0,2}", re.IGNORECASE)
_SEGMENTS = frozenset(["api", "rest", "fhir", "oauth", "token", "auth", "connect", "interconnect", "apis", "gateway"])
# Letters inside an id are no word: a request's id must not be taken for one because the payload holds it too.
_STANDING_ALONE = re.compile(r"(?<![\w-])[^\W\d_]{4,40}(?![\w-])")
_LONG_OR_DATE = re.compile(r"(?<![\w-])(?:\d{4}-\d\d-\d\d|\d{5,20})(?![\w-])")
_MOST_WORDS = 50_000
_TIMES_OF = timedelta(days=730)


class Cleaner:
    """Know what the ticket's notes hold, and let nothing of it through."""

    def __init__(self, ticket: Ticket, cases: list[Case]) -> None:
        self._redactors = [Redactor(case) for case in cases]
        ids: dict[str, str] = {}
        for row in ticket.ticket_notes.select_related("note"):
            ids[row.note.external_id] = "[note]"
            for key in _PERSONAL:
                value = str((row.note.identifiers or {}).get(key) or "")
                for part in {value, value.rpartition("/")[2]}:
                    ids[part] = f"[{key.removesuffix('_id')}]"
        self._ids = {value: name for value, name in ids.items() if len(value) > 2}
        longest = sorted(self._ids, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest)), re.IGNORECASE) if longest else None
        self._by_lower = {value.lower(): name for value, name in self._ids.items()}
        self._strange = frozenset(_strange_words(cases))
        self._numbers = frozenset(_numbers(cases, ids))
        self._names = tuple({name.lower() for case in cases for name in _people(case)})
        self._earliest = (timezone.now() - _TIMES_OF).date().isoformat()
        self._settings = _settings(ticket.integration.settings)
        self._hosts, self._segments = _places(ticket.integration.settings)

    def text(self, text: str) -> str:
        """Clean a sentence: what is not a word of ours, a short number, a time or a setting becomes a gap."""
        for redactor in self._redactors:
            text = redactor.text(text)
        text = _DATE.sub("[date]", self._without_ids(redact_text(text)))
        text = _TOKEN.sub(self._token, text)
        return re.sub(rf"{re.escape(_GAP)}(?:[\s.,;:/_-]{{0,3}}{re.escape(_GAP)})+", _GAP, text)

    def error(self, text: str) -> str:
        """Reduce an error's text to the words of which errors are made, as signatures are."""
        return self.text(mask(self._without_ids(text)))

    def id(self, value: str) -> str:
        """Give an id by which a vendor finds a request, without anything that is known of the note."""
        value = value.strip()
        if not value:
            return ""
        cleaned = _DATE.sub("[date]", self._without_ids(redact_text(value)))
        shaped = _ID.fullmatch(value) and any(c.isdigit() for c in value)
        return cleaned if shaped and not self.is_known(cleaned) else _GAP

    def is_known(self, text: str) -> bool:
        """Tell whether a short text holds an id, a name or an unusual word of the note."""
        lowered = text.lower()
        if (self._known and self._known.search(text)) or any(name in lowered for name in self._names):
            return True
        if any(number in self._numbers for number in re.findall(r"\d{5,}", text)):
            return True
        return any(word in self._strange for word in LETTERS.findall(lowered) if len(word) > 3)

    def moment(self, text: str) -> bool:
        """Tell whether a time may be sent: of the last two years or to come, and no date that the note holds."""
        return text[:10] >= self._earliest and text[:10].replace("-", "") not in self._numbers

    def address(self, url: str) -> str:
        """Give host and path; a query may name a patient, and a segment that nobody knows may be an id."""
        parts = urlsplit(url.strip())
        host = parts.netloc.rpartition("@")[2].lower()
        path = "/".join(self._segment(segment) for segment in parts.path.split("/"))
        return f"{self._host(host)}{path}" if host else path

    def _host(self, host: str) -> str:
        if host in self._hosts:
            return host
        known = self._without_ids(host) != host or self.is_known(host) or _LONG_NUMBER.search(host.partition(":")[0])
        return "[host]" if known or not _HOST.fullmatch(host) else host

    def _segment(self, segment: str) -> str:
        if not segment or segment in self._segments or segment in known_names():
            return segment
        words = LETTERS.findall(segment)
        plain = re.fullmatch(r"[$_]?[A-Za-z-]{1,40}", segment) and all(
            word.lower() in _SEGMENTS or is_own(word) for word in words
        )
        if (plain or _VERSION.fullmatch(segment)) and not self.is_known(segment):
            return self._without_ids(segment)
        return "[id]"

    def _without_ids(self, text: str) -> str:
        return self._known.sub(lambda match: self._by_lower[match[0].lower()], text) if self._known else text

    def _token(self, match: re.Match[str]) -> str:
        kind, value = match.lastgroup, match[0]
        if kind == "time":
            return value if self.moment(value) else "[date]"
        if value in self._settings or kind in ("kept", "measure", "standard", "field"):
            return value
        if kind == "url":
            return self.address(value)
        if kind == "joined" and not any(c.isdigit() for c in value):
            return LETTERS.sub(lambda word: word[0] if self._passes(word[0]) else _GAP, value)
        plain = self._passes(value) or _NUMBER.fullmatch(value) or _DECIMAL.fullmatch(value)
        return value if plain or value.lower() in self._hosts else _GAP

    def _passes(self, word: str) -> bool:
        return word in self._settings or is_own(word)


def _strange_words(cases: Iterable[Case]) -> Iterable[str]:
    """Give the words of the notes that are none of ours, in lower case."""
    for case in cases:
        if case.note is None:
            continue
        texts = [case.note.narrative or "", (case.note.payload or b"")[:1_000_000].decode("utf-8", errors="replace")]
        for text in texts:
            for match in islice(_STANDING_ALONE.finditer(text), _MOST_WORDS):
                if not is_own(match[0]):
                    yield match[0].lower()


def _numbers(cases: Iterable[Case], ids: Iterable[str]) -> Iterable[str]:
    """Give the long numbers of the notes and of their ids, dates among them; not the id by which a note was sent."""
    for id in ids:
        yield from re.findall(r"\d{5,}", id)
    for case in cases:
        if case.note is None:
            continue
        sent = case.note.transaction_id or ""
        texts = [case.note.narrative or "", (case.note.payload or b"")[:1_000_000].decode("utf-8", errors="replace")]
        for text in texts:
            for match in islice(_LONG_OR_DATE.finditer(text), _MOST_WORDS):
                if match[0] not in sent:
                    yield match[0].replace("-", "")


def _people(case: Case) -> Iterable[str]:
    payload = (case.note.payload or b"")[:1_000_000].decode("utf-8", errors="replace") if case.note else ""
    return (name for name in names_in(payload) if len(name) > 3)


def _settings(settings: Mapping[str, Any]) -> frozenset[str]:
    """Give the words of the integration's settings that are no secrets: key ids, client ids, applications."""
    found: set[str] = set()

    def walk(value: Any, name: str = "") -> None:
        if secret_name(name) or name in ("canary", "patient", "encounter", "password"):
            return
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(inner, str(key))
        elif isinstance(value, list):
            for inner in value:
                walk(inner, name)
        elif isinstance(value, str) and len(value) < 200:
            found.update((value, *re.findall(r"[^\W_]+", value)))

    walk(settings)
    return frozenset(found)


def _places(settings: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Give hosts and path segments of the addresses that the settings name."""
    hosts: set[str] = set()
    segments: set[str] = set()

    def walk(value: Any) -> None:
        if isinstance(value, Mapping):
            for inner in value.values():
                walk(inner)
        elif isinstance(value, str) and "://" in value:
            parts = urlsplit(value)
            hosts.add(parts.netloc.rpartition("@")[2].lower())
            segments.update(filter(None, parts.path.split("/")))

    walk(settings)
    hl7 = settings.get("hl7")
    if isinstance(hl7, Mapping) and hl7.get("host"):
        hosts.update({str(hl7["host"]).lower(), f"{hl7['host']}:{hl7.get('port', '')}".lower()})
    return frozenset(hosts), frozenset(segments)
