"""Stand up real peers on ephemeral loopback ports: raw TCP scripts, TLS with a made-up authority, a name server."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def peer(script: Script, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve `script` to every connection; yield the port."""
    running: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        running.add(task)
        try:
            await script(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
            pass
        finally:
            running.discard(task)
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        left = list(running)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        await asyncio.sleep(0)


@asynccontextmanager
async def strict_tls_peer(context: ssl.SSLContext) -> AsyncIterator[int]:
    """Shake hands in a thread with a blocking socket, which sends its alert before closing; asyncio's does not."""
    listener = socket.create_server(("127.0.0.1", 0))
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            with suppress(OSError):
                sock, _ = listener.accept()
                with suppress(OSError), context.wrap_socket(sock, server_side=True) as secured:
                    secured.recv(1000)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stopping.set()
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        await asyncio.to_thread(thread.join, 5)


def answering(*parts: bytes, wait: float = 0.0, hold: float = 0.0) -> Script:
    """Return a script that reads the head of a request, then sends the parts."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(wait)
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        await asyncio.sleep(hold)

    return script


def http(status: str, body: bytes = b"", **headers: str) -> bytes:
    """Return the bytes of one HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class Issued:
    """Hold a certificate with its key and the certificates a server would send along."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    issuer: Issued | None = None

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def child(
        self, name: str, *, authority: bool = False, days: tuple[float, float] = (-1, 90), aia: str | None = None
    ) -> Issued:
        """Issue a certificate for `name`, valid from and to the given days from now."""
        return issue(name, authority=authority, days=days, aia=aia, issuer=self)

    def server_context(self, folder: Path, *also: Issued, client_ca: Issued | None = None) -> ssl.SSLContext:
        """Return a server context that presents this certificate and the further ones."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        chain, key = folder / "chain.pem", folder / "key.pem"
        chain.write_text(self.pem + "".join(each.pem for each in also))
        key.write_text(self.key_pem)
        context.load_cert_chain(chain, key)
        if client_ca is not None:
            context.load_verify_locations(cadata=client_ca.pem)
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def issue(
    name: str,
    *,
    authority: bool = False,
    days: tuple[float, float] = (-1, 90),
    aia: str | None = None,
    issuer: Issued | None = None,
) -> Issued:
    """Make a certificate; without an issuer it signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if authority:
        usage = x509.KeyUsage(
            digital_signature=True, key_cert_sign=True, crl_sign=True, content_commitment=False,
            key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False,
            decipher_only=False,
        )  # fmt: skip
        builder = builder.add_extension(usage, critical=True)
    else:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    if aia is not None:
        place = x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(aia))
        builder = builder.add_extension(x509.AuthorityInformationAccess([place]), critical=False)
    if issuer is not None:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    return Issued(builder.sign((issuer.key if issuer else key), hashes.SHA256()), key, issuer)


class _NameServer(asyncio.DatagramProtocol):
    def __init__(self, zone: dict[str, list[str] | str]) -> None:
        self.zone = zone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        entry = self.zone.get(question.name.to_text(omit_final_dot=True), "nxdomain")
        if entry == "silent":
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if isinstance(entry, str):
            answer.set_rcode(dns.rcode.from_text(entry.upper()))
        else:
            family = [each for each in entry if (":" in each) == (question.rdtype.name == "AAAA")]
            if family:
                answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", question.rdtype.name, *family))
        self.transport.sendto(answer.to_wire(), addr)  # type: ignore[attr-defined]


@asynccontextmanager
async def name_server(zone: dict[str, list[str] | str]) -> AsyncIterator[str]:
    """Answer from `zone`: addresses, or an RCODE name, or "silent"; yield "host:port"."""
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _NameServer(zone), local_addr=("127.0.0.1", 0))
    try:
        yield "127.0.0.1:{}".format(transport.get_extra_info("sockname")[1])
    finally:
        transport.close()
