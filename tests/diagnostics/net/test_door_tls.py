"""The door names exactly why TLS failed, who refused whom, and keeps the chain as presented."""

import asyncio
import ssl
from pathlib import Path

import pytest

from diagnostics.net import AlertDirection, Budget, Door, Exchange, FaultKind, TlsSession, Trust
from tests.diagnostics.net.peers import Issued, answering, http, issue, peer, strict_tls_peer

QUICK = Budget(connect_s=1, tls_s=2, first_byte_s=2, total_s=4)


def shake(context: ssl.SSLContext, trust: Trust, host: str = "localhost", **options: object) -> TlsSession:
    async def run() -> TlsSession:
        async with peer(answering(http("200 OK")), context) as port:
            return await Door(trust=trust, budget=QUICK).tls(host, port, **options)  # type: ignore[arg-type]

    return asyncio.run(run())


def test_a_good_chain_verifies_and_is_kept(root: Issued, tmp_path: Path) -> None:
    middle = root.child("Made-up Middle", authority=True)
    leaf = middle.child("localhost")
    got = shake(leaf.server_context(tmp_path, middle), Trust(ca_pem=root.pem))
    assert got.verified and got.fault is None and got.protocol == "TLSv1.3"
    assert got.chain == (leaf.der, middle.der)


@pytest.mark.parametrize(
    ("days", "name", "code"),
    [((-30, -1), "localhost", 10), ((1, 30), "localhost", 9), ((-1, 30), "other.example.test", 62)],
    ids=["expired", "not-yet-valid", "hostname"],
)
def test_the_verifier_s_reason_is_kept_with_its_code(
    root: Issued, tmp_path: Path, days: tuple[int, int], name: str, code: int
) -> None:
    leaf = root.child(name, days=days)
    got = shake(leaf.server_context(tmp_path), Trust(ca_pem=root.pem))
    assert not got.verified and got.fault is not None
    assert (got.fault.kind, got.fault.verify_code) == (FaultKind.TLS, code)
    assert got.fault.alert_direction is AlertDirection.SENT
    assert got.chain == (leaf.der,)


def test_a_forgotten_intermediate_verifies_once_it_is_supplied_and_never_becomes_an_anchor(
    root: Issued, tmp_path: Path
) -> None:
    middle = root.child("Made-up Middle", authority=True)
    context = middle.child("localhost").server_context(tmp_path)
    trust = Trust(ca_pem=root.pem)
    alone = shake(context, trust)
    assert alone.fault is not None and alone.fault.verify_code in (20, 21)
    assert shake(context, trust, extra_intermediates=middle.pem).verified
    stranger = Trust(ca_pem=issue("Other Root", authority=True).pem)
    assert not shake(context, stranger, extra_intermediates=middle.pem).verified


def test_a_self_signed_leaf_and_an_unknown_root_are_told_apart(root: Issued, tmp_path: Path) -> None:
    alone = issue("localhost")
    got = shake(alone.server_context(tmp_path), Trust(ca_pem=root.pem))
    assert got.fault is not None and got.fault.verify_code == 18
    leaf = root.child("localhost")
    other = Trust(ca_pem=issue("Other Root", authority=True).pem)
    got = shake(leaf.server_context(tmp_path, root), other)
    assert got.fault is not None and got.fault.verify_code == 19


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_our_certificate_refuses_with_a_received_alert(
    root: Issued, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    context = root.child("localhost").server_context(tmp_path, client_ca=root)
    context.maximum_version = version

    async def run() -> tuple[TlsSession, Exchange]:
        async with strict_tls_peer(context) as port:
            door = Door(trust=Trust(ca_pem=root.pem), budget=QUICK)
            session = await door.tls("localhost", port, settle_s=1.0)
            return session, await door.http("t", "GET", f"https://localhost:{port}/")

    session, got = asyncio.run(run())
    for fault in (session.fault, got.fault):
        assert fault is not None and fault.kind is FaultKind.TLS
        assert fault.alert_direction is AlertDirection.RECEIVED and fault.alert in (40, 42, 116)
    assert session.certificate_requested and got.certificate_requested and not session.verified


def test_a_refusal_of_our_missing_certificate_by_a_bare_close_is_still_told(root: Issued, tmp_path: Path) -> None:
    context = root.child("localhost").server_context(tmp_path, client_ca=root)
    got = shake(context, Trust(ca_pem=root.pem), settle_s=1.0)
    assert got.certificate_requested and got.fault is not None and not got.verified


def test_our_certificate_opens_the_door(root: Issued, tmp_path: Path) -> None:
    context = root.child("localhost").server_context(tmp_path, client_ca=root)
    me = root.child("scribe.example.test")
    trust = Trust(ca_pem=root.pem, client_cert_pem=me.pem, client_key_pem=me.key_pem)
    got = shake(context, trust, settle_s=0.3)
    assert got.verified and got.fault is None and got.client_certificate_sent


@pytest.mark.parametrize(
    "trust",
    [
        Trust(ca_pem="nothing"),
        Trust(ca_pem="-----BEGIN CERTIFICATE-----\nMIIB\n"),
        Trust(client_cert_pem="-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"),
        Trust(client_cert_pem="half", client_key_pem="half"),
    ],
)
def test_half_a_certificate_is_a_fault_and_no_traceback(root: Issued, tmp_path: Path, trust: Trust) -> None:
    got = shake(root.child("localhost").server_context(tmp_path), trust)
    assert got.fault is not None and got.fault.kind is FaultKind.TLS and not got.verified


def test_a_server_that_speaks_no_tls_is_a_fault() -> None:
    async def run() -> TlsSession:
        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            await writer.drain()
            await reader.read(10)

        async with peer(script) as port:
            return await Door(budget=QUICK).tls("localhost", port)

    got = asyncio.run(run())
    assert got.fault is not None and got.fault.kind is FaultKind.TLS and got.fault.alert_direction is None
