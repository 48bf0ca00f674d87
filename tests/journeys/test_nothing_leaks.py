"""Planted secrets, a planted patient and a planted sentence go the whole way and are found in none of the sinks."""

import base64
import contextlib
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from django.test import Client

from console.accounts.models import User
from console.accounts.sealed import Sealed
from console.diagnoses.models import Run
from console.notes.models import Note
from console.shared.work import ENDED_STATES, WorkState
from diagnostics import case_folder
from diagnostics.practice import build_case, running_practice
from tests.faults.stack import ROOT, sweeper, wait_for, worker
from tests.journeys.stage import Place, a_place, take_over

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

GIVEN, FAMILY = "Ottoline", "Featherstonehaugh"
SENTENCE = "She keeps three peacocks and sleeps badly on Thursdays"
SECRET, API_KEY = "planted-secret-90210", "planted-key-31337"
STORIES = ("auth-client-secret-wrong", "auth-key-not-published", "fhir-payload-required", "hl7-segment-order")


def plant(folder: Path) -> list[str]:
    """Put secrets and patient wherever a real case holds them; give what must never be seen, the key's text too."""
    path = folder / "case.json"
    told = json.loads(path.read_text(encoding="utf-8"))
    planted = [GIVEN, FAMILY, SENTENCE, "Thursdays", SECRET, API_KEY]
    auth = told["integration"].get("auth")
    if auth is not None:
        if "client_secret" in auth:
            auth["client_secret"] = SECRET
        auth |= {"api_key": API_KEY, "api_key_header": "x-api-key"}
    if auth is not None and "private_key_file" in auth:
        key = (folder / auth["private_key_file"]).read_text(encoding="ascii")
        planted += [line for line in key.splitlines() if not line.startswith("--")][:3]
    note = folder / told["note"]["narrative"]
    note.write_text(f"{note.read_text(encoding='utf-8')}\n{SENTENCE}. {GIVEN} {FAMILY}.\n", encoding="utf-8")
    if "payload" in told["note"]:
        _plant_in_payload(folder / told["note"]["payload"])
    _plant_in_log(folder / told["logs"]["scribe"], told["note"]["id"])
    path.write_text(json.dumps(told), encoding="utf-8")
    return planted


def _plant_in_payload(payload: Path) -> None:
    if payload.suffix == ".hl7":
        text = payload.read_bytes().decode("utf-8")
        payload.write_bytes(re.sub(r"(?<=PID\|)[^\r]*", f"1||P-1^^^MR||{FAMILY}^{GIVEN}", text).encode())
        return
    resource = json.loads(payload.read_text(encoding="utf-8"))
    resource["subject"]["display"] = f"{FAMILY}, {GIVEN}"
    resource["contained"] = [
        {"resourceType": "Patient", "id": "p", "name": [{"family": FAMILY, "given": [GIVEN], "text": GIVEN}]}
    ]
    for content in resource["content"]:
        if data := content["attachment"].get("data"):
            more = base64.b64decode(data).decode() + f"\n{SENTENCE}."
            content["attachment"]["data"] = base64.b64encode(more.encode()).decode()
    payload.write_text(json.dumps(resource), encoding="utf-8")


def _plant_in_log(log: Path, note_id: str) -> None:
    """Let the log quote secrets, the patient and a sentence of the note, as careless software does."""
    rows = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    said = [row for row in rows if row.get("note_id") == note_id and row.get("error")][-1]
    said["error"] += f" Patient {GIVEN} {FAMILY}: {SENTENCE}. client_secret={SECRET}&x-api-key={API_KEY}"
    log.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def dump(url: str) -> str:
    """Give every row of every table of a database as text."""
    told = []
    with psycopg.connect(url) as owner:
        names = owner.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        assert names
        for (name,) in names:
            told += [row for (row,) in owner.execute(f"SELECT t::text FROM {name} t".encode()).fetchall()]
    return "\n".join(told)


@contextlib.contextmanager
def web(log: Path) -> Iterator[str]:
    """Run the real web server; give its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "console.settings"}
    with open(log, "ab") as output:
        process = subprocess.Popen(
            [sys.executable, *words, "console.wsgi:application"],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    address = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{address}/ready").status_code == 200
        return False

    try:
        wait_for("the web server's start", answers)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def browser(address: str, user: User) -> httpx.Client:
    """Give a logged-in browser."""
    session = Client()
    session.force_login(user)
    cookies = {name: morsel.value for name, morsel in session.cookies.items()}
    return httpx.Client(base_url=address, cookies=cookies, timeout=30, headers={"Origin": address})


def opened(visitor: httpx.Client, place: Place, case: case_folder.Case, name: str) -> str:
    """Open a ticket in the browser by pasting what stands in the log; give its page's address."""
    integration, note = take_over(place.facility, case, name)
    assert note is not None
    page = visitor.get("/tickets/open/").text
    form = {
        "csrfmiddlewaretoken": re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1],
        "key": re.search(r'name="key" value="(\w+)"', page)[1],
        "pasted": f"{note.external_id} {GIVEN} {FAMILY} {SENTENCE} client_secret={SECRET}"
        if integration.protocol == "fhir"
        else (note.payload or b"").decode(),
        "step": "open",
        "integration": str(integration.id),
    }
    answer = visitor.post("/tickets/open/", data=form)
    assert answer.status_code == 302, answer.text[:500]
    return answer.headers["location"]


def test_what_is_planted_stays_sealed(tmp_path, postgres) -> None:
    planted: set[str] = set()
    sinks: dict[str, str] = {}
    with running_practice(STORIES) as ehr, web(tmp_path / "web.log") as address, contextlib.ExitStack() as alive:
        place = a_place()
        visitor = alive.enter_context(browser(address, place.desk))
        pages = []
        for story in STORIES:
            build_case(ehr, story, story, tmp_path / story)
            planted |= set(plant(tmp_path / story))
            pages.append(opened(visitor, place, case_folder.load(tmp_path / story), story))
        assert sum(SENTENCE in (note.narrative or "") for note in Note.objects.all()) == len(STORIES)
        # Nobody listens yet: the messages stand where they can be read.
        sinks["queue, waiting"] = dump(postgres.url("postgres", "queue"))
        assert all(str(run.pk) in sinks["queue, waiting"] for run in Run.objects.all())
        with sweeper(tmp_path), worker(tmp_path, concurrency=2):
            done = Run.objects.filter(state__in=ENDED_STATES)
            wait_for("the end of all runs", lambda: done.count() == len(STORIES))
        sinks["queue, done"] = dump(postgres.url("postgres", "queue"))
        for page in pages:
            for part in ("", "live/"):
                answer = visitor.get(page + part)
                assert answer.status_code == 200
                sinks[f"page {page}{part}"] = answer.text
        sinks["list of tickets"] = visitor.get("/tickets/").text
        # A stored value that does not open is our own fault: the page for that, and what the log says of it.
        Note.objects.update(external_id=Sealed(b"\x01" + bytes(60)))
        broken = visitor.get(pages[0])
        assert broken.status_code == 500 and "Something went wrong" in broken.text
        sinks["page of our own fault"] = broken.text
    for run in Run.objects.all():
        assert run.state == WorkState.DONE, run.error
        sinks[f"document of {run.integration.name}"] = json.dumps(run.document, ensure_ascii=False)
    for log in tmp_path.glob("*.log"):
        sinks[log.name] = log.read_text(encoding="utf-8", errors="replace")
    assert "SealError" in sinks["web.log"]
    sinks["tables"] = dump(postgres.url("postgres"))

    assert len(planted) >= 9
    found = [
        (place, secret[:12])
        for place, text in sinks.items()
        for secret in sorted(planted)
        if secret in text or secret.encode().hex() in text
    ]
    assert not found, found
