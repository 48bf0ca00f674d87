import gc
import json
import os
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from diagnostics.practice import PracticeEhr, running_practice
from diagnostics.practice.__main__ import Options, main, serve
from diagnostics.practice.server import UnknownName
from tests.practice.visitor import Visitor


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def test_start_and_stop_leave_no_thread_and_no_socket():
    with running_practice():
        pass  # the first start opens what stays open for the process (random source, name service)
    gc.collect()
    threads, open_before = threading.active_count(), descriptors()
    for _ in range(2):
        with running_practice(("north", "south")) as ehr:
            ehr.set_faults("south", {"net-tcp-timeout"})
            Visitor(ehr, "north").token()
    gc.collect()
    assert threading.active_count() == threads
    assert descriptors() == open_before


def test_stopping_twice_is_harmless_and_a_stopped_practice_says_so():
    ehr = PracticeEhr().start()
    ehr.stop()
    ehr.stop()
    with pytest.raises(RuntimeError):
        ehr.set_faults("north", ())


def test_stop_does_not_wait_for_a_peer_that_never_leaves():
    import socket

    with running_practice() as ehr:
        peer = socket.create_connection(("127.0.0.1", ehr.tenant("north").ports["mllp"]), 2)
        silent = socket.create_connection(("127.0.0.1", ehr.tenant("north").ports["fhir"]), 2)
    peer.close()
    silent.close()


def test_tenants_are_ill_each_for_themselves(ehr: PracticeEhr):
    ehr.add_tenant("west")
    ehr.set_faults("north", {"auth-client-unknown"})
    assert Visitor(ehr, "north").token_reply().status == 401
    assert Visitor(ehr, "west").token_reply().status == 200
    ehr.set_faults("north", ())


def test_a_token_of_one_tenant_opens_nothing_at_another(ehr: PracticeEhr):
    ehr.add_tenant("west")
    token = Visitor(ehr, "west").token()
    assert Visitor(ehr, "north").write(Visitor(ehr, "north").document(), token=token).status == 401


def test_unknown_names_are_refused(ehr: PracticeEhr):
    with pytest.raises(UnknownName):
        ehr.set_faults("north", {"no-such-fault"})
    with pytest.raises(UnknownName):
        ehr.set_faults("nowhere", ())


def control(ehr: PracticeEhr, path: str, document: object = None, token: str | None = None) -> tuple[int, dict]:
    data = None if document is None else json.dumps(document).encode()
    request = urllib.request.Request(
        ehr.control.url + path, data=data, headers={"Authorization": f"Bearer {token or ehr.control.token}"}
    )
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_control_port_switches_faults_and_shows_ledger_and_audit_trail(ehr: PracticeEhr):
    ehr.reset("north")
    assert control(ehr, "/tenants", token="guess")[0] == 401
    status, told = control(ehr, "/tenants/north/faults", {"faults": ["auth-client-unknown"]})
    assert (status, told["faults"]) == (200, ["auth-client-unknown"])
    assert Visitor(ehr, "north").token_reply().status == 401
    assert control(ehr, "/tenants/north/ledger")[1]["entries"][0]["service"] == "auth"
    assert control(ehr, "/tenants/north/audit")[1]["rows"][0]["event"] == "token"
    assert control(ehr, "/tenants/north/reset", {})[1]["faults"] == []
    assert len(control(ehr, "/faults")[1]["faults"]) >= 45
    assert len(control(ehr, "/variations")[1]["variations"]) >= 10
    assert control(ehr, "/tenants/north/faults", {"faults": "x"})[0] == 400
    assert control(ehr, "/tenants/north/faults", {"faults": ["x"]})[0] == 400
    assert control(ehr, "/nothing")[0] == 404


def test_the_control_port_builds_a_case(ehr: PracticeEhr):
    status, told = control(ehr, "/tenants/north/case", {"fault": "map-section-unmapped", "seed": 3})
    assert status == 200
    assert json.loads(told["files"]["case.json"])["schema"] == 1
    assert "filed.json" in told["files"]
    ehr.reset("north")


def test_state_outlives_a_restart(tmp_path: Path):
    def facts(ehr: PracticeEhr):
        tenant = ehr.tenant("north")
        leaf = ehr.authority.leaf("fhir.north.practice.test")
        return ehr.ca_pem, leaf, ehr.client_key_pem, tenant.client_secret, tenant.fhir_base, ehr.resolver

    with PracticeEhr(state_dir=tmp_path) as ehr:
        before = facts(ehr)
    with PracticeEhr(state_dir=tmp_path) as ehr:
        assert facts(ehr) == before
        assert Visitor(ehr, "north").token_reply().status == 200
    assert (tmp_path / "practice.json").stat().st_mode & 0o077 == 0
    assert (tmp_path / "authority.pem").stat().st_mode & 0o077 == 0
    assert all(leaf.stat().st_mode & 0o077 == 0 for leaf in (tmp_path / "leaves").iterdir())


def test_the_process_tells_where_it_listens_and_stops_on_request(tmp_path: Path, capsys):
    stopped = threading.Event()
    ready = tmp_path / "ready.json"
    options = Options(
        tenants=("north", "south"),
        faults=("south:net-tls-expired",),
        state_dir=tmp_path / "state",
        ready_file=ready,
        log_dir=tmp_path / "logs",
        case=tmp_path / "case",
    )
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(serve(options, stopped)))
    thread.start()
    while thread.is_alive() and not ready.exists():
        stopped.wait(0.02)
    told = json.loads(ready.read_text())
    assert set(told["tenants"]) == {"north", "south"}
    assert "control_token" in json.loads((tmp_path / "state" / "running.json").read_text())
    stopped.set()
    thread.join()
    assert codes == [0]
    assert (tmp_path / "case" / "case.json").exists()
    assert (tmp_path / "logs" / "ehr-north.ndjson").read_text().count("\n") > 3
    assert "control_token" in capsys.readouterr().out


def test_an_unknown_fault_on_the_command_line_is_one_line(capsys):
    assert main(["--fault", "no-such-fault"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
