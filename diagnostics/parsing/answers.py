"""Read what a server answered, as the scribe's log or a pasted error recorded it.

One reading serves the checks that rest on logs and the explanation of pasted errors: which form the answer has, what
it says in that form's own codes, and who wrote it. Nothing here judges; `text` is never kept in messages.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from diagnostics.parsing import embedded
from diagnostics.parsing.ack import Ack, read_ack
from diagnostics.parsing.html_answer import HtmlKind, HtmlPage, read_html
from diagnostics.parsing.json_answer import (
    Issue,
    OAuthError,
    VendorError,
    find_outcome,
    read_issues,
    read_oauth,
    read_vendor,
)
from diagnostics.parsing.www_authenticate import Challenge, parse_challenges
from diagnostics.parsing.xml_answer import read_xml_fault

LIMIT = embedded.LIMIT


class AnswerKind(StrEnum):
    """Name the form an answer has."""

    OAUTH = "oauth"
    OPERATION_OUTCOME = "operation_outcome"
    ACK = "ack"
    HTML_LOGIN = "html_login"
    HTML_BLOCK = "html_block"
    HTML_GATEWAY = "html_gateway"
    VENDOR = "vendor"
    TEXT = "text"
    EMPTY = "empty"


class Emitter(StrEnum):
    """Say who wrote the answer, because a gateway's 502 says nothing of the EHR."""

    EHR = "ehr"
    GATEWAY = "gateway"  # a reverse proxy, API gateway or load balancer in front of the EHR
    PROXY = "proxy"  # a forward proxy or filter on the way out
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class RecordedAnswer:
    """Be one answer, read. Only the part that `kind` names is filled; `challenges` and `emitter` always are."""

    kind: AnswerKind
    status: int | None = None
    media_type: str = ""
    emitter: Emitter = Emitter.UNKNOWN
    oauth: OAuthError | None = None
    issues: tuple[Issue, ...] = ()
    ack: Ack | None = None
    page: HtmlPage | None = None
    vendor: VendorError | None = None
    challenges: tuple[Challenge, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    text: str = field(default="", repr=False)  # the first 64 KB, for rules that read words

    @property
    def issue_codes(self) -> frozenset[str]:
        """Return the issue codes of every issue that is an error."""
        return frozenset(issue.code for issue in self.errors)

    @property
    def errors(self) -> tuple[Issue, ...]:
        """Return the issues of severity fatal or error, worst first."""
        bad = [issue for issue in self.issues if issue.severity in ("fatal", "error")]
        return tuple(sorted(bad, key=lambda issue: issue.severity != "fatal"))

    @property
    def vendor_codes(self) -> tuple[str, ...]:
        """Return every code of the vendor's own: of the issues' details, the ERR segments or the JSON error."""
        codes = [code for issue in self.issues for _system, code in issue.details]
        codes += [error.application_code for error in (self.ack.errors if self.ack else ()) if error.application_code]
        if self.vendor and self.vendor.code:
            codes.append(self.vendor.code)
        return tuple(dict.fromkeys(code for code in codes if code))

    @property
    def bearer_error(self) -> str:
        """Return the error code of a Bearer or DPoP challenge (RFC 6750 section 3.1), or an empty string."""
        for challenge in self.challenges:
            if challenge.scheme in ("bearer", "dpop") and challenge.params.get("error"):
                return challenge.params["error"].lower()
        return ""

    @property
    def says(self) -> str:
        """Return the answer's own words in one line of at most 300 characters."""
        if self.oauth:
            words = f"{self.oauth.error} {self.oauth.description}"
        elif self.issues:
            words = " ".join(issue.says for issue in (self.errors or self.issues))
        elif self.ack:
            words = self.ack.says
        elif self.page:
            words = self.page.title
        elif self.vendor:
            words = self.vendor.message
        else:
            words = self.text
        return " ".join(words.split())[:300]


def read_answer(
    text: str | None,
    status: int | None = None,
    headers: Mapping[str, str] | None = None,
    content_type: str | None = None,
) -> RecordedAnswer:
    """Read an answer; `text` is the body or the error text as logged, `headers` have names in lower case.

    Never raises: what has no known form is `text`, and nothing at all is `empty`. Headers written inside the text
    (as `curl -i` prints them) count where none are given.
    """
    body = (text or "")[:LIMIT]
    known = {name.lower(): value for name, value in (headers or {}).items()}
    known = {**embedded.headers(body), **known} if body else known
    media_type = (content_type or known.get("content-type", "")).split(";")[0].strip().lower()
    if status is None:
        status = embedded.http_status(body)
    parts = _read_form(body, status, "www-authenticate" in known)
    parts.setdefault("emitter", _emitter(parts, status, known))
    return RecordedAnswer(
        **parts,
        status=status,
        media_type=media_type,
        challenges=parse_challenges(known.get("www-authenticate", "")),
        headers=known,
        text=body,
    )


def _read_form(body: str, status: int | None, known_challenge: bool) -> dict[str, Any]:
    """Return `kind` and the part it names; the most specific form wins."""
    if not body.strip():
        return {"kind": AnswerKind.EMPTY}
    ack = read_ack(body)
    if ack is not None:
        return {"kind": AnswerKind.ACK, "ack": ack}
    data = embedded.operation_outcome_xml(body)
    if data is None and not _page_first(body):  # a page's scripts may hold objects of their own
        data = embedded.json_object(body)
    if data is not None:
        return _read_json(data)
    fault = read_xml_fault(body)
    if fault is not None:
        return {"kind": AnswerKind.VENDOR, "vendor": fault}
    page = read_html(body, status)
    if page is not None:
        return {"kind": AnswerKind(f"html_{page.kind}"), "page": page}
    form = embedded.oauth_form(body)
    if form is not None:
        return {"kind": AnswerKind.OAUTH, "oauth": read_oauth(form)}
    named = None if known_challenge else embedded.oauth_words(body)
    if named is not None:
        return {"kind": AnswerKind.OAUTH, "oauth": read_oauth(named), "emitter": Emitter.UNKNOWN}
    return {"kind": AnswerKind.TEXT}


def _read_json(data: dict[str, Any]) -> dict[str, Any]:
    outcome = find_outcome(data)
    if outcome is not None:
        return {"kind": AnswerKind.OPERATION_OUTCOME, "issues": read_issues(outcome)}
    oauth = read_oauth(data)
    if oauth is not None:
        return {"kind": AnswerKind.OAUTH, "oauth": oauth}
    return {"kind": AnswerKind.VENDOR, "vendor": read_vendor(data)}


def _page_first(body: str) -> bool:
    """Tell whether an HTML page begins before the first object does."""
    before = body.partition("{")[0].lower()
    return "<!doctype html" in before or "<html>" in before or "<html " in before or "<html\n" in before


_FORWARD_PROXY = re.compile(
    r"squid|zscaler|blue ?coat|websense|forcepoint|mcafee|fortigate|fortinet|netskope", re.IGNORECASE
)
_GATEWAY_SERVER = re.compile(
    r"nginx|openresty|envoy|istio|haproxy|awselb|cloudflare|akamai|big-?ip|kong|apigee|traefik|varnish|cloudfront"
    r"|azure|apache-coyote|api ?gateway|tyk|gws|google frontend|citrix|netscaler",
    re.IGNORECASE,
)


def _emitter(parts: Mapping[str, Any], status: int | None, headers: Mapping[str, str]) -> Emitter:
    """Say who wrote it: a standard body is the EHR's own; else its headers, else the form of its page."""
    kind = parts["kind"]
    if kind in (AnswerKind.OPERATION_OUTCOME, AnswerKind.ACK, AnswerKind.OAUTH):
        return Emitter.EHR
    if status in (407, 511) or "proxy-authenticate" in headers or "x-squid-error" in headers:
        return Emitter.PROXY
    via, server = headers.get("via", ""), headers.get("server", "")
    if kind is AnswerKind.HTML_BLOCK:
        page: HtmlPage = parts["page"]
        return Emitter.GATEWAY if page.in_front_of_server else Emitter.PROXY
    if kind is AnswerKind.HTML_GATEWAY:
        return Emitter.PROXY if _FORWARD_PROXY.search(f"{via} {server} {parts['page'].product}") else Emitter.GATEWAY
    if _FORWARD_PROXY.search(server):
        return Emitter.PROXY
    if status in (502, 503, 504) and (_GATEWAY_SERVER.search(server) or via):
        return Emitter.GATEWAY
    return Emitter.UNKNOWN


__all__ = [
    "Ack",
    "AnswerKind",
    "Challenge",
    "Emitter",
    "HtmlKind",
    "HtmlPage",
    "Issue",
    "OAuthError",
    "RecordedAnswer",
    "VendorError",
    "read_ack",
    "read_answer",
    "read_issues",
]
