"""Be a small FHIR server that answers what a test tells it to, over a real socket, and keeps what it was asked."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from diagnostics.case import Auth, Case
from diagnostics.practice.http_server import Request, Response, json_response, serve_http
from diagnostics.practice.listener import OPEN, Listener
from diagnostics.probes.vantage import door_for
from diagnostics.resend import ResendPlan, Sent, look, resend
from tests.diagnostics.resend.cases import TEXT, case_of, document, offered, plan_of
from tests.diagnostics.resend.conftest import Once

Answer = Callable[[Request], Response]


@dataclass
class Peer:
    """Hold the script: a function from request to answer, and the requests that came."""

    answer: Answer
    asked: list[Request] = field(default_factory=list)
    base: str = ""

    async def handle(self, request: Request) -> Response:
        """Answer one request by the script."""
        self.asked.append(request)
        return self.answer(request)

    @property
    def posts(self) -> int:
        """Count the writes that came."""
        return sum(each.method == "POST" for each in self.asked)


def stored(**more: Any) -> dict[str, Any]:
    """Return the note as an EHR may hold it."""
    return document(**{"id": "1001", **more})


def bundle(*resources: dict[str, Any], following: str | None = None) -> Response:
    """Answer a search with these documents, and with a next page where one is named."""
    links = [{"relation": "next", "url": following}] if following else []
    entries = [{"resource": each} for each in resources]
    return json_response(200, {"resourceType": "Bundle", "link": links, "entry": entries}, "application/fhir+json")


def by_url(url: str, **more: Any) -> dict[str, Any]:
    """Return a document without identifiers whose content lies elsewhere."""
    return stored(identifier=None, content=[{"attachment": {"contentType": "text/plain", "url": url}}], **more)


def binary() -> Response:
    """Answer with the note's text as a Binary resource."""
    held = {"resourceType": "Binary", "contentType": "text/plain", "data": base64.b64encode(TEXT).decode()}
    return json_response(200, held, "application/fhir+json")


def talk(answer: Answer, *, guarded: bool = False, only_look: bool = False, **changes: Any) -> tuple[Sent, Peer]:
    """Resend the plain note to a peer of this script, or look for it only; returns what became of it."""

    async def run() -> tuple[Sent, Peer]:
        peer = Peer(answer)
        listener = Listener(lambda r, w: serve_http(r, w, peer.handle), lambda: None)
        await listener.set_state(OPEN)
        peer.base = f"http://127.0.0.1:{listener.port}/fhir"
        try:
            case, how = planned_for(peer.base, guarded, **changes)
            if only_look:
                return await look(case, how, door=door_for(case)), peer
            sent = await resend(
                case, how, approved=how.digest, door=door_for(case), once=Once(), settle_s=(0.0,), write_s=2.0
            )
            return sent, peer
        finally:
            await listener.close()

    return asyncio.run(run())


def planned_for(base: str, guarded: bool, **changes: Any) -> tuple[Case, ResendPlan]:
    """Return the plain note's case for a server at this base, and its plan."""
    write = changes.pop("write_path", None)
    case = case_of(document(), fhir_base_url=base, auth=Auth(), **changes)
    if write:
        case = replace(case, integration=replace(case.integration, write_url=base + write))
    return case, plan_of(case, offered(conditional_create=guarded))
