"""Behind a forward proxy the door tunnels TLS, uses the absolute form in the clear, and keeps refusals."""

import asyncio
from pathlib import Path

from diagnostics.net import Door, Exchange, FaultKind, TlsSession, Trust
from tests.diagnostics.net.peers import Issued, answering, http, peer


def tunnel(seen: list[str]):  # type: ignore[no-untyped-def]
    """Return a CONNECT proxy that sends every tunnel to the port named in the request, on this machine."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        seen.append(head)
        port = int(head.split()[1].rpartition(":")[2])
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")

        async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            while data := await source.read(65536):
                sink.write(data)
                await sink.drain()
            sink.close()

        try:
            await asyncio.gather(copy(reader, up_writer), copy(up_reader, writer))
        finally:
            up_writer.close()

    return script


def test_tls_goes_through_a_tunnel_and_the_name_is_resolved_at_the_proxy(root: Issued, tmp_path: Path) -> None:
    context = root.child("ehr.example.test").server_context(tmp_path)
    seen: list[str] = []

    async def run() -> tuple[Exchange, TlsSession]:
        async with peer(answering(http("200 OK", b"hi")), context) as port, peer(tunnel(seen)) as proxy_port:
            door = Door(proxy=f"http://tester:p%40ss@127.0.0.1:{proxy_port}", trust=Trust(ca_pem=root.pem))
            session = await door.tls("ehr.example.test", port, proxied=True)
            return await door.http("t", "GET", f"https://ehr.example.test:{port}/x"), session

    got, session = asyncio.run(run())
    assert got.body == b"hi" and got.via_proxy
    assert session.verified and session.via_proxy
    assert "Proxy-Authorization: Basic dGVzdGVyOnBAc3M=" in seen[0]


def test_plain_http_uses_the_absolute_form() -> None:
    lines: list[bytes] = []

    async def run() -> Exchange:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            lines.append((await reader.readuntil(b"\r\n\r\n")).splitlines()[0])
            writer.write(http("407 Proxy Authentication Required", Proxy_Authenticate="Basic"))

        async with peer(script) as port:
            return await Door(proxy=f"http://127.0.0.1:{port}").http("t", "GET", "http://ehr.example.test/fhir?a=b")

    got = asyncio.run(run())
    assert lines == [b"GET http://ehr.example.test/fhir?a=b HTTP/1.1"]
    assert got.status == 407


def test_a_refused_tunnel_keeps_status_headers_and_page() -> None:
    async def run() -> Exchange:
        page = http("403 Forbidden", b"<html>blocked</html>", Content_Type="text/html", X_Squid_Error="ERR_ACCESS")
        async with peer(answering(page)) as port:
            return await Door(proxy=f"http://127.0.0.1:{port}").http("t", "GET", "https://ehr.example.test/")

    got = asyncio.run(run())
    assert got.status is None and got.fault is not None
    assert (got.fault.kind, got.fault.proxy_status) == (FaultKind.PROXY, 403)
    assert got.headers["x-squid-error"] == "ERR_ACCESS" and b"blocked" in got.body
