"""Ask an EHR for its AuditEvents since a time, page by page: reads only, with the integration's own sign-in.

FHIR R4: `GET [base]/AuditEvent?date=ge…&_sort=date&_count=…`; `Bundle.link` with relation `next` leads on (3.1.1.4.10).
No judgement of the integration is made here and nothing is kept: who asks stores what comes and remembers how far.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from diagnostics.case import Integration
from diagnostics.net import Door, Exchange
from diagnostics.parsing.logs import moment
from diagnostics.parsing.scopes import granting, parse_scopes
from diagnostics.probes.token import prepare, request_token

SCOPES = "system/AuditEvent.rs (older servers: system/AuditEvent.read)"
OTHERWISE = "Bring its audit log in another way: a nightly export into the drop folder, or its ATNA feed as files."
COUNT = 200
_LEAST_COUNT = 10
_REFUSALS = (400, 403, 404, 405, 406, 410, 422, 501)
_KEPT_WAIT_S = (30.0, 86_400.0)


@dataclass(frozen=True)
class Trouble:
    """Say why a search cannot go on: what happened, and what to do. Holds no id, no token and no query."""

    kind: str  # not_set_up | token | scope | forbidden | not_offered | busy | unreachable | server | odd
    says: str
    remedy: str
    wait_s: float | None = None


@dataclass(frozen=True)
class Page:
    """Hold one page: an AuditEvent a line as JSON, and up to when everything was told.

    `through` is None where the order of the events does not show it: then only the whole answer does. `newest` is the
    latest `recorded` of this page.
    """

    lines: tuple[bytes, ...]
    through: datetime | None
    newest: datetime | None


class AuditSearch:
    """Be one search, resumed with each call of `next`; the door is the caller's and so is its policy."""

    def __init__(self, integration: Integration, door: Door, *, since: datetime, count: int = COUNT) -> None:
        self._integration, self._door = integration, door
        self._base = (integration.fhir_base_url or "").rstrip("/")
        self._since, self._count = since, count
        self._url: str | None = self._first_url()
        self._headers: dict[str, str] | None = None
        self._asked: set[str] = set()
        self._renewed = False
        self._ended_by: Trouble | None = None
        self._last: datetime | None = None
        self.ascending = True

    async def next(self) -> Page | Trouble | None:
        """Give the next page, why there is none, or None at the end."""
        if self._ended_by is not None:
            return self._ended_by
        if self._url is None:
            return None
        if self._headers is None:
            refused = await self._sign_in()
            if refused is not None:
                return self._end(refused)
        exchange = await self._get(self._url)
        if exchange.status == 401 and not self._renewed and self._integration.auth.flow not in ("none", "api-key"):
            self._renewed = True  # a token may end while pages are turned; once, or a refused client would ask for ever
            refused = await self._sign_in()
            if refused is not None:
                return self._end(refused)
            exchange = await self._get(self._url)
        if exchange.fault is not None and exchange.fault.kind == "too_large" and self._count > _LEAST_COUNT:
            self._count = max(_LEAST_COUNT, self._count // 4)
            self._since = self._last if self.ascending and self._last else self._since
            self._url, self._asked = self._first_url(), set()
            return await self.next()
        bundle = _bundle(exchange)
        if bundle is None:
            return self._end(await self._why(exchange))
        return self._page(bundle)

    def _first_url(self) -> str:
        since = self._since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        query = urlencode({"date": f"ge{since}", "_sort": "date", "_count": self._count})
        return f"{self._base}/AuditEvent?{query}"

    async def _get(self, url: str) -> Exchange:
        self._asked.add(url)
        exchange = await self._door.http(
            "audit_events", "GET", url, headers={"Accept": "application/fhir+json", **(self._headers or {})}
        )
        self._door.exchanges.clear()  # the door keeps each body, and a search has many
        return exchange

    # -- sign-in ----------------------------------------------------------------------------

    async def _sign_in(self) -> Trouble | None:
        auth = self._integration.auth
        if not self._base:
            return Trouble("not_set_up", "The integration names no FHIR base URL.", OTHERWISE)
        self._headers = {auth.api_key_header or "x-api-key": auth.api_key} if auth.api_key else {}
        if auth.flow in ("none", "api-key"):
            return None
        if auth.flow == "provider-context":
            says = "The integration signs in with a person's refresh token, which a pull would use up."
            return Trouble("not_set_up", says, OTHERWISE)
        fitting = tuple(scope for scope in auth.scopes if _covers((scope,)))
        if auth.scopes and not fitting:
            return Trouble("scope", "The integration asks for no scope that covers audit events.", _scope_remedy())
        try:
            request = prepare(replace(auth, scopes=fitting))  # the least that does: this token can only read events
        except ValueError as problem:
            return Trouble(
                "not_set_up", f"No token can be asked for: {problem}.", "Complete the integration's settings."
            )
        exchange = await request_token(self._door, auth, request)
        self._door.exchanges.clear()
        if exchange.fault is not None:
            return _unreachable("The token server", exchange)
        if self._door.access_token is None:
            return _no_token(exchange)
        granted = _granted(exchange)
        if granted and not _covers(granted):
            return Trouble("scope", "The token that the EHR gave does not cover audit events.", _scope_remedy())
        self._headers["Authorization"] = f"Bearer {self._door.access_token}"
        return None

    # -- answers ----------------------------------------------------------------------------

    def _page(self, bundle: Mapping[str, Any]) -> Page:
        events = [event for entry in _list(bundle.get("entry")) if (event := _event(entry)) is not None]
        times = [at for event in events if (at := _recorded(event)) is not None]
        known = [self._last, *times] if self._last is not None else times
        self.ascending = self.ascending and all(one <= two for one, two in pairwise(known))
        # Events of one and the same time show no order: a server that sorts the other way looks alike.
        through = known[-1] if self.ascending and times and known[0] < known[-1] else None
        self._last = known[-1] if known else None
        self._url = self._onward(bundle)
        lines = tuple(json.dumps(event, separators=(",", ":")).encode("ascii") for event in events)
        return Page(lines, through, max(times, default=None))

    def _onward(self, bundle: Mapping[str, Any]) -> str | None:
        """Give the next page's address; one elsewhere or seen before ends the search after this page."""
        links = [
            link for link in _list(bundle.get("link")) if isinstance(link, dict) and link.get("relation") == "next"
        ]
        told = links[0].get("url") if links else None
        if not isinstance(told, str) or not told:
            return None
        assert self._url is not None
        try:
            url = urljoin(self._url, told)
            same = _origin(url) == _origin(self._base)
        except ValueError:
            url, same = "", False
        if not same:
            says = "The EHR says that its next page lies at another address, where this token does not belong."
            self._ended_by = Trouble("odd", says, _OWN_ADDRESS)
            return None
        if url in self._asked:
            says = "The EHR's pages lead round in a circle."
            self._ended_by = Trouble("odd", says, f"Report it to the EHR's vendor. {OTHERWISE}")
            return None
        return url

    async def _why(self, exchange: Exchange) -> Trouble:
        status = exchange.status
        if exchange.fault is not None:
            return _unreachable("The EHR", exchange)
        if status == 401:
            return Trouble("token", "The EHR does not accept the token that it was asked with (401).", _CHECK_SIGN_IN)
        if status in (429, 503):
            says = f"The EHR asked to come back later ({status})."
            return Trouble("busy", says, "Nothing to do: it is asked again after the pause.", _wait(exchange))
        if status in _REFUSALS and (status in (404, 410, 501) or await self._is_not_listed()):
            return Trouble("not_offered", f"This EHR offers no search for AuditEvent ({status}).", OTHERWISE)
        if status == 403:
            says = "The EHR refuses to show audit events to this account (403)."
            return Trouble("forbidden", says, f"{_scope_remedy()} Otherwise: {OTHERWISE}")
        if status is not None and status >= 500:
            says = f"The EHR failed inside while it was asked for audit events ({status})."
            return Trouble("server", says, "It is asked again. If it goes on, open a ticket with the EHR team.")
        if status is not None and 300 <= status < 400:
            says = f"The EHR sent the search to another address ({status}), which is not followed."
            return Trouble("odd", says, "Check the FHIR base URL in the integration's settings.")
        if status in _REFUSALS:
            says = f"The EHR does not understand the search by date ({status})."
            return Trouble("not_offered", says, OTHERWISE)
        says = "The EHR answered with something that is no FHIR search result."
        return Trouble("odd", says, "Check the FHIR base URL in the integration's settings.")

    async def _is_not_listed(self) -> bool:
        """Look whether the capability statement, where it can be had, leaves AuditEvent out."""
        statement = _object(await self._get(f"{self._base}/metadata"))
        rest = [each for each in _list(statement.get("rest")) if isinstance(each, dict)]
        listed = {kind.get("type") for each in rest for kind in _list(each.get("resource")) if isinstance(kind, dict)}
        return bool(listed) and "AuditEvent" not in listed

    def _end(self, trouble: Trouble) -> Trouble:
        self._ended_by, self._url = trouble, None
        return trouble


_OWN_ADDRESS = "Ask the EHR team to correct the address that its server gives itself in links (its public base URL)."
_CHECK_SIGN_IN = "Test the integration: its first step says what is wrong with the sign-in."


def _scope_remedy() -> str:
    return f"Ask the EHR team to allow {SCOPES}, and add it to the integration's scopes."


def _covers(scopes: tuple[str, ...]) -> bool:
    return bool(granting(parse_scopes(scopes), "AuditEvent", "s"))


def _granted(exchange: Exchange) -> tuple[str, ...]:
    scope = _object(exchange).get("scope")
    return tuple(scope.split()) if isinstance(scope, str) else ()


def _no_token(exchange: Exchange) -> Trouble:
    error = _object(exchange).get("error")
    if error == "invalid_scope":
        return Trouble("scope", "The token server refuses the scope for audit events (invalid_scope).", _scope_remedy())
    if exchange.status in (429, 503):
        says = f"The token server asked to come back later ({exchange.status})."
        return Trouble("busy", says, "Nothing to do: it is asked again after the pause.", _wait(exchange))
    return Trouble("token", f"The token server gave no token ({exchange.status}).", _CHECK_SIGN_IN)


def _unreachable(what: str, exchange: Exchange) -> Trouble:
    assert exchange.fault is not None
    says = f"{what} gave no whole answer: {exchange.fault.detail}."
    if exchange.fault.kind == "policy":
        return Trouble("unreachable", says, "The operator must allow the address: PROBE_ALLOW of the workers.")
    if exchange.fault.kind == "too_large":
        return Trouble("odd", says, OTHERWISE)
    return Trouble("unreachable", says, "It is asked again. Test the integration to see where the way ends.")


def _wait(exchange: Exchange) -> float | None:
    """Read Retry-After (RFC 9110, 10.2.3): seconds or a date, held between half a minute and a day."""
    told = exchange.headers.get("retry-after", "").strip()
    if told.isascii() and told.isdigit():
        wait = float(told[:9])
    else:
        try:
            at = parsedate_to_datetime(told)
        except (ValueError, TypeError):
            return None
        wait = ((at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds()
    return min(max(wait, _KEPT_WAIT_S[0]), _KEPT_WAIT_S[1])


def _bundle(exchange: Exchange) -> dict[str, Any] | None:
    bundle = _object(exchange) if exchange.ok else {}
    return bundle if bundle.get("resourceType") == "Bundle" and bundle.get("type") == "searchset" else None


def _object(exchange: Exchange) -> dict[str, Any]:
    try:
        data = json.loads(exchange.body)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _event(entry: object) -> dict[str, Any] | None:
    resource = entry.get("resource") if isinstance(entry, dict) else None
    return resource if isinstance(resource, dict) and resource.get("resourceType") == "AuditEvent" else None


def _recorded(event: Mapping[str, Any]) -> datetime | None:
    try:
        return moment(str(event.get("recorded", "")))
    except ValueError:
        return None


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None:
        raise ValueError("no plain http address")
    return parts.scheme, parts.hostname.lower(), parts.port or (443 if parts.scheme == "https" else 80)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
