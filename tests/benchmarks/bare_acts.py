"""The same network acts as a diagnosis, written as barely as possible: no case, no evidence, no checks, no database."""

import asyncio
import json
import ssl
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import dns.asyncquery
import dns.message
from joserfc import jwt
from joserfc.jwk import RSAKey

from diagnostics.case import Case
from diagnostics.probes.canary import SYSTEM, canary_document

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True)
class Acts:
    """What a diagnosis of the case asks for, by purpose: addresses of plain reads."""

    discovery: tuple[str, ...]
    key_set: tuple[str, ...]
    metadata: tuple[str, ...]
    reads: tuple[str, ...]


class Bare:
    """One run of the acts, each on a connection of its own as the diagnosis makes them."""

    def __init__(self, case: Case, acts: Acts) -> None:
        self.case, self.acts = case, acts
        integration = case.integration
        self.resolver = (integration.resolver or "").rpartition(":")
        self.tls = ssl.create_default_context(cadata=(integration.ca_bundle or b"").decode())
        self.key = RSAKey.import_key(integration.auth.private_key)
        self.base = (integration.fhir_base_url or "").rstrip("/")
        self.addresses: dict[str, str] = {}

    async def run(self) -> float:
        """Make all acts; return the seconds they took."""
        started = time.perf_counter()
        auth = self.case.integration.auth
        ready = asyncio.create_task(self._way(self.base))
        _, token, _ = await asyncio.gather(
            self._behind(ready, *self.acts.metadata),
            self._sign_in(auth.token_url or "", ready),
            self._behind(asyncio.create_task(self._way(auth.jwks_url or "")), *self.acts.key_set),
        )
        bearer = {"Authorization": f"Bearer {token}"}
        await asyncio.gather(*(self._request("GET", url, bearer) for url in self.acts.reads), self._canary(bearer))
        return time.perf_counter() - started

    async def _way(self, url: str) -> None:
        host, port = _place(url)
        _, _, resolver_port = self.resolver
        asked = [dns.message.make_query(host, kind) for kind in ("A", "AAAA")]
        answers = await asyncio.gather(
            *(dns.asyncquery.udp(each, self.resolver[0], 3, port=int(resolver_port)) for each in asked)
        )
        self.addresses[host] = next(str(rr) for answer in answers for rrset in answer.answer for rr in rrset)
        _, writer = await asyncio.open_connection(self.addresses[host], port)
        writer.close()
        _, writer = await asyncio.open_connection(self.addresses[host], port, ssl=self.tls, server_hostname=host)
        writer.close()

    async def _behind(self, way: "asyncio.Future[Any]", *urls: str) -> None:
        await way
        await asyncio.gather(*(self._request("GET", url) for url in urls))

    async def _sign_in(self, url: str, base: "asyncio.Task[None]") -> str:
        way = asyncio.create_task(self._way(url))
        both = asyncio.ensure_future(asyncio.wait((way, base)))
        found = asyncio.create_task(self._behind(both, *self.acts.discovery))
        await way
        auth = self.case.integration.auth
        claims = {"iss": auth.client_id, "sub": auth.client_id, "aud": auth.token_url, "jti": str(uuid.uuid4())}
        signed = jwt.encode(
            {"alg": "RS384", "typ": "JWT", "kid": auth.key_id}, claims | {"exp": int(time.time()) + 240}, self.key,
            algorithms=["RS384"],
        )  # fmt: skip
        form = {"grant_type": "client_credentials", "scope": " ".join(auth.scopes)}
        form |= {"client_assertion_type": ASSERTION, "client_assertion": signed}
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        _, body = await self._request("POST", url, kind, urlencode(form).encode())
        await found
        return str(json.loads(body)["access_token"])

    async def _canary(self, bearer: Mapping[str, str]) -> None:
        target = self.case.integration.canary
        assert target is not None
        kind = {"Content-Type": "application/fhir+json", **bearer}
        document = canary_document(target, str(uuid.uuid4()), self.case)
        head, _ = await self._request("POST", f"{self.base}/DocumentReference", kind, json.dumps(document).encode())
        id = head["location"].split("/_history/")[0].rsplit("/", 1)[-1]
        where = f"{self.base}/DocumentReference/{quote(id)}"
        _, body = await self._request("GET", where, bearer)
        made = json.loads(body)
        assert made["identifier"][0]["system"] == SYSTEM
        made["status"] = "entered-in-error"
        await self._request("PUT", where, kind, json.dumps(made).encode())

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> tuple[dict[str, str], bytes]:
        host, port = _place(url)
        reader, writer = await asyncio.open_connection(self.addresses[host], port, ssl=self.tls, server_hostname=host)
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        sent = {"Host": parts.netloc, "Connection": "close", "Content-Length": str(len(body)), **(headers or {})}
        lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        raw = await reader.read()
        writer.close()
        head, _, answer = raw.partition(b"\r\n\r\n")
        told = [line.partition(":") for line in head.decode("latin-1").split("\r\n")[1:]]
        return {name.lower(): value.strip() for name, _, value in told}, answer


def _place(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return parts.hostname or "", parts.port or 443
