"""`python3 manage.py test`: linters, types, import contracts and tests; with arguments, only pytest on those."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from console.launch.bootstrap import ROOT

BIN = Path(sys.executable).parent
PYTHON = sys.executable
NOT_FOR_TESTS = {"DATABASE_URL", "DATABASE_OWNER_URL", "BROKER_URL", "DJANGO_SETTINGS_MODULE"}


def checks() -> list[tuple[str, list[str]]]:
    """Give the checks that come before the tests, each with its name, in the order of their speed."""
    return [
        ("ruff check", [PYTHON, "-m", "ruff", "check", "."]),
        ("ruff format", [PYTHON, "-m", "ruff", "format", "--check", "."]),
        ("import contracts", [str(BIN / "lint-imports")]),
        ("template lint", [str(BIN / "djlint"), "templates", "--lint", "--quiet"]),
        ("mypy", [PYTHON, "-m", "mypy"]),
    ]


def main(arguments: list[str]) -> int:
    """Run everything even after a failure, so that one run shows all there is; end with pytest's closing line."""
    failed = []
    if not arguments:
        for name, command in checks():
            began = time.monotonic()
            code = _run(command)
            print(f"{name}: {'passed' if code == 0 else 'FAILED'} in {time.monotonic() - began:.1f} s", flush=True)
            if code:
                failed.append(name)
    code = _run([PYTHON, "-m", "pytest", *arguments])
    if failed:
        # Said before pytest's own last line would be lost above it, hence on the other stream.
        print(f"These checks failed as well: {', '.join(failed)}.", file=sys.stderr)
    return code or (1 if failed else 0)


def _run(command: list[str]) -> int:
    environment = {name: value for name, value in os.environ.items() if name not in NOT_FOR_TESTS}
    return subprocess.run(command, cwd=ROOT, env=environment).returncode
