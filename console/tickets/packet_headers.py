"""The headers of a packet's requests: every name, and the values of those that say nothing of anybody."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from console.tickets.packet_cleaning import Cleaner
from console.tickets.packet_words import LETTERS, is_own

MOST_HEADERS = 40
_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,60}")
_IDS = (
    "x-request-id",
    "x-correlation-id",
    "request-id",
    "correlation-id",
    "x-amzn-requestid",
    "x-ms-request-id",
    "cf-ray",
)
_MEDIA = r"[a-z]{1,20}/[a-z0-9.+-]{1,60}(?:; ?(?:charset|version|fhirversion|profile|q)=\"?[a-z0-9.:/-]{1,60}\"?){0,3}"
_MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
_HTTP_DATE = rf"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{{2}} (?:{_MONTHS}) \d{{4}} [\d:]{{8}} GMT"
_DATE = re.compile(_HTTP_DATE)
_SECONDS = re.compile(rf"\d{{1,7}}|{_HTTP_DATE}")
_COUNT = re.compile(r"\d{1,12}")
_ANY = r"\*/\*(?:;q=[\d.]{1,4})?"
_MEDIA_TYPES = re.compile(rf"(?:{_MEDIA}|{_ANY})(?:, ?(?:{_MEDIA}|{_ANY})){{0,5}}", re.I)
_MEDIA_WORDS = frozenset(
    ["fhir", "json", "xml", "html", "utf", "charset", "fhirversion", "hl", "er", "iso", "ascii", "q"]
)
_DIRECTIVES = re.compile(
    r"(?:no-cache|no-store|no-transform|must-revalidate|private|public|max-age=\d{1,9}|s-maxage=\d{1,9}|close|keep-alive"
    r"|upgrade|chunked|gzip|br|deflate|identity|zstd|\*|return=(?:minimal|representation|OperationOutcome)|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|bytes"
    r"|none|origin|accept|authorization|content-type|accept-encoding|prefer)"
    r"(?:, ?|; ?|$)", re.I,
)  # fmt: skip
_SERVERS = re.compile(
    r"(?:nginx|openresty|apache|microsoft-iis|microsoft-httpapi|kestrel|jetty|tomcat|envoy|istio-envoy|haproxy|varnish|squid"
    r"|cloudflare|cloudfront|awselb|akamaighost|akamainetstorage|bigip|gunicorn|uvicorn|caddy|traefik|kong|apigee|undertow"
    r"|websphere|weblogic|gws|google frontend|uhttpd|lighttpd|litespeed|intersystems|hapi)(?:/[\d.v]{1,20})?", re.I,
)  # fmt: skip
_SCHEME = re.compile(r"\s*(Bearer|Basic|DPoP|Negotiate|NTLM|Digest)\b", re.I)
_OAUTH_ERROR = re.compile(
    r'error="?(invalid_request|invalid_token|insufficient_scope|invalid_client|unauthorized_client)'
)
_BY_SHAPE: Mapping[str, re.Pattern[str]] = {
    **dict.fromkeys(("date", "expires"), _DATE),
    "retry-after": _SECONDS,
    **dict.fromkeys(("content-length", "age", "x-ratelimit-limit", "x-ratelimit-remaining"), _COUNT),
    **dict.fromkeys(("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "x-ratelimit-reset"), _COUNT),
    **dict.fromkeys(("content-type", "accept", "accept-post", "accept-patch"), _MEDIA_TYPES),
}
_OF_DIRECTIVES = frozenset(
    [
        *("cache-control", "connection", "transfer-encoding", "content-encoding", "accept-encoding", "vary", "allow"),
        *("accept-ranges", "prefer", "preference-applied"),
    ]
)


@dataclass(frozen=True)
class Header:
    """Be one header; the value is None where it is not sent along."""

    name: str
    value: str | None


def headers(given: Mapping[str, object], clean: Cleaner, id_headers: Iterable[str] = ()) -> tuple[Header, ...]:
    """Give the headers of one message by name; `id_headers` are those in which the vendor sends its request ids."""
    ids = {name.lower() for name in id_headers} | set(_IDS)
    found = {_name(str(name), clean): str(value) for name, value in given.items() if value not in (None, "")}
    names = sorted(found)[:MOST_HEADERS]
    return tuple(Header(name, _value(name, found[name].strip(), clean, ids)) for name in names)


def _name(name: str, clean: Cleaner) -> str:
    """Give a name as it is, unless somebody put something of the note into it."""
    name = name.strip().lower()
    odd = not _NAME.fullmatch(name) or clean.is_known(name) or re.search(r"\d{3}", name)
    return "[odd name]" if odd else name


def _value(name: str, value: str, clean: Cleaner, ids: set[str]) -> str | None:
    if name in ids:
        return clean.id(value)
    if name in _BY_SHAPE:
        return value if _BY_SHAPE[name].fullmatch(value) and _plain(value, clean) else None
    if name in _OF_DIRECTIVES:
        return value if _DIRECTIVES.sub("", value) == "" else None
    reader = _READERS.get(name)
    return reader(value) if reader else None


def _plain(value: str, clean: Cleaner) -> bool:
    """Tell whether a media type, date or count holds nothing but words that such values have."""
    if _SECONDS.fullmatch(value):
        return True
    return not clean.is_known(value) and all(
        word.lower() in _MEDIA_WORDS or is_own(word) for word in LETTERS.findall(value)
    )


def _challenge(value: str) -> str | None:
    scheme, error = _SCHEME.match(value), _OAUTH_ERROR.search(value)
    if scheme is None:
        return None
    return f'{scheme[1]} error="{error[1]}"' if error else scheme[1]


def _server(value: str) -> str | None:
    found = _SERVERS.match(value)
    return found[0] if found else None


_READERS: Mapping[str, Callable[[str], str | None]] = {
    "www-authenticate": _challenge,
    "proxy-authenticate": _challenge,
    "server": _server,
}
