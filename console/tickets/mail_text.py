"""Read an e-mail as people read it: subject, text, and what was forwarded within. Pure; the standard library alone.

RFC 5322 messages and RFC 2045 parts. Whatever is broken in one is read as far as it goes and never raises.
"""

import email.policy
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage, Message
from html.parser import HTMLParser
from typing import cast

MOST_PARTS = 100
MOST_CHARS = 500_000
MOST_DEPTH = 8
_HEADER = re.compile(rb"(?:[A-Za-z][A-Za-z0-9-]*:[^\n]*\n(?:[ \t][^\n]*\n)*)")
_SURE = re.compile(rb"(?im)^(?:received|message-id|mime-version|return-path|delivered-to|date):")
_BLOCKS = frozenset({"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "blockquote", "pre", "table", "ul", "ol"})
_UNSEEN = frozenset({"script", "style", "head", "title"})
_POLICY = email.policy.default.clone(raise_on_defect=False)


@dataclass(frozen=True)
class File:
    """Be one attached file."""

    name: str
    content_type: str
    content: bytes


@dataclass(frozen=True)
class MailText:
    """Be a mail as text. `dropped` counts the parts that were too many or too deep."""

    subject: str
    text: str
    files: tuple[File, ...] = ()
    dropped: int = 0


@dataclass
class _Found:
    texts: list[str] = field(default_factory=list)
    files: list[File] = field(default_factory=list)
    parts: int = 0
    dropped: int = 0


def looks_like_mail(data: bytes) -> bool:
    """Tell whether a text begins with the headers of a mail: at least two, one of which only mails have."""
    head = data.lstrip(b"\xef\xbb\xbf\r\n")[:20_000].replace(b"\r\n", b"\n")
    block = head.partition(b"\n\n")[0] + b"\n"
    return len(_HEADER.findall(block)) >= 2 and bool(_SURE.search(block)) and bool(_HEADER.match(block))


def parse(data: bytes) -> EmailMessage:
    """Read the bytes of one message."""
    return cast(EmailMessage, message_from_bytes(data.lstrip(b"\r\n"), policy=_POLICY))


def mail_text(message: EmailMessage) -> MailText:
    """Give subject, text and files; of two forms of one text the plain one, HTML as text, forwarded mails within."""
    found = _Found()
    _walk(message, found, 0)
    text = "\n\n".join(part.strip() for part in found.texts if part.strip())
    return MailText(header(message, "Subject"), text[:MOST_CHARS], tuple(found.files), found.dropped)


def header(message: Message, name: str) -> str:
    """Give a header as one line of text; empty where it is absent or cannot be read."""
    try:
        value = message.get(name)
        return " ".join(str(value).split()) if value is not None else ""
    except Exception:  # the standard parser trips over some malformed headers in kinds of its own
        return ""


def _walk(part: Message, found: _Found, depth: int) -> None:
    found.parts += 1
    if found.parts > MOST_PARTS or depth > MOST_DEPTH:
        found.dropped += 1
        return
    kind = part.get_content_type()
    if kind == "message/rfc822":
        for inner in _parts(part):
            found.texts.append(_head(inner))
            _walk(inner, found, depth + 1)
    elif kind == "multipart/alternative":
        _best(part, found, depth)
    elif part.is_multipart():
        for inner in _parts(part):
            _walk(inner, found, depth + 1)
    else:
        _leaf(part, kind, found)


def _best(part: Message, found: _Found, depth: int) -> None:
    forms = list(_parts(part))
    plain = next((one for one in forms if one.get_content_type() == "text/plain" and _text(one).strip()), None)
    for inner in [plain] if plain is not None else forms[-1:]:
        _walk(inner, found, depth + 1)


def _parts(part: Message) -> Iterator[Message]:
    payload = part.get_payload()
    if isinstance(payload, list):
        yield from (one for one in payload if isinstance(one, Message))


def _head(message: Message) -> str:
    """Keep who wrote a forwarded mail and when: the chain is part of what is told."""
    lines = (f"{name}: {value}" for name in ("From", "Date", "Subject") if (value := header(message, name)))
    return "---------- Forwarded message ----------\n" + "\n".join(lines)


def _leaf(part: Message, kind: str, found: _Found) -> None:
    name = _file_name(part)
    attached = str(part.get_content_disposition() or "") == "attachment"
    if kind in ("text/plain", "text/html") and not (attached and name):
        text = _text(part)
        found.texts.append(plain_of_html(text) if kind == "text/html" else text)
        return
    content = _bytes(part)
    if content:
        found.files.append(File(name or "attachment", kind[:80], content))


def _file_name(part: Message) -> str:
    try:
        name = part.get_filename() or ""
    except Exception:  # as above
        return ""
    return re.sub(r"[\x00-\x1f\x7f/\\]+", "_", str(name)).strip()[:200]


def _bytes(part: Message) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError):
        return b""
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    content = _bytes(part)
    charset = str(part.get_content_charset() or "utf-8")
    try:
        text = content.decode(charset, "replace")
    except (LookupError, ValueError):
        text = content.decode("utf-8", "replace")
    return text.replace("\r\n", "\n").replace("\0", "")


class _Plain(HTMLParser):
    """Keep the words of a page, a line a block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self.unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.unseen += tag in _UNSEEN
        if tag in _BLOCKS:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.unseen -= tag in _UNSEEN and self.unseen > 0
        if tag in _BLOCKS:
            self.words.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.unseen:
            self.words.append(data)


def plain_of_html(page: str) -> str:
    """Give the words of an HTML text, a line a block; nothing of it is followed or run."""
    reader = _Plain()
    reader.feed(page[:MOST_CHARS])
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.words).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
