"""The network lies behind one door, and nothing of a machine is in the project."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NETWORK = {"socket", "ssl", "httpx", "dns", "http.client", "urllib.request", "requests", "asyncio.streams"}
# Within the engine these may reach out; gather and engine only hand the door on.
MAY_REACH_OUT = {"net", "probes", "practice"}
# The console's own launcher looks for a free port and asks its own web server; nothing else of it opens connections.
CONSOLE_MAY = {"console/launch/demo.py", "console/demo/practice.py"}


def tracked(*patterns: str) -> list[Path]:
    """Give the files in git: what lies about untracked is nobody's business here."""
    listed = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:  # an unpacked archive has no git; then everything counts
        return [path for pattern in patterns for path in ROOT.rglob(pattern) if ".venv" not in path.parts]
    return [ROOT / line for line in listed.stdout.splitlines() if (ROOT / line).exists()]


def imports(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def reaches_out(path: Path) -> set[str]:
    return {name for name in imports(path) for way in NETWORK if name == way or name.startswith(f"{way}.")}


def test_within_the_engine_only_the_door_the_probes_and_the_practice_ehr_touch_the_network() -> None:
    sinners = {
        str(path.relative_to(ROOT)): reaches_out(path)
        for path in tracked("diagnostics/*.py")
        if path.relative_to(ROOT / "diagnostics").parts[0] not in MAY_REACH_OUT and reaches_out(path)
    }
    assert sinners == {}


def test_the_console_opens_no_connections_of_its_own() -> None:
    sinners = {
        str(path.relative_to(ROOT)): reaches_out(path)
        for path in tracked("console/*.py")
        if str(path.relative_to(ROOT)) not in CONSOLE_MAY and reaches_out(path)
    }
    assert sinners == {}


def test_the_import_contract_names_every_module_of_the_engine() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    contract = next(c for c in contracts if "httpx" in c.get("forbidden_modules", ()))
    named = {name.removeprefix("diagnostics.") for name in contract["source_modules"]}
    files = tracked("diagnostics/*.py")
    there = {path.relative_to(ROOT / "diagnostics").parts[0].removesuffix(".py") for path in files}
    assert there - named == {"__init__", "engine", "gather", *MAY_REACH_OUT} | ({"signatures"} & there)


def test_the_engine_reads_no_environment() -> None:
    sinners = [p for p in tracked("diagnostics/*.py") if re.search(r"os\.environ|os\.getenv", p.read_text("utf-8"))]
    assert [str(p.relative_to(ROOT)) for p in sinners] == []


@pytest.mark.parametrize(
    "words",
    [r"/root/", r"/home/\w+/", r"/work/(main|shared)", r"-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/]{40}"],
)
def test_nothing_of_a_machine_and_no_key_is_in_the_project(words) -> None:
    found = []
    for path in tracked("*"):
        if path.is_file() and path.suffix not in {".woff2", ".png", ".ico"} and path != Path(__file__):
            text = path.read_text(encoding="utf-8", errors="replace")
            if re.search(words, text):
                found.append(str(path.relative_to(ROOT)))
    assert found == []


@pytest.mark.django_db
def test_every_change_of_a_model_has_its_migration() -> None:
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
