"""The practice scribe's own network client: names, sockets, TLS, proxy and MLLP, with the errors a real one logs."""

from __future__ import annotations

import http.client
import io
import socket
import ssl
import struct
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import dns.message
import dns.rcode
import dns.rdatatype


class NetworkFailure(Exception):
    """Raise when no answer came; `sent` says whether the request had left."""

    def __init__(self, text: str, *, sent: bool = False, timed_out: bool = False) -> None:
        super().__init__(text)
        self.text, self.sent, self.timed_out = text, sent, timed_out


@dataclass
class Reply:
    """One HTTP answer; header names in lower case."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def text(self) -> str:
        """Give the body as text, whatever it holds."""
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True)
class Way:
    """How the scribe reaches the world."""

    resolver: str
    trust_pem: bytes
    proxy: str | None = None
    timeout_s: float = 3.0


def resolve(host: str, way: Way) -> str:
    """Ask the practice's DNS server for an address; failures read like those of the C library."""
    try:
        socket.inet_aton(host)
        return host
    except OSError:
        pass
    address, _, port = way.resolver.rpartition(":")
    query = dns.message.make_query(host, dns.rdatatype.A)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(way.timeout_s)
        sock.sendto(query.to_wire(), (address, int(port)))
        try:
            response = dns.message.from_wire(sock.recv(4096))
        except TimeoutError as error:
            raise NetworkFailure("[Errno -3] Temporary failure in name resolution", timed_out=True) from error
    if response.rcode() == dns.rcode.NXDOMAIN:
        raise NetworkFailure("[Errno -2] Name or service not known")
    if response.rcode() != dns.rcode.NOERROR:
        raise NetworkFailure("[Errno -3] Temporary failure in name resolution")
    for record in response.answer:
        for item in record:
            if item.rdtype == dns.rdatatype.A:
                return str(item.to_text())
    raise NetworkFailure("[Errno -5] No address associated with hostname")


def connect(host: str, port: int, way: Way) -> socket.socket:
    """Open a TCP connection to a name."""
    address = resolve(host, way)
    try:
        return socket.create_connection((address, port), way.timeout_s)
    except TimeoutError as error:
        raise NetworkFailure("[Errno 110] Connection timed out", timed_out=True) from error
    except OSError as error:
        raise NetworkFailure(str(error)) from error


def secure(sock: socket.socket, host: str, way: Way) -> ssl.SSLSocket:
    """Do the TLS handshake, verifying as every client should."""
    context = ssl.create_default_context(cadata=way.trust_pem.decode())
    try:
        return context.wrap_socket(sock, server_hostname=host)
    except (ssl.SSLError, OSError) as error:
        sock.close()
        raise NetworkFailure(str(error), timed_out=isinstance(error, TimeoutError)) from error


def exchange(url: str, method: str, headers: dict[str, str], body: bytes, way: Way) -> Reply:
    """Send one HTTP request and read its answer; redirects are answers like others."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 443
    if way.proxy:
        sock = _through_proxy(way.proxy, host, port, way)
    else:
        sock = connect(host, port, way)
    with secure(sock, host, way) as tls:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {path} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(body)}")
        try:
            tls.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
            return _read_reply(tls, method)
        except TimeoutError as error:
            raise NetworkFailure("The read operation timed out", sent=True, timed_out=True) from error
        except (OSError, http.client.HTTPException) as error:
            raise NetworkFailure(str(error) or type(error).__name__, sent=True) from error


def _read_reply(sock: socket.socket, method: str) -> Reply:
    response = http.client.HTTPResponse(sock, method=method)
    try:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, response.read())
    finally:
        response.close()  # it holds the socket open otherwise, when no answer came


def _through_proxy(proxy: str, host: str, port: int, way: Way) -> socket.socket:
    parts = urlsplit(proxy)
    sock = connect(parts.hostname or "", parts.port or 3128, way)
    sock.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
    head = io.BytesIO()
    while not head.getvalue().endswith(b"\r\n\r\n"):
        # Byte by byte: what follows the blank line belongs to TLS.
        byte = sock.recv(1)
        if not byte:
            break
        head.write(byte)
    status = head.getvalue().split(b"\r\n")[0].decode("latin-1").partition(" ")[2]
    if not status.startswith("200"):
        sock.close()
        raise NetworkFailure(f"Tunnel connection failed: {status}")
    return sock


def exchange_mllp(host: str, port: int, framed: bytes, way: Way, *, tls: bool) -> bytes:
    """Send bytes as they are and read one framed answer; the answer is given without its frame."""
    sock: socket.socket = connect(host, port, way)
    if tls:
        sock = secure(sock, host, way)
    with sock:
        received = b""
        try:
            sock.sendall(framed)
            while not received.endswith(b"\x1c\x0d"):
                chunk = sock.recv(65536)
                if not chunk:
                    raise NetworkFailure("Connection closed before an answer came", sent=True)
                received += chunk
        except TimeoutError as error:
            # A short linger lets the far side see our leaving at once.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 1))
            raise NetworkFailure("No acknowledgement: read timed out", sent=True, timed_out=True) from error
        except OSError as error:
            raise NetworkFailure(str(error), sent=True) from error
    return received.strip(b"\x0b\x1c\x0d")
