"""Make the project's own virtual environment on first use. Standard library only: nothing else is installed yet."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MINIMUM = (3, 11)


class BootstrapError(Exception):
    """The environment could not be made; the message is one line that says what to do."""


def ensure_environment(argv: list[str]) -> None:
    """Re-execute inside `.venv`, made and filled first where needed.

    Do nothing inside a virtual environment (a deployed one is somebody's own) or with NOTETRACE_BOOTSTRAP=0.
    """
    if sys.prefix != sys.base_prefix or os.environ.get("NOTETRACE_BOOTSTRAP") == "0":
        return
    if sys.version_info[:2] < MINIMUM:
        raise BootstrapError(
            f"NoteTrace needs Python {MINIMUM[0]}.{MINIMUM[1]} or newer; this is {sys.version.split()[0]}."
        )
    lock = ROOT / "requirements" / ("dev.txt" if argv[1:2] == ["test"] else "demo.txt")
    venv = ROOT / ".venv"
    python = venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not _is_installed(venv, python, lock):
        _make(venv, python)
        _install(python, lock)
        _stamp(venv, lock).write_text(_digest(lock), encoding="ascii")
    sys.stdout.flush()
    os.execv(python, [str(python), *argv])


def _digest(lock: Path) -> str:
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def _stamp(venv: Path, lock: Path) -> Path:
    return venv / f".notetrace-{lock.stem}"


def _is_installed(venv: Path, python: Path, lock: Path) -> bool:
    """Compare stamps with the locks. The test lock holds everything of the demo's, so it satisfies both."""
    if not python.exists():
        return False
    for candidate in {lock, lock.with_name("dev.txt")}:
        stamp = _stamp(venv, candidate)
        if candidate.exists() and stamp.exists() and stamp.read_text(encoding="ascii").strip() == _digest(candidate):
            return True
    return False


def _make(venv: Path, python: Path) -> None:
    if python.exists():
        return
    _say(f"Making the virtual environment {venv} (first use only) …")
    uv = shutil.which("uv")
    if uv:
        _run(
            [uv, "venv", "--quiet", "--python", sys.executable, str(venv)], "uv could not make the virtual environment"
        )
        return
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise BootstrapError(
            "This Python lacks its `venv` module. On Debian or Ubuntu: apt install python3-venv, then run this again."
        )
    shutil.rmtree(venv, ignore_errors=True)
    try:
        _run([sys.executable, "-m", "venv", str(venv)], "python -m venv failed")
    except BootstrapError:
        shutil.rmtree(venv, ignore_errors=True)  # a half-made one would be taken for whole on the next start
        raise


def _install(python: Path, lock: Path) -> None:
    _say(f"Installing {lock.relative_to(ROOT)} (first use only, one to three minutes) …")
    uv = shutil.which("uv")
    if uv:
        command = [uv, "pip", "install", "--quiet", "--python", str(python), "--require-hashes", "-r", str(lock)]
    else:
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        command += ["--no-input", "--require-hashes", "-r", str(lock)]
    _run(command, "The requirements could not be installed; check that a package registry is reachable")


def _run(command: list[str], failure: str) -> None:
    if subprocess.run(command, cwd=ROOT, stdout=sys.stderr).returncode:
        raise BootstrapError(f"{failure} (see the lines above).")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # standard output belongs to the command
