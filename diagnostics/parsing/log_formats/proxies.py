"""Read access logs of proxies: Squid's native format, Apache's and nginx's common and combined, HAProxy's."""

import re
from datetime import datetime

from diagnostics.parsing.log_formats.moments import epoch, iso
from diagnostics.parsing.log_formats.pieces import Odd, Row

_SQUID = re.compile(
    r"(?P<at>\d{9,10}(?:\.\d{1,6})?)\s+-?\d+\s+(?P<client>\S+)\s+(?P<result>[A-Z_]+)/(?P<status>\d{3})\s+-?\d+\s+"
    r"(?P<method>\S+)\s+(?P<url>\S+)(?:\s|$)"
)
_ACCESS = re.compile(
    r"(?:[A-Za-z0-9.\-]{1,253}(?::\d{1,5})? (?=\d{1,3}\.\d{1,3}\.|[0-9A-Fa-f]{0,4}:))?"
    r"(?P<client>\S{1,253}) \S{1,100} (?:\"[^\"]{0,200}\"|[^\[\"]{1,200}?) "
    r"\[(?P<at>\d{1,2}/[A-Za-z]{3}/\d{4}:\d{2}:\d{2}:\d{2}(?:\.\d{1,6})? ?(?:[+-]\d{4})?)\] "
    r"\"(?P<request>(?:[^\"\\]|\\.)*)\" (?P<status>\d{3}|-)(?:\s|$)"
)
_HAPROXY = re.compile(
    r"(?P<client>[0-9A-Fa-f.:]{2,45}):\d{1,5} \[(?P<at>\d{1,2}/[A-Za-z]{3}/\d{4}:\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)\] "
    r"(?P<frontend>\S+) (?P<backend>\S+) (?P<timers>[-+\d/]+) (?:(?P<status>\d{3}|-1) )?\+?\d+ "
    r"(?:\S+ \S+ (?P<http_end>[A-Za-z-]{4})|(?P<tcp_end>[A-Za-z-]{2})) [\d/+]+ \d+/\d+"
    r"(?: \{[^}]*\}){0,2}(?: \"(?P<request>[^\"]*)\"?)?"
)


def squid(text: str, now: datetime) -> Row:
    """Read a line of Squid's native format (logformat squid); its time is epoch seconds."""
    found = _SQUID.search(text[:8192])
    if found is None:
        raise Odd("is no line of Squid's native format")
    try:
        at = epoch(found["at"])
    except ValueError:
        raise Odd("its time is none") from None
    return _row(at, found["method"], found["url"], found["status"], found["result"], found["client"])


def access_log(text: str, now: datetime) -> Row:
    """Read a line of the common or combined log format, also with the virtual host before it."""
    found = _ACCESS.match(text[:65536])
    if found is None:
        raise Odd("is no line of the common or combined log format")
    method, url = _request(found["request"])
    return _row(_time(found["at"]), method, url, found["status"], "", found["client"])


def haproxy(text: str, now: datetime) -> Row:
    """Read a line of HAProxy's httplog or tcplog; `result` is the termination state, `----` a normal end."""
    found = _HAPROXY.search(text[:65536])
    if found is None:
        raise Odd("is no line of HAProxy's HTTP or TCP log format")
    method, url = _request(found["request"] or "")
    row = _row(_time(found["at"]), method, url, found["status"] or "", "", found["client"])
    row["result"] = found["http_end"] or found["tcp_end"]
    row["backend"] = found["backend"][:200]
    return row


def _time(written: str) -> str:
    try:
        return iso(written.strip())
    except ValueError:
        raise Odd("its time does not exist") from None


def _request(text: str) -> tuple[str, str]:
    """Split `POST /path HTTP/1.1`; a request that was none has neither method nor address."""
    parts = text.split(" ")
    if len(parts) < 2 or not parts[0].isascii() or not parts[0].replace("-", "").isalpha():
        return "", ""
    end = -1 if parts[-1].startswith("HTTP/") and len(parts) > 2 else len(parts)
    return parts[0], " ".join(parts[1:end])


def _row(at: str, method: str, url: str, status: str, result: str, client: str) -> Row:
    row: Row = {"at": at}
    for key, value in (("method", method), ("url", url), ("result", result), ("client", client)):
        if value not in ("", "-"):
            row[key] = value
    if status.isdigit() and int(status) >= 100:
        row["status"] = int(status)
    return row
