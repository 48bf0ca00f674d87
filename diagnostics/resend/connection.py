"""Reach the EHR for a resend: sign in once, read below the FHIR base, write once; all of it through the door.

The token stays in the door. A read that got no answer is asked once more; a write never is.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from diagnostics.case import Case
from diagnostics.net import Budget, Door, Exchange, MllpExchange
from diagnostics.probes.token import prepare, request_token
from diagnostics.resend.addresses import write_address
from diagnostics.resend.model import ResendPlan

WRITE_S = 30.0
"""How long the answer to a write is waited for at least, in seconds: what interface engines give an acknowledgement."""


class Connection:
    """Be one signed-in way to the EHR of a case."""

    def __init__(self, case: Case, door: Door, write_s: float = WRITE_S) -> None:
        self.case = case
        self.write_s = write_s
        self.door = door
        self._renewed = False

    async def sign_in(self) -> str:
        """Have a token where the EHR wants one; return why there is none, or an empty string."""
        auth = self.case.integration.auth
        if auth.flow in ("none", "api-key") or self._signed_in():
            return ""
        if not auth.token_url:
            return "the integration names no token address"
        try:
            request = prepare(auth)
        except ValueError as error:
            return str(error)
        exchange = await request_token(self.door, auth, request)
        if self._signed_in():
            return ""
        if exchange.status is not None:
            return f"the token server answered {exchange.status}"
        return f"the token server did not answer ({exchange.fault.detail if exchange.fault else 'no answer'})"

    async def get(self, path: str, *, purpose: str = "look for the note", accept: str | None = None) -> Exchange:
        """Return the answer to a GET of a path below the FHIR base, or of an address within it."""
        exchange = await self._get(path, purpose, accept)
        if exchange.fault is not None and exchange.fault.kind == "reset":
            exchange = await self._get(path, purpose, accept)
        refreshable = self.case.integration.auth.flow not in ("none", "api-key", "provider-context")
        if exchange.status == 401 and refreshable and not self._renewed:
            self._renewed = True  # the door's token may be older than this resend
            self.door.access_token = None
            if not await self.sign_in():
                exchange = await self._get(path, purpose, accept)
        return exchange

    def within_base(self, url: str) -> str | None:
        """Return an address below the FHIR base as a path, or None: a token goes to no other place."""
        base = self._base
        try:
            whole = urljoin(base, url)
            same = urlsplit(whole)[:2] == urlsplit(base)[:2]
        except ValueError:
            return None
        return whole[len(base) :] if same and whole.startswith(base) else None

    async def post(self, plan: ResendPlan, request_id: str) -> Exchange:
        """Send a planned document, once."""
        headers = {
            **dict(plan.headers),
            "Content-Type": plan.content_type,
            "X-Request-Id": request_id,
            **self._authorization(),
        }
        url = write_address(self.case, plan.lookup.kind)
        budget = self._patience
        return await self.door.http("resend", plan.method, url, headers=headers, content=plan.body, budget=budget)

    async def message(self, plan: ResendPlan) -> MllpExchange:
        """Send a planned message, once."""
        hl7 = self.case.integration.hl7
        host, port = (hl7.host or "").strip("[]"), hl7.port or 0
        return await self.door.mllp(
            host, port, plan.body, control_id=plan.control_id, tls=hl7.tls, budget=self._patience
        )

    @property
    def _patience(self) -> Budget:
        """Give a write more time than a read: giving up early is what makes its fate uncertain."""
        held, limit = self.door.budget, self.write_s
        return replace(held, first_byte_s=max(held.first_byte_s, limit), total_s=max(held.total_s, limit))

    def _signed_in(self) -> bool:
        return self.door.access_token is not None

    @property
    def _base(self) -> str:
        return (self.case.integration.fhir_base_url or "").rstrip("/") + "/"

    async def _get(self, path: str, purpose: str, accept: str | None) -> Exchange:
        kind = accept or self.case.integration.fhir_format or "application/fhir+json"
        return await self.door.http(
            purpose, "GET", self._base + path, headers={"Accept": kind, **self._authorization()}
        )

    def _authorization(self) -> dict[str, str]:
        auth = self.case.integration.auth
        headers = {}
        if auth.api_key:
            headers[auth.api_key_header or "x-api-key"] = auth.api_key
        if self.door.access_token is not None:
            headers["Authorization"] = f"Bearer {self.door.access_token}"
        return headers
