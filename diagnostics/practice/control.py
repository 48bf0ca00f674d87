"""A small HTTP port on this machine to switch faults and read ledger and audit trail, guarded by a token."""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Protocol

from diagnostics.practice.faults import FAULTS
from diagnostics.practice.healthy import VARIATIONS
from diagnostics.practice.http_server import Request, Response, json_response, serve_http
from diagnostics.practice.ledger import Ledger
from diagnostics.practice.listener import OPEN, Listener
from diagnostics.practice.tenant import Tenant


class Controlled(Protocol):
    """The part of the practice that the control port may touch."""

    ledger: Ledger

    @property
    def tenants(self) -> tuple[str, ...]:
        """List the tenants."""

    def tenant(self, name: str) -> Tenant:
        """Give one tenant."""

    def set_faults(self, tenant: str, names: Iterable[str]) -> None:
        """Make a tenant ill."""

    def reset(self, tenant: str) -> None:
        """Heal and empty a tenant."""

    def case_files(self, tenant: str, fault: str | None, seed: int) -> dict[str, str]:
        """Play a story and give its case folder's files."""


class ControlPort:
    """Serve `/faults`, `/tenants`, `/tenants/NAME/faults|ledger|audit|reset|case` as JSON."""

    def __init__(self, practice: Controlled, port: int, token: str | None) -> None:
        self._practice = practice
        self._wanted_port = port
        self.token = token or secrets.token_urlsafe(24)
        self._listener: Listener | None = None

    @property
    def url(self) -> str:
        """Give the port's address."""
        return f"http://127.0.0.1:{self._listener.port}" if self._listener else ""

    async def start(self) -> None:
        """Open the port."""
        self._listener = Listener(lambda r, w: serve_http(r, w, self._handle), lambda: None, port=self._wanted_port)
        await self._listener.set_state(OPEN)

    async def stop(self) -> None:
        """Close the port."""
        if self._listener:
            await self._listener.close()

    async def _handle(self, request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(given.encode(), self.token.encode()):
            return json_response(401, {"error": "The control token is missing or wrong."})
        try:
            return await self._route(request, request.path.strip("/").split("/"))
        except (ValueError, TypeError) as error:
            return json_response(400, {"error": str(error)})

    async def _route(self, request: Request, parts: list[str]) -> Response:
        practice = self._practice
        if parts == ["faults"]:
            return json_response(200, {"faults": [_described(f) for f in FAULTS.values()]})
        if parts == ["variations"]:
            return json_response(200, {"variations": [_described(v) for v in VARIATIONS.values()]})
        if parts == ["tenants"]:
            return json_response(200, {"tenants": [_tenant(practice.tenant(name)) for name in practice.tenants]})
        if len(parts) == 3 and parts[0] == "tenants":
            name, what = parts[1], parts[2]
            tenant = practice.tenant(name)
            if what == "faults" and request.method == "POST":
                document = json.loads(request.body)
                chosen = document.get("faults") if isinstance(document, dict) else None
                if not isinstance(chosen, list) or not all(isinstance(one, str) for one in chosen):
                    raise ValueError('Send {"faults": ["name", …]}.')
                await asyncio.to_thread(practice.set_faults, name, chosen)
                return json_response(200, _tenant(tenant))
            if what == "reset" and request.method == "POST":
                await asyncio.to_thread(practice.reset, name)
                return json_response(200, _tenant(tenant))
            if what == "case" and request.method == "POST":
                document = json.loads(request.body or b"{}")
                fault, seed = document.get("fault"), int(document.get("seed", 1))
                return json_response(200, {"files": await asyncio.to_thread(practice.case_files, name, fault, seed)})
            if what == "faults":
                return json_response(200, _tenant(tenant))
            if what == "ledger":
                entries = [asdict(e) for e in practice.ledger.entries(name)]
                return json_response(200, {"entries": entries, "documents": dict(practice.ledger.documents(name))})
            if what == "audit":
                return json_response(200, {"rows": tenant.audit.rows()})
        return json_response(404, {"error": "There is no such page."})


def _described(entry: Any) -> dict[str, Any]:
    shown = ("name", "symptom", "cause", "category", "failure_mode", "certainty", "who_acts", "protocol")
    return {name: getattr(entry, name) for name in shown if hasattr(entry, name)}


def _tenant(tenant: Tenant) -> dict[str, Any]:
    return {"name": tenant.name, "faults": sorted(tenant.faults), "fhir_base_url": tenant.fhir_base}
