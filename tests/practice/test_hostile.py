import http.client
import socket
import ssl
from pathlib import Path

import pytest

from diagnostics.practice import PracticeEhr, build_case
from diagnostics.practice.client import NetworkFailure, exchange
from diagnostics.practice.hostile import HOSTILITIES, HUGE
from tests.practice.visitor import Visitor


def first_bytes(ehr: PracticeEhr, visitor: Visitor, limit: int) -> bytes:
    context = ssl.create_default_context(cadata=ehr.ca_pem.decode())
    with (
        socket.create_connection(("127.0.0.1", visitor.tenant.ports["fhir"]), 3) as sock,
        context.wrap_socket(sock, server_hostname=visitor.tenant.host("fhir")) as tls,
    ):
        tls.sendall(f"GET {visitor.tenant.fhir_path}/metadata HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        received = b""
        while len(received) < limit and (chunk := tls.recv(65536)):
            received += chunk
    return received


def test_a_body_without_end_goes_on_until_the_client_leaves(ehr: PracticeEhr, visitor: Visitor):
    ehr.set_faults("north", {"hostile-metadata-endless"})
    assert len(first_bytes(ehr, visitor, 8_000_000)) >= 8_000_000


def test_a_huge_statement_is_as_long_as_it_says(ehr: PracticeEhr, visitor: Visitor):
    ehr.set_faults("north", {"hostile-metadata-huge"})
    head = first_bytes(ehr, visitor, 2000).split(b"\r\n\r\n")[0]
    assert f"Content-Length: {HUGE}".encode() in head


@pytest.mark.parametrize("name", ["hostile-metadata-torn", "hostile-metadata-garbage"])
def test_torn_and_garbled_answers_are_errors_to_a_client(ehr: PracticeEhr, visitor: Visitor, name: str):
    ehr.set_faults("north", {name})
    with pytest.raises((NetworkFailure, http.client.HTTPException)):
        visitor.get(f"{visitor.tenant.fhir_base}/metadata")


def test_every_hostility_can_be_switched_on_and_off(ehr: PracticeEhr, visitor: Visitor):
    for name in HOSTILITIES:
        ehr.set_faults("north", {name})
    ehr.set_faults("north", ())
    assert visitor.get(f"{visitor.tenant.fhir_base}/metadata").status == 200


def test_latency_slows_every_answer(ehr: PracticeEhr, visitor: Visitor):
    url = f"{visitor.tenant.fhir_base}/metadata"
    assert visitor.get(url).status == 200
    ehr.latency_s = 30.0
    with pytest.raises(NetworkFailure) as caught:
        exchange(url, "GET", {}, b"", visitor.way(timeout_s=0.5))
    ehr.latency_s = 0.0
    assert caught.value.timed_out


def test_two_faults_can_be_played_together(ehr: PracticeEhr, tmp_path: Path):
    build_case(ehr, "north", "auth-token-expired", tmp_path, also=("fhir-payload-required",))
    assert ehr.tenant("north").faults == {"auth-token-expired", "fhir-payload-required"}
    assert '"type"' not in (tmp_path / "note.json").read_text()
    assert '"status": 401' in (tmp_path / "scribe.ndjson").read_text()
