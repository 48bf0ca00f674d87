"""The demo's practice EHR: the tenants of the sample data, ill as their stories left them."""

import json
import secrets
import signal
import tempfile
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from diagnostics.practice.case_builder import build_case
from diagnostics.practice.server import PracticeEhr, UnknownName
from diagnostics.practice.tenant import Tenant, add_encounter, add_patient

STORIES, READY, TOKEN = "stories.json", "ready.json", "control.token"


def remember(folder: Path, stories: list[dict[str, Any]]) -> None:
    """Write which story each tenant is in, for the process that plays the EHR from now on."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = folder / f"{STORIES}.new"
    scratch.write_text(json.dumps(stories, indent=1), encoding="utf-8")
    scratch.replace(folder / STORIES)


def run(folder: Path) -> int:
    """Play the EHR until SIGTERM; addresses, keys and certificates stay those of the earlier starts.

    The stories are played again at each start, because the EHR keeps its charts in memory only: patients, visits
    and documents get the very ids that the console's tickets speak of.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / STORIES
    stories = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    tenants = [story["tenant"] for story in stories] or ["north"]
    with PracticeEhr(tenants, state_dir=folder, control_token=_token(folder)) as ehr:
        for story in stories:
            _play_again(ehr, story)
        told = {"control_url": ehr.control.url, "resolver": ehr.resolver, "tenants": tenants}
        (folder / READY).write_text(json.dumps(told), encoding="utf-8")
        print(f"The practice EHR listens; its tenants: {', '.join(tenants)}.", flush=True)
        stop.wait()
        (folder / READY).unlink(missing_ok=True)
    return 0


def _play_again(ehr: PracticeEhr, story: dict[str, Any]) -> None:
    passed = datetime.now(UTC) - datetime.fromisoformat(story["at"])
    with tempfile.TemporaryDirectory(prefix="nt-story-") as scratch:
        try:
            build_case(
                ehr,
                story["tenant"],
                story["fault"],
                Path(scratch),
                seed=story["seed"],
                minutes_ago=passed.total_seconds() / 60,
            )
            _receive(ehr.tenant(story["tenant"]), story.get("visits", ()))
        except UnknownName as problem:  # a fault renamed by an upgrade: the tenant is well, the rest goes on
            print(f"{story['tenant']}: {problem}", flush=True)


def _receive(tenant: Tenant, visits: Iterable[dict[str, str]]) -> None:
    """Let the EHR know patients, visits and providers of further notes, which the sample data invented."""
    for visit in visits:
        add_patient(tenant, visit["patient"])
        tenant.put({"resourceType": "Practitioner", "id": visit["provider"], "active": True})
        add_encounter(tenant, visit["encounter"], visit["patient"], owner=visit["provider"])


def _token(folder: Path) -> str:
    path = folder / TOKEN
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(24), encoding="ascii")
    return path.read_text(encoding="ascii").strip()
