"""Where a started NoteTrace keeps its own files: keys, logs, the embedded database. Nothing of it is in git."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from console.launch.bootstrap import ROOT


def state_folder() -> Path:
    """Give `var/`, or the folder named by NOTETRACE_STATE_DIR (tests keep their own beside a running demo)."""
    folder = Path(os.environ.get("NOTETRACE_STATE_DIR") or ROOT / "var").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def provide_keys(folder: Path) -> None:
    """Point the settings at generated keys unless the operator gave his own.

    Made once and kept, because the data sealed with them outlives the process.
    """
    keys = folder / "keys"
    keys.mkdir(mode=0o700, exist_ok=True)
    for variable, name, value in (
        ("SECRET_KEY", "secret.key", lambda: secrets.token_urlsafe(48)),
        ("NOTETRACE_MASTER_KEY", "master.key", lambda: f"demo1:{secrets.token_hex(32)}"),
    ):
        if os.environ.get(variable) or os.environ.get(f"{variable}_FILE"):
            continue
        path = keys / name
        if not path.exists():
            _write_private(path, value() + "\n")
        os.environ[f"{variable}_FILE"] = str(path)


def _write_private(path: Path, text: str) -> None:
    """Write whole or not at all, readable by the owner only from the first byte on."""
    scratch = path.with_suffix(f".{os.getpid()}.new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as handle:
        handle.write(text)
    os.replace(scratch, path)
