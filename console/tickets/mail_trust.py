"""Who really sent a mail, and whether a person did: what the own mail server vouches for, and nothing else.

The From line proves nothing by itself. The operator's mail server checks SPF, DKIM and DMARC (RFC 7489) and writes what
it found into Authentication-Results (RFC 8601) under its own name, which it must remove from mails that come in.
"""

import re
from email.message import EmailMessage

from console.tickets.mail_text import header

_AUTOMATIC = frozenset({"bulk", "junk", "list", "auto_reply"})
_OF_LISTS = ("List-Id", "List-Unsubscribe", "List-Post", "X-Autoreply", "X-Autorespond")
_MACHINES = frozenset({"mailer-daemon", "postmaster", "no-reply", "noreply"})


def sender_of(message: EmailMessage) -> str:
    """Give the one address of the From line in lower case; empty where there is none, or more than one."""
    try:
        lines = message.get_all("From") or []
        found = [one.addr_spec for line in lines for one in line.addresses]
    except Exception:  # the standard parser trips over some malformed headers in kinds of its own
        return ""
    if len(lines) != 1 or len(found) != 1 or found[0].count("@") != 1:
        return ""
    return str(found[0]).lower()


def why_automatic(message: EmailMessage, own_address: str) -> str:
    """Say why no person wrote this mail; empty for a person's. An answer to it could begin a loop (RFC 3834)."""
    said = header(message, "Auto-Submitted").lower()
    if said and said.partition(";")[0].strip() != "no":
        return "It says of itself that a machine sent it."
    if header(message, "Precedence").lower() in _AUTOMATIC or any(message.get(name) is not None for name in _OF_LISTS):
        return "It comes from a mailing list or an automatic answer."
    if header(message, "Return-Path") == "<>" or message.get_content_type() == "multipart/report":
        return "It is a report of a mail server."
    sender = sender_of(message)
    if sender.partition("@")[0] in _MACHINES:
        return "Its sender is a machine."
    return "It comes from NoteTrace itself." if sender and sender == own_address.lower() else ""


def is_vouched_for(message: EmailMessage, sender: str, authserv: str) -> bool:
    """Tell whether the own mail server found that DMARC passes for exactly the domain of the From line.

    Only the topmost Authentication-Results header that bears its name counts: the server adds above what came in.
    """
    for line in message.get_all("Authentication-Results") or []:
        words = _without_comments(str(line))
        name, *results = [part.strip() for part in words.split(";")]
        if name.split()[:1] != [authserv]:
            continue
        return any(_passes(result, sender.rpartition("@")[2]) for result in results)
    return False


def _passes(result: str, domain: str) -> bool:
    words = dict(word.partition("=")[::2] for word in re.sub(r"\s*=\s*", "=", result).lower().split())
    return words.get("dmarc") == "pass" and words.get("header.from", "").strip('"') == domain


def _without_comments(line: str) -> str:
    """Leave out what stands in parentheses, however deep, so that no comment is read as a result."""
    kept, depth = [], 0
    for letter in line[:10_000]:
        depth += letter == "("
        if depth == 0:
            kept.append(letter)
        depth -= letter == ")" and depth > 0
    return "".join(kept)
