"""Keep what must outlive a restart of the demo: ports, credentials and the scribe's keys, in one private file."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from joserfc.jwk import ECKey, RSAKey

from diagnostics.practice.tenant import ClientKeys

FILE = "practice.json"


@dataclass
class Memory:
    """What a practice remembers of its last run."""

    ports: dict[str, int] = field(default_factory=dict)
    tenants: dict[str, dict[str, str]] = field(default_factory=dict)
    keys: ClientKeys | None = None


def load_memory(folder: Path | None) -> Memory:
    """Read the state file, or begin with nothing."""
    path = folder / FILE if folder else None
    if path is None or not path.exists():
        return Memory()
    state = json.loads(path.read_text(encoding="utf-8"))
    keys = ClientKeys(
        RSAKey.import_key(state["rsa"]), RSAKey.import_key(state["rsa_other"]), ECKey.import_key(state["ec"])
    )
    return Memory(state["ports"], state["tenants"], keys)


def save_memory(folder: Path | None, memory: Memory) -> None:
    """Write the state file, readable by its owner alone."""
    if folder is None or memory.keys is None:
        return
    state = {
        "ports": memory.ports,
        "tenants": memory.tenants,
        "rsa": memory.keys.rsa.as_pem(private=True).decode(),
        "rsa_other": memory.keys.rsa_other.as_pem(private=True).decode(),
        "ec": memory.keys.ec.as_pem(private=True).decode(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE
    path.touch(mode=0o600)
    path.write_text(json.dumps(state), encoding="utf-8")
