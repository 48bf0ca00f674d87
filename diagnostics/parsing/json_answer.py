"""Read the JSON forms of an error answer: OperationOutcome, OAuth error, and a vendor's own object."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class OAuthError:
    """Be an OAuth 2.0 error answer (RFC 6749 section 5.2): `error` is lower case, as registered."""

    error: str
    description: str = ""
    uri: str = ""


@dataclass(frozen=True)
class Issue:
    """Be one issue of an OperationOutcome; `details` are (system, code) pairs, codes as the vendor writes them."""

    severity: str
    code: str
    details: tuple[tuple[str, str], ...] = ()
    text: str = ""
    diagnostics: str = ""
    expressions: tuple[str, ...] = ()

    @property
    def says(self) -> str:
        """Return the issue's own words."""
        return " ".join(part for part in (self.text, self.diagnostics) if part)


@dataclass(frozen=True)
class VendorError:
    """Be an error of no standard of health care: code and words as found under the usual names.

    `codes` holds every code-like value: of GraphQL's extensions, gRPC's status, AWS' `__type`, SOAP's fault codes.
    """

    code: str = ""
    message: str = ""
    success: bool | None = None
    codes: tuple[str, ...] = ()


def find_outcome(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Find the OperationOutcome: the object itself, under a log's own key, or in an entry of a Bundle."""
    if data.get("resourceType") == "OperationOutcome":
        return data
    if isinstance(data.get("issue"), list) and "resourceType" not in data:
        return data
    for value in list(data.values())[:40]:
        if isinstance(value, dict) and value.get("resourceType") == "OperationOutcome":
            return value
    entries = data.get("entry")
    for entry in entries[:200] if isinstance(entries, list) else ():
        if isinstance(entry, dict):
            response = entry.get("response")
            for holder in (entry.get("resource"), response.get("outcome") if isinstance(response, dict) else None):
                if isinstance(holder, dict) and holder.get("resourceType") == "OperationOutcome":
                    return holder
    return None


def read_issues(outcome: Mapping[str, Any]) -> tuple[Issue, ...]:
    """Return the issues of an OperationOutcome given as a dict; members of the wrong type count as absent."""
    issues = outcome.get("issue")
    return tuple(_issue(issue) for issue in issues[:100] if isinstance(issue, dict)) if isinstance(issues, list) else ()


def _issue(issue: Mapping[str, Any]) -> Issue:
    details = issue.get("details")
    if isinstance(details, str):  # athenaPractice writes a sentence where a CodeableConcept belongs
        details = {"text": details}
    details = details if isinstance(details, dict) else {}
    codings = details.get("coding")
    codings = [coding for coding in codings if isinstance(coding, dict)] if isinstance(codings, list) else []
    pairs = tuple((_text(coding.get("system")), _text(coding.get("code"))) for coding in codings)
    displays = [_text(coding.get("display")) for coding in codings]
    places = issue.get("expression") or issue.get("location") or ()
    return Issue(
        severity=_text(issue.get("severity")).lower(),
        code=_text(issue.get("code")).lower(),
        details=pairs,
        text=" ".join(part for part in (_text(details.get("text")), *displays) if part),
        diagnostics=_text(issue.get("diagnostics")),
        expressions=tuple(_text(place) for place in places) if isinstance(places, list) else (),
    )


_OAUTH_ERROR = re.compile(r"^[a-z][a-z0-9]{1,30}(?:_[a-z0-9]{1,30}){1,5}$|^invalid_[a-z]+$")
_NOT_OAUTH = frozenset({"rate_limit", "rate_limit_exceeded", "not_found", "internal_error", "server_unavailable"})


def read_oauth(data: Mapping[str, Any]) -> OAuthError | None:
    """Read an OAuth error: `error` as RFC 6749 spells such codes; a sentence under `error` is no OAuth answer."""
    error = data.get("error")
    if isinstance(error, dict):  # some gateways nest it
        inner = error.get("error") or error.get("type")
        return read_oauth({**error, "error": inner}) if isinstance(inner, str) else None
    if not isinstance(error, str) or not _OAUTH_ERROR.match(error.strip().lower()) or error.lower() in _NOT_OAUTH:
        return None
    description = data.get("error_description") or data.get("message") or data.get("detail") or ""
    return OAuthError(error.strip().lower(), _text(description), _text(data.get("error_uri")))


_CODE_KEYS = ("errorCode", "error_code", "code", "Code", "errorcode", "statusCode", "status")
_NAMED_CODES = (*_CODE_KEYS, "__type", "type", "errorType", "reason", "ErrorCode", "httpCode", "suberror", "error")
_NESTED = ("error", "fault", "Fault", "errors", "exception", "issues", "responseStatus")
_DEEPER = ("detail", "details", "extensions", "innererror", "innerError")
_MESSAGE_KEYS = (
    *("message", "Message", "errorMessage", "errormessage", "error_message", "errorSummary", "error_description"),
    *("detailedmessage", "detail", "details", "title", "description", "faultstring", "error", "reason", "msg"),
)


def read_vendor(data: Mapping[str, Any]) -> VendorError:
    """Take code and words from under the names that errors usually have, one level down where they are nested."""
    nested = [value for key in _NESTED for value in _objects(data.get(key))]
    nested += [value for outer in (data, *nested) for key in _DEEPER for value in _objects(outer.get(key))]
    code = next((_text(layer[key]) for layer in (data, *nested) for key in _CODE_KEYS if _plain(layer.get(key))), "")
    words = [_text(layer[key]) for layer in (data, *nested) for key in _MESSAGE_KEYS if _plain(layer.get(key))]
    success = data.get("success")
    named = [_text(layer[key]) for layer in (data, *nested) for key in _NAMED_CODES if _plain(layer.get(key))]
    return VendorError(
        code=code,
        message=" ".join(dict.fromkeys(words))[:2000],
        success=success if isinstance(success, bool) else {"true": True, "false": False}.get(_text(success).lower()),
        codes=tuple(dict.fromkeys(code for code in named if len(code) <= 160 and " " not in code))[:20],
    )


def _objects(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, dict):
        return [value]
    return [one for one in value[:10] if isinstance(one, dict)] if isinstance(value, list) else []


def _plain(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != ""


def _text(value: Any) -> str:
    return str(value).strip() if isinstance(value, str | int | float) else ""
