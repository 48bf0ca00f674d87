import socket
import ssl
import struct

import dns.message
import dns.rcode
import pytest

from diagnostics.practice import PracticeEhr
from diagnostics.practice.client import NetworkFailure, Way, exchange
from tests.practice.visitor import Visitor


def ask(ehr: PracticeEhr, name: str, kind: str = "A", *, tcp: bool = False) -> dns.message.Message:
    host, _, port = ehr.resolver.rpartition(":")
    wire = dns.message.make_query(name, kind).to_wire()
    if tcp:
        with socket.create_connection((host, int(port)), 2) as sock:
            sock.sendall(struct.pack("!H", len(wire)) + wire)
            (length,) = struct.unpack("!H", sock.recv(2))
            return dns.message.from_wire(sock.recv(length))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.3)
        sock.sendto(wire, (host, int(port)))
        return dns.message.from_wire(sock.recv(4096))


@pytest.mark.parametrize("tcp", [False, True])
def test_names_of_the_practice_resolve_over_udp_and_tcp(ehr: PracticeEhr, visitor: Visitor, tcp: bool):
    response = ask(ehr, visitor.tenant.host("fhir"), tcp=tcp)
    assert response.answer[0][0].to_text() == "127.0.0.1"
    assert ask(ehr, visitor.tenant.host("fhir"), "AAAA", tcp=tcp).rcode() == dns.rcode.NOERROR
    assert ask(ehr, "elsewhere.test", tcp=tcp).rcode() == dns.rcode.NXDOMAIN


@pytest.mark.parametrize(
    ("fault", "rcode"),
    [
        ("net-dns-nxdomain", dns.rcode.NXDOMAIN),
        ("net-dns-servfail", dns.rcode.SERVFAIL),
        ("net-dns-refused", dns.rcode.REFUSED),
    ],
)
def test_dns_faults_touch_the_fhir_name_alone(ehr: PracticeEhr, visitor: Visitor, fault: str, rcode):
    ehr.set_faults("north", {fault})
    assert ask(ehr, visitor.tenant.host("fhir")).rcode() == rcode
    assert ask(ehr, visitor.tenant.host("auth")).rcode() == dns.rcode.NOERROR


def test_a_silent_resolver_is_silent(ehr: PracticeEhr, visitor: Visitor):
    ehr.set_faults("north", {"net-dns-timeout"})
    with pytest.raises(TimeoutError):
        ask(ehr, visitor.tenant.host("fhir"))


def test_bytes_that_are_no_query_do_not_stop_the_resolver(ehr: PracticeEhr, visitor: Visitor):
    host, _, port = ehr.resolver.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"\x00\x01nonsense", (host, int(port)))
    assert ask(ehr, visitor.tenant.host("fhir")).rcode() == dns.rcode.NOERROR


def connect(visitor: Visitor, role: str = "fhir", timeout: float = 0.3) -> None:
    socket.create_connection(("127.0.0.1", visitor.tenant.ports[role]), timeout).close()


def test_a_closed_port_refuses_a_silent_one_says_nothing_and_both_come_back(ehr: PracticeEhr, visitor: Visitor):
    port = visitor.tenant.ports["fhir"]
    ehr.set_faults("north", {"net-tcp-refused"})
    with pytest.raises(ConnectionRefusedError):
        connect(visitor)
    ehr.set_faults("north", {"net-tcp-timeout"})
    with pytest.raises(TimeoutError):
        connect(visitor)
    ehr.set_faults("north", ())
    connect(visitor)
    assert visitor.tenant.ports["fhir"] == port
    assert visitor.get(f"{visitor.tenant.fhir_base}/metadata").status == 200


def verify_code(ehr: PracticeEhr, visitor: Visitor) -> int | None:
    context = ssl.create_default_context(cadata=ehr.ca_pem.decode())
    try:
        with (
            socket.create_connection(("127.0.0.1", visitor.tenant.ports["fhir"]), 3) as sock,
            context.wrap_socket(sock, server_hostname=visitor.tenant.host("fhir")),
        ):
            return None
    except ssl.SSLCertVerificationError as error:
        return int(error.verify_code)


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("healthy-certificate-40-days", {None}),
        ("net-tls-expired", {10}),
        ("net-tls-not-yet-valid", {9}),
        ("net-tls-hostname", {62}),
        ("net-tls-chain-incomplete", {20, 21}),
        ("net-tls-untrusted-root", {19}),
        ("net-tls-self-signed", {18}),
    ],
)
def test_certificates_are_wrong_in_the_way_their_fault_says(ehr: PracticeEhr, visitor: Visitor, fault: str, codes):
    ehr.set_faults("north", {fault})
    assert verify_code(ehr, visitor) in codes


def test_the_missing_intermediate_can_be_fetched_and_completes_the_chain(ehr: PracticeEhr, visitor: Visitor):
    from urllib.request import urlopen

    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    ehr.set_faults("north", {"net-tls-chain-incomplete"})
    bare = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    bare.check_hostname, bare.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", visitor.tenant.ports["fhir"]), 3) as sock,
        bare.wrap_socket(sock, server_hostname=visitor.tenant.host("fhir")) as tls,
    ):
        leaf = x509.load_der_x509_certificate(tls.getpeercert(True))
    access = leaf.extensions.get_extension_for_class(x509.AuthorityInformationAccess).value
    with urlopen(access[0].access_location.value) as answer:
        issuer = x509.load_der_x509_certificate(answer.read())
    leaf.verify_directly_issued_by(issuer)
    trust = ehr.ca_pem + issuer.public_bytes(Encoding.PEM)
    way = Way(ehr.resolver, trust)
    assert exchange(f"{visitor.tenant.fhir_base}/metadata", "GET", {}, b"", way).status == 200


def test_a_demanded_client_certificate_is_refused_with_its_alert_and_accepted_when_given(ehr, visitor: Visitor):
    from diagnostics.practice.authority import load_chain

    ehr.set_faults("north", {"net-tls-client-certificate"})
    with pytest.raises(NetworkFailure, match="CERTIFICATE_REQUIRED"):
        visitor.get(f"{visitor.tenant.fhir_base}/metadata")
    context = ssl.create_default_context(cadata=ehr.ca_pem.decode())
    load_chain(context, *ehr.authority.leaf("client.practice.test"))
    path = f"{visitor.tenant.fhir_path}/metadata"
    with (
        socket.create_connection(("127.0.0.1", visitor.tenant.ports["fhir"]), 3) as sock,
        context.wrap_socket(sock, server_hostname=visitor.tenant.host("fhir")) as tls,
    ):
        tls.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        received = b""
        while chunk := tls.recv(65536):
            received += chunk
    assert received.startswith(b"HTTP/1.1 200")
    assert b"CapabilityStatement" in received


def through(ehr: PracticeEhr, visitor: Visitor, trust: bytes | None = None) -> Way:
    return Way(ehr.resolver, trust or ehr.ca_pem, f"http://127.0.0.1:{visitor.tenant.ports['proxy']}")


def test_the_proxy_passes_tunnels_and_plain_requests(ehr: PracticeEhr, visitor: Visitor):
    url = f"{visitor.tenant.fhir_base}/metadata"
    assert exchange(url, "GET", {}, b"", through(ehr, visitor)).status == 200
    plain = f"http://127.0.0.1:{ehr.authority.issuer_url.split(':')[2]}"
    with socket.create_connection(("127.0.0.1", visitor.tenant.ports["proxy"]), 3) as sock:
        sock.sendall(f"GET {plain} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")


def test_the_proxy_wants_credentials_or_blocks(ehr: PracticeEhr, visitor: Visitor):
    url = f"{visitor.tenant.fhir_base}/metadata"
    ehr.set_faults("north", {"net-proxy-407"})
    with pytest.raises(NetworkFailure, match="407"):
        exchange(url, "GET", {}, b"", through(ehr, visitor))
    ehr.set_faults("north", {"net-proxy-block-page"})
    with pytest.raises(NetworkFailure, match="403"):
        exchange(url, "GET", {}, b"", through(ehr, visitor))
    discovery = f"{visitor.tenant.url('auth')}/.well-known/smart-configuration"
    assert exchange(discovery, "GET", {}, b"", through(ehr, visitor)).status == 200


def test_the_inspecting_proxy_loses_the_authorization_header(ehr: PracticeEhr, visitor: Visitor):
    ehr.set_faults("north", {"net-proxy-auth-stripped"})
    token = visitor.token()
    url = f"{visitor.tenant.fhir_base}/Patient/canary-1"
    headers = {"Authorization": f"Bearer {token}"}
    with pytest.raises(NetworkFailure, match="certificate verify failed"):
        exchange(url, "GET", headers, b"", through(ehr, visitor))
    trust = ehr.ca_pem + ehr.inspector.ca_pem
    reply = exchange(url, "GET", headers, b"", through(ehr, visitor, trust))
    assert reply.status == 401
    assert "error" not in reply.headers["www-authenticate"]
    assert "via" in reply.headers
    assert visitor.read("Patient/canary-1", token).status == 200
