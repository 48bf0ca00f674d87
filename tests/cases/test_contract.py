"""What cases.md promises of every run, whatever the case: keys, words, exit codes, silence, and no secret."""

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.cases import pieces
from tests.cases.building import TOKEN_URL, Story, Trial, document, mdm
from tests.cases.expected import cases
from tests.cases.pieces import denied, jwt, nacked, roles

TOP = {
    "schema", "failure_mode", "root_cause", "contributing", "ruled_out", "missing", "journey", "steps", "changes",
    "facts", "ms",
}  # fmt: skip
MODES = {
    "not_generated", "never_sent", "rejected", "misplaced", "partial", "duplicate", "delayed", "delivered", "unknown",
}  # fmt: skip
CATEGORIES = {
    "authentication", "endpoint_configuration", "field_mapping", "template_conflict", "network", "permissions",
    "ehr_defect", "scribe_defect",
}  # fmt: skip
ACTORS = {
    "help_desk", "integration_engineer", "ehr_team", "network_team", "informatics", "scribe_vendor", "ehr_vendor",
    "provider",
}  # fmt: skip
STATUSES = {"passed", "failed", "warning", "blocked", "not_applicable", "unknown", "error"}
CAUSE = {"category", "cause", "certainty", "title", "because", "remedy", "who_acts"}


def command(folder: Path, *options: str) -> tuple[int, str, str]:
    """Run `diagnose` in this process: exit code, standard output, standard error."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command("diagnose", str(folder), *options, stdout=out, stderr=err)
    return int(left.value.code or 0), out.getvalue(), err.getvalue()


def told(story: Story, folder: Path, *options: str) -> dict[str, Any]:
    story.expect("x", None, None, "").write(folder)
    code, out, err = command(folder, "--json", *(options or ("--offline",)))
    assert code in (0, 1, 3) and not err
    return json.loads(out)


@pytest.mark.parametrize("area", sorted({case.area for case in cases()}))
def test_the_document_has_the_promised_keys_and_words(area, tmp_path: Path) -> None:
    for case in (case for case in cases() if case.area == area):
        code, out, err = command(case.folder, "--json", "--offline")
        document = json.loads(out)
        assert set(document) >= TOP and not err and document["schema"] == 1 and document["failure_mode"] in MODES
        assert [stage["stage"] for stage in document["journey"]] == [
            "generated",
            "packaged",
            "sent",
            "accepted",
            "filed",
        ]
        assert {stage["state"] for stage in document["journey"]} <= {"ok", "broken", "unknown", "not_reached"}
        for cause in [*([document["root_cause"]] if document["root_cause"] else []), *document["contributing"]]:
            assert set(cause) == CAUSE and cause["category"] in CATEGORIES and cause["who_acts"] in ACTORS
            assert cause["certainty"] in {"proven", "likely", "possible"}
            assert cause["because"] and cause["remedy"] and all(set(b) == {"check", "says"} for b in cause["because"])
        assert [step["step"] for step in document["steps"]] == [1, 2, 3, 4, 5, 6]
        checks = [check for step in document["steps"] for check in step["checks"]]
        assert {check["status"] for check in checks} <= STATUSES - {"error"}, case.name
        assert all({"id", "status", "says", "blocked_by", "evidence"} <= set(check) for check in checks)
        assert all(set(item) == {"category", "because"} for item in document["ruled_out"])
        assert not {item["category"] for item in document["ruled_out"]} & {
            (document["root_cause"] or {}).get("category")
        }
        assert (code == 1) == (document["root_cause"] is not None), case.name
        if document["root_cause"] is None:
            assert not document["contributing"], f"{case.name}: contributing to nothing"
            assert code == 0 or document["missing"], f"{case.name}: undetermined and nothing missing"


def test_the_document_has_no_other_keys_than_the_promised_ones(tmp_path: Path) -> None:
    assert set(told(Story().delivered().chart(), tmp_path / "case")) == TOP


def broken(change: Callable[[dict[str, Any]], Any], **files: Any) -> dict[str, Any]:
    """The files of a good case after one change to case.json."""
    made = Story().delivered().payload().file("template", pieces.template()).file("roles", roles()).folder() | files
    result = change(made["case.json"])
    return made if result is None else made | {"case.json": result}


def set_in(*path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(case: dict[str, Any]) -> None:
        for key in path[:-1]:
            case = case.setdefault(key, {})
        case[path[-1]] = value

    return change


UNREADABLE = {
    "no_case_file": ({}, ("case.json",)),
    "empty_case_file": (broken(lambda _: b""), ("case.json",)),
    "not_json": (broken(lambda _: "{schema: 1"), ("case.json",)),
    "a_list": (broken(lambda _: "[]"), ("case.json",)),
    "not_utf8": (broken(lambda _: b'{"schema": 1, "x": "\xff\xfe"}'), ("case.json",)),
    "no_schema": (broken(lambda case: {k: v for k, v in case.items() if k != "schema"}), ("case.json", "schema")),
    "other_schema": (broken(set_in("schema", value=2)), ("case.json", "schema")),
    "no_integration": (broken(lambda case: {"schema": 1}), ("case.json", "integration")),
    "no_integration_name": (broken(lambda case: case["integration"].pop("name") and None), ("name",)),
    "no_protocol": (broken(lambda case: case["integration"].pop("protocol") and None), ("protocol",)),
    "other_protocol": (broken(set_in("integration", "protocol", value="soap")), ("protocol",)),
    "unknown_vendor": (broken(set_in("integration", "vendor", value="acme")), ("vendor",)),
    "unknown_environment": (broken(set_in("integration", "environment", value="live")), ("environment",)),
    "unknown_key_top": (broken(set_in("notes", value={})), ("notes",)),
    "unknown_key_nested": (broken(set_in("integration", "auth", "secret", value="x")), ("secret",)),
    "note_without_id": (broken(lambda case: case["note"].pop("id") and None), ("id",)),
    "naive_now": (broken(set_in("now", value="2026-11-22T17:00:00")), ("now",)),
    "port_as_text": (broken(set_in("integration", "hl7", value={"host": "h", "port": "many"})), ("port",)),
    "port_out_of_range": (broken(set_in("integration", "hl7", value={"host": "h", "port": 70000})), ("port",)),
    "file_missing": (broken(set_in("note", "payload", value="gone.json")), ("gone.json",)),
    "log_missing": (broken(set_in("logs", "scribe", value="gone.ndjson")), ("gone.ndjson",)),
    "file_outside": (broken(set_in("note", "payload", value="../../../../etc/hostname")), ("payload",)),
    "file_absolute": (broken(set_in("template", value="/etc/hostname")), ("template",)),
    "file_is_a_folder": (broken(set_in("note", "payload", value=".")), ("payload",)),
    "unknown_snapshot_key": (
        broken(lambda _: None, **{"template.json": pieces.template(colour="red")}),
        ("template.json", "colour"),
    ),
    "snapshot_not_json": (broken(lambda _: None, **{"roles.json": "{"}), ("roles.json",)),
    "snapshot_of_wrong_shape": (
        broken(lambda _: None, **{"roles.json": {"account": "a", "grants": "all"}}),
        ("roles.json",),
    ),
    "log_row_not_json": (broken(lambda _: None, **{"scribe.ndjson": "{\n"}), ("scribe.ndjson",)),
    "bad_url": (broken(set_in("integration", "fhir_base_url", value="ehr")), ("fhir_base_url",)),
    "timeout_as_text": (broken(set_in("integration", "timeout_s", value="soon")), ("timeout_s",)),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_an_unreadable_case_is_one_line_and_exit_2(name: str, tmp_path: Path) -> None:
    files, words = UNREADABLE[name]
    Trial(name="x", files=files, cause=None, mode=None, why="", exit=2).write(tmp_path / "case")
    code, out, err = command(tmp_path / "case", "--json", "--offline")
    assert code == 2 and not out, (code, out[:300], err)
    assert err.strip() and len(err.strip().splitlines()) == 1
    assert all(word in err for word in words), err
    assert "Traceback" not in err


ODD = {
    "empty_payload": b"",
    "nul_bytes": b"\x00" * 5000,
    "endless_nesting": b'{"a":' * 200_000,
    "nested_lists": b"[" * 500_000 + b"]" * 500_000,
    "huge_number": b'{"resourceType": "DocumentReference", "status": ' + b"9" * 200_000 + b"}",
    "nan": b'{"resourceType": "DocumentReference", "status": NaN}',
    "utf16": '{"resourceType": "DocumentReference"}'.encode("utf-16"),
    "lone_surrogate": b'{"resourceType": "DocumentReference", "description": "\\ud800"}',
    "same_key_twice": b'{"resourceType": "DocumentReference", "resourceType": "Patient"}',
    "another_type": b'{"resourceType": "Patient"}',
    "a_number": b"12",
    "entity_bomb": b'<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><DocumentReference '
    b'xmlns="http://hl7.org/fhir"><status value="&c;"/></DocumentReference>',
    "outer_entity": b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><DocumentReference '
    b'xmlns="http://hl7.org/fhir"><status value="&x;"/></DocumentReference>',
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("file", ["note.json", "note.xml", "note.hl7"])
def test_a_strange_payload_is_a_finding(name: str, file: str, tmp_path: Path) -> None:
    story = Story(protocol="hl7v2") if file.endswith("hl7") else Story()
    told(story.made().sent().payload(ODD[name], file), tmp_path / "case")


def test_fifty_megabytes_are_a_payload_too(tmp_path: Path) -> None:
    whole = document()
    whole["content"][0]["attachment"]["data"] = "QUJD" * 13_000_000
    document_ = told(Story().made().sent().refused(413, "").payload(json.dumps(whole)), tmp_path / "a")
    assert document_["root_cause"]["cause"] == "fhir.request.size"
    told(Story(protocol="hl7v2").made().sent().payload(mdm() + b"OBX|4|TX|a||" + b"x" * 50_000_000), tmp_path / "b")


@pytest.mark.parametrize("piece", [b"", b"-----BEGIN CERTIFICATE-----\nMIIB", b"\x00\xff" * 40, b"not a key at all"])
def test_half_a_certificate_or_key_is_told_not_raised(piece: bytes, tmp_path: Path) -> None:
    for keys in (
        {"ca_bundle": "pem"},
        {"client_cert_file": "pem", "client_key_file": "pem"},
        {"auth": {"private_key_file": "pem"}},
    ):
        story = Story(integration=keys).made()
        story.files["pem"] = piece
        folder = story.expect("x", None, None, "").write(tmp_path / next(iter(keys)))
        for options in (("--offline",), ("--timeout", "3")):
            code, out, err = command(folder, "--json", *options)
            assert code in (1, 2, 3), (code, out[:200], err)
            assert "Traceback" not in err and len(err.strip().splitlines()) == (1 if code == 2 else 0)


SECRETS = {
    "client_secret": "S3cr3t-zeta-4411", "refresh_token": "rt-omega-9921", "api_key": "ak-kappa-7712",
}  # fmt: skip
NAMES = ("Zebulon", "Quackenbush", "555-0199", "intermittent glossolalia")


def test_no_secret_and_no_clinical_word_is_ever_printed(tmp_path: Path) -> None:
    text = "HPI: Zebulon Quackenbush (555-0199) reports intermittent glossolalia.\nPlan: Zebulon returns.\n"
    assertion = jwt(kid="x") + "c2lnbmF0dXJlLXBoaQ"
    body = json.dumps(
        {"error": "invalid_client", "client_secret": "S3cr3t-zeta-4411", "access_token": "at-lambda-3303"}
    )
    stories = []
    for flow in ("backend-services", "client-secret", "provider-context", "api-key"):
        story = Story(integration={"auth": {"flow": flow, "assertion_file": "a.jwt", **SECRETS}}).made()
        story.files["a.jwt"] = assertion
        story.token_refused(
            401, body, response_headers={"authorization": "Bearer at-lambda-3303", "set-cookie": "sid=at-lambda-3303"}
        )
        story.sent("17:00:09", url=f"{TOKEN_URL}?access_token=at-lambda-3303&patient=Zebulon").refused(
            422, f"Bearer at-lambda-3303 refused for Zebulon Quackenbush: {text}", "17:00:10"
        )
        stories.append(
            story.payload(document(text)).narrative(text).chart(fields={"HPI_TXT": text, "PLAN_TXT": "Zebulon"})
        )
    pid = "PID|1||P-100^^^NORTH^MR||Quackenbush^Zebulon||19700101|F|||1 Way||555-0199"
    lines = mdm(*mdm().decode().replace("PID|1||P-100^^^NORTH^MR||Sample^Ada||19700101|F", pid).strip().split("\r"))
    stories.append(
        nacked("AE", "ERR||PID^1^5|102^Data type error^HL70357|E||||Zebulon Quackenbush", payload=lines).narrative(text)
    )
    stories.append(denied(error=f"Patient Zebulon Quackenbush: {text}").payload(document(text)))
    stories.append(pieces.mapped({"PLAN_TXT": text, "HPI_TXT": ""}, text))
    for number, story in enumerate(stories):
        folder = story.expect("x", None, None, "").write(tmp_path / str(number))
        for options in (("--json", "--offline"), ("--offline",), ("--offline", "--all")):
            _, out, err = command(folder, *options)
            for word in (*SECRETS.values(), "at-lambda-3303", "c2lnbmF0dXJlLXBoaQ", *NAMES):
                assert word not in out + err, f"{word!r} in story {number} {options}: …{around(out + err, word)}…"


def around(text: str, word: str) -> str:
    place = text.find(word)
    return text[max(0, place - 160) : place + 60]


@pytest.fixture
def listener() -> Iterator[tuple[int, list[object]]]:
    """A port that remembers who came."""
    seen: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        done = threading.Event()

        def serve() -> None:
            while not done.is_set():
                try:
                    peer, address = server.accept()
                except TimeoutError:
                    continue
                seen.append(address)
                peer.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1], seen
        done.set()
        thread.join()


def test_offline_makes_no_connection_and_online_does(listener, tmp_path: Path) -> None:
    port, seen = listener
    here = f"https://127.0.0.1:{port}"
    auth = {"token_url": f"{here}/token", "authorization_server": here, "jwks_url": f"{here}/jwks"}
    keys = {"auth": auth, "proxy": f"http://127.0.0.1:{port}", "resolver": f"127.0.0.1:{port}", "timeout_s": 2}
    keys |= {"segments": [{"name": "satellite", "source_address": "127.0.0.2"}], "canary": {"patient": "Patient/t"}}
    story = Story(base=f"{here}/r4", integration=keys).made()
    told(story, tmp_path / "fhir")
    v2 = {"hl7": {"host": "127.0.0.1", "port": port}, "timeout_s": 2}
    told(Story(protocol="hl7v2", integration=v2).made(), tmp_path / "hl7")
    assert not seen
    told(story, tmp_path / "fhir", "--timeout", "5", "--no-write")
    assert seen


def test_facts_of_a_good_run_are_a_baseline_for_a_bad_one(tmp_path: Path) -> None:
    good = pieces.mapped(pieces.FIELDS).file("roles", roles())
    good.token("16:00:00", expires_in=3600)
    facts = told(good, tmp_path / "good")["facts"]
    assert facts
    template = pieces.template(version=8, changed_at="2026-11-22T06:00:00+00:00")
    template["fields"][1]["id"] = "HPI_NARR"
    bad = denied(scope="system/DocumentReference.rs").file("template", template).file("mapping", pieces.rules())
    bad.file("roles", roles("document:write")).file("baseline", facts)
    document = told(bad, tmp_path / "bad")
    text = json.dumps(document["changes"])
    assert "document:write" in text, text
    assert "HPI_NARR" in text or "HPI_TXT" in text or "PROG-14" in text, text
    assert all({"kind", "what", "from", "to", "at"} <= set(change) for change in document["changes"])
    again = pieces.mapped(pieces.FIELDS).file("roles", roles()).file("baseline", facts)
    assert told(again, tmp_path / "again")["root_cause"] is None


def test_a_baseline_may_hold_keys_nobody_knows(tmp_path: Path) -> None:
    document = told(Story().delivered().chart().file("baseline", {"future": {"x": 1}}), tmp_path / "case")
    assert document["root_cause"] is None


def test_log_rows_keep_going_past_what_nobody_knows(tmp_path: Path) -> None:
    story = Story().delivered().chart()
    for row in [*story.scribe, *story.ehr]:
        row["x-vendor-thing"] = {"deep": [1, 2]}
    assert told(story, tmp_path / "case")["failure_mode"] == "delivered"


def test_an_integration_alone_can_be_diagnosed(tmp_path: Path) -> None:
    files = Story().folder()
    files["case.json"].pop("note")
    Trial(name="x", files=files, cause=None, mode=None, why="", exit=0).write(tmp_path / "case")
    code, out, err = command(tmp_path / "case", "--json", "--offline")
    assert code in (0, 3) and not err
    assert json.loads(out)["failure_mode"] == "unknown" and json.loads(out)["root_cause"] is None
