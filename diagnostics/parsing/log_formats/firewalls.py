"""Read logs of firewalls: Linux (iptables, nftables, ufw), pf's filterlog, AWS VPC flow logs."""

import re
from collections.abc import Sequence
from datetime import datetime

from diagnostics.parsing.log_formats.firewall_words import action_of
from diagnostics.parsing.log_formats.moments import epoch
from diagnostics.parsing.log_formats.pieces import Odd, Row
from diagnostics.parsing.log_formats.syslog import with_time

_FIELD = re.compile(r"(?:^|\s)(SRC|DST|DPT|SPT|PROTO)=(\S*)")
_AFTER_PREFIX = re.compile(r"\b(?:IN|OUT|SRC|PHYSIN|MAC)=")
_FILTERLOG = re.compile(r"filterlog(?:\[\d+\])?:\s+|filterlog \d+ \S+ (?:-|\[.*?\]) |(?<=[\s:])(?=\d+,[^,]*,[^,]*,)")
_V4, _V6 = (15, 16, 18, 19), (12, 13, 15, 16)  # protocol number, protocol, source, destination
_TOO_FEW = "has too few fields for a line of filterlog"
_FLOW = ("version", "account-id", "interface-id", "srcaddr", "dstaddr", "srcport", "dstport", "protocol", "packets",
         "bytes", "start", "end", "action", "log-status")  # fmt: skip
_FLOW_NAME = re.compile(r"[a-z][a-z0-9-]*")
_EVENT_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\S+\s+(?=\d)")


def iptables(text: str, now: datetime) -> Row:
    """Read a line of the Linux kernel's packet filter; the rule's log prefix says what was done."""
    at, message = with_time(text, now)
    fields = dict(_FIELD.findall(message[:8192]))
    if not fields.get("SRC") or not fields.get("DST"):
        raise Odd("is no line of the packet filter: SRC= and DST= are missing")
    said = message.partition("kernel:")[2] or message
    end = _AFTER_PREFIX.search(said[:1000])
    action = action_of(said[: end.start()]) if end else None
    if action is None:
        raise Odd("does not say what was done: its log prefix names no DROP, REJECT, ACCEPT or the like")
    return flow(at, action, fields["SRC"], fields["DST"], fields.get("DPT", ""))


def filterlog(text: str, now: datetime) -> Row:
    """Read a line of pf's filterlog (pfSense, OPNsense): comma-separated fields behind a syslog header."""
    at, message = with_time(text, now)
    begin = _FILTERLOG.search(message[:1000])
    if begin is None:
        raise Odd("is no line of filterlog")
    cells = message[begin.end() :].strip().split(",")
    if len(cells) < 9:
        raise Odd(_TOO_FEW)
    action = action_of(cells[6])
    if action is None:
        raise Odd("its action is neither pass nor block")
    where = {"4": _V4, "6": _V6}.get(cells[8])
    if where is None:
        raise Odd("its IP version is neither 4 nor 6")
    if len(cells) <= where[3]:
        raise Odd(_TOO_FEW)
    ports = cells[where[3] + 2 : where[3] + 3] if {cells[where[0]], cells[where[1]]} & {"6", "17", "tcp", "udp"} else []
    return flow(at, action, cells[where[2]], cells[where[3]], ports[0] if ports else "")


def flow_names(text: str) -> tuple[str, ...] | None:
    """Return the field names of a VPC flow log's header line, or None where the line is no header."""
    names = tuple(text.replace("_", "-").replace("${", "").replace("}", "").split())
    known = len({"srcaddr", "dstaddr", "action", "start"} & set(names)) >= 2
    return names if known and all(_FLOW_NAME.fullmatch(name) for name in names) else None


def vpc_flow(text: str, names: Sequence[str] | None) -> list[Row]:
    """Read a line of an AWS VPC flow log; none for a minute without traffic (NODATA) or without data (SKIPDATA)."""
    cells = _EVENT_TIME.sub("", text, count=1).split()
    names = names or _FLOW
    if len(cells) != len(names):
        raise Odd(f"has {len(cells)} fields where the log has {len(names)}")
    field = dict(zip(names, cells, strict=True))
    if field.get("log-status") in ("NODATA", "SKIPDATA"):
        return []
    action = action_of(field.get("action", ""))
    if action is None:
        raise Odd("action is neither ACCEPT nor REJECT")
    try:
        at = epoch(field.get("start", ""))
    except ValueError:
        raise Odd("start is no time in seconds") from None
    return [flow(at, action, field.get("srcaddr", ""), field.get("dstaddr", ""), field.get("dstport", ""))]


def flow(at: str, action: str, source: str, destination: str, port: str) -> Row:
    """Return a firewall's row; a port that is no number, or a dash for an address, is left out."""
    row: Row = {"at": at, "action": action}
    if source not in ("", "-"):
        row["source"] = source
    if destination not in ("", "-"):
        row["destination"] = destination
    if port.isascii() and port.isdigit() and int(port[:6]) < 65536 and len(port) < 6:
        row["port"] = int(port)
    return row
