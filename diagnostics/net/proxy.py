"""Leave through a forward proxy: CONNECT for TLS, absolute form for plain HTTP (RFC 9112 section 3.2)."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import h11

from diagnostics.net.faults import Fault, FaultKind, NetworkFault, Phase
from diagnostics.net.wire import Wire

_REFUSAL_BODY = 64 * 1024


@dataclass(frozen=True, slots=True)
class Proxy:
    """Name a forward proxy; its credentials never appear in a repr."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str) -> Proxy:
        """Read `http://[user:password@]host:port`; raises ValueError on anything else."""
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError("the proxy must be given as http://host:port")
        authorization = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            authorization = "Basic " + base64.b64encode(pair.encode()).decode("ascii")
        return cls(parts.hostname, parts.port or 3128, authorization)


class TunnelRefused(NetworkFault):
    """Carry the proxy's own answer to CONNECT: its status, headers and the start of its page are evidence."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        detail = f"the proxy refused the tunnel with status {status}"
        super().__init__(Fault(FaultKind.PROXY, Phase.PROXY, detail, proxy_status=status))
        self.headers = headers
        self.body = body


async def open_tunnel(wire: Wire, proxy: Proxy, host: str, port: int, *, header_bytes: int) -> None:
    """Ask the proxy for a tunnel to host:port over `wire`; raises TunnelRefused or NetworkFault."""
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    headers = [("Host", authority)]
    if proxy.authorization is not None:
        headers.append(("Proxy-Authorization", proxy.authorization))
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=header_bytes)
    data = connection.send(h11.Request(method="CONNECT", target=authority, headers=headers))
    data = (data or b"") + (connection.send(h11.EndOfMessage()) or b"")
    await wire.send(data)
    answer: h11.Response | None = None
    body = b""
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            fault = Fault(FaultKind.PROTOCOL, Phase.PROXY, "the proxy does not answer in HTTP")
            raise NetworkFault(fault) from error
        if event is h11.NEED_DATA:
            connection.receive_data(await wire.receive())
        elif isinstance(event, h11.Response):
            answer = event
            if 200 <= event.status_code < 300:
                return
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
            if len(body) > _REFUSAL_BODY:
                break
        elif isinstance(event, h11.EndOfMessage | h11.ConnectionClosed) or event is h11.PAUSED:
            break
    if answer is None:
        raise NetworkFault(Fault(FaultKind.PROXY, Phase.PROXY, "the proxy closed the connection without an answer"))
    raise TunnelRefused(answer.status_code, _folded(answer.headers.raw_items()), body[:_REFUSAL_BODY])


def _folded(items: list[tuple[bytes, bytes]]) -> dict[str, str]:
    folded: dict[str, str] = {}
    for raw_name, raw_value in items:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        folded[name] = f"{folded[name]}, {value}" if name in folded else value
    return folded
