"""Talk to the practice EHR's control port: which faults there are, which tenant has which, switch them."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from console.diagnoses import words
from console.launch.state import state_folder
from diagnostics import catalog
from diagnostics.practice.faults import FAULTS

LIMIT_S = 5.0


class PracticeIsAway(Exception):
    """The practice EHR does not answer; the message says so in words for the page."""


@dataclass(frozen=True)
class FaultLine:
    """Be one fault: what a user sees, what must be found, whether the tenant has it."""

    name: str
    symptom: str
    cause: str
    cause_title: str
    on: bool
    switchable: bool  # the EHR itself is ill; others lie in what the scribe does, which no switch here changes


@dataclass(frozen=True)
class FaultGroup:
    """Be the faults of one category."""

    name: str
    lines: tuple[FaultLine, ...]
    on: int


@dataclass(frozen=True)
class PracticePage:
    """Be the page of one tenant."""

    tenants: tuple[str, ...]
    tenant: str
    groups: tuple[FaultGroup, ...]
    on: tuple[str, ...]


def practice_page(tenant: str = "") -> PracticePage:
    """Read what the practice EHR has on; an unknown tenant shows the first."""
    told = {item["name"]: tuple(item["faults"]) for item in _ask("tenants")["tenants"]}
    if not told:
        raise PracticeIsAway("The practice EHR has no tenant.")
    name = tenant if tenant in told else next(iter(told))
    groups: dict[str, list[FaultLine]] = {}
    for fault in FAULTS.values():
        cause = catalog.causes().get(fault.cause)
        category = words.CATEGORIES.get(fault.category, fault.category)
        line = FaultLine(
            fault.name,
            fault.symptom,
            fault.cause,
            cause.title if cause else "",
            fault.name in told[name],
            bool(fault.ehr),
        )
        groups.setdefault(category, []).append(line)
    return PracticePage(
        tenants=tuple(told),
        tenant=name,
        groups=tuple(FaultGroup(g, tuple(lines), sum(line.on for line in lines)) for g, lines in groups.items()),
        on=told[name],
    )


def switch(tenant: str, fault: str, *, on: bool) -> None:
    """Switch one fault of a tenant; its others stay."""
    has = set(_ask(f"tenants/{tenant}/faults")["faults"])
    wanted = has | {fault} if on else has - {fault}
    _ask(f"tenants/{tenant}/faults", {"faults": sorted(wanted)})


def heal(tenant: str) -> None:
    """Switch all faults of a tenant off."""
    _ask(f"tenants/{tenant}/faults", {"faults": []})


def _ask(path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    folder = state_folder() / "practice"
    try:
        where = json.loads((folder / "ready.json").read_text(encoding="utf-8"))
        token = (folder / "control.token").read_text(encoding="ascii").strip()
        request = urllib.request.Request(
            f"{where['control_url']}/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        # No proxy of the environment: this never leaves the machine.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=LIMIT_S) as answer:
            told: dict[str, Any] = json.load(answer)
            return told
    except urllib.error.HTTPError as refusal:
        raise PracticeIsAway(f"The practice EHR refused that with status {refusal.code}.") from refusal
    except (OSError, ValueError, KeyError) as problem:
        raise PracticeIsAway(
            "The practice EHR is not running, or is still starting. Try again in a moment."
        ) from problem
