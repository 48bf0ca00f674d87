"""Read Cisco ASA and Firepower syslog: connections denied, built and torn down.

Cisco's syslog guide: 106001, 106006, 106007, 106015, 106023 and 106100 tell of denials (106100 of permits as well),
302013 and 302015 of connections built, 302014 and 302016 of their end with its reason.
"""

import re
from datetime import datetime

from diagnostics.parsing.log_formats.firewall_words import action_of
from diagnostics.parsing.log_formats.firewalls import flow
from diagnostics.parsing.log_formats.pieces import Odd, Row
from diagnostics.parsing.log_formats.syslog import without_header

_CODE = re.compile(r"%(?:ASA|FTD|PIX|FWSM)-(?:[a-z]+-)?\d-(?P<code>\d{6}): ?(?P<told>.*)", re.DOTALL)
_ADDRESS = r"(?:[^\s:/]{1,80}(?: [^\s:/]{1,40}){0,2}:)?(?P<%s>[0-9A-Fa-f.:]{2,45})/(?P<%s_port>\d{1,5})"
_FROM_TO = re.compile(r"\bfrom " + _ADDRESS % ("a", "a") + r".{0,200}? to " + _ADDRESS % ("b", "b"))
_SRC_DST = re.compile(
    r"\bsrc " + _ADDRESS.replace(r"/(?P<%s_port>", r"(?:/(?P<%s_port>") % ("a", "a") + r")?.{0,200}? dst "
    + _ADDRESS.replace(r"/(?P<%s_port>", r"(?:/(?P<%s_port>") % ("b", "b") + r")?"
)  # fmt: skip
_ARROW = re.compile(
    r"\b(?P<verb>permitted|denied|est-allowed)\b.{0,80}? \S{1,80}/(?P<a>[0-9A-Fa-f.:]{2,45})\((?P<a_port>\d{1,5})\)"
    r".{0,200}?-> ?\S{1,80}/(?P<b>[0-9A-Fa-f.:]{2,45})\((?P<b_port>\d{1,5})\)"
)
_BUILT = re.compile(
    r"Built (?P<way>inbound|outbound) \S+ connection \d+ for " + _ADDRESS % ("a", "a") + r".{0,200}? to "
    + _ADDRESS % ("b", "b")
)  # fmt: skip
_TEARDOWN = re.compile(
    r"Teardown \S+ connection \d+ for " + _ADDRESS % ("a", "a") + r".{0,200}? to " + _ADDRESS % ("b", "b")
    + r".{0,200}?duration \d+:\d\d:\d\d(?: bytes \d+)? ?(?P<reason>.{0,120})"
)  # fmt: skip
_LIMIT = 4096


def cisco_asa(text: str, now: datetime) -> Row:
    """Read a line of an ASA's log; the device must be set to write times (`logging timestamp`) or the collector."""
    found = _CODE.search(text[:_LIMIT])
    if found is None:
        raise Odd("is no line of a Cisco ASA: %ASA- is missing")
    at, _ = without_header(text[: found.start()], now)
    if not at:
        raise Odd("begins with no time")
    code, told = found["code"], found["told"]
    row = _connection(at, told) or _denial(at, told)
    if row is None:
        raise Odd("tells of no connection (message numbers 106xxx and 302xxx do)")
    row["message"] = code
    return row


def _connection(at: str, told: str) -> Row | None:
    built = _BUILT.search(told)
    if built is not None:
        # "for" names the less trusted side: where an inbound connection comes from and an outbound one goes to
        inbound = built["way"] == "inbound"
        source, target = ("a", "b") if inbound else ("b", "a")
        return flow(at, "allow", built[source], built[target], built[f"{target}_port"])
    torn = _TEARDOWN.search(told)
    if torn is None:
        return None
    # Its line does not say who began; the side with the lower port is the one that was asked
    source, target = ("a", "b") if int(torn["b_port"]) <= int(torn["a_port"]) else ("b", "a")
    reason = torn["reason"].split(" (")[0].strip()
    action = "reset" if "reset" in reason.lower() else "deny" if "deny" in reason.lower() else "allow"
    row = flow(at, action, torn[source], torn[target], torn[f"{target}_port"])
    if reason:
        row["reason"] = reason
    return row


def _denial(at: str, told: str) -> Row | None:
    for pattern in (_ARROW, _SRC_DST, _FROM_TO):
        found = pattern.search(told)
        if found is None:
            continue
        named = found.groupdict()
        action = action_of(named.get("verb") or told.partition(" flags ")[0][:200]) or "deny"
        return flow(at, action, named["a"], named["b"], named["b_port"] or "")
    return None
