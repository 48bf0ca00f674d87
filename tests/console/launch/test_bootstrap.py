"""The first command on a fresh machine: what is made, what is left alone, what is said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from console.launch import bootstrap
from console.launch.bootstrap import ROOT, BootstrapError

BASE_PYTHON = Path(sys.base_prefix) / "bin" / f"python{sys.version_info.major}.{sys.version_info.minor}"


def test_inside_a_virtual_environment_nothing_is_bootstrapped(monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("it re-executed itself")

    monkeypatch.setattr(os, "execv", fail)
    bootstrap.ensure_environment(["manage.py", "demo"])


@pytest.mark.parametrize("command", ["help", "test"])
def test_bootstrap_can_be_turned_off(command) -> None:
    environment = {"PATH": os.environ["PATH"], "NOTETRACE_BOOTSTRAP": "0", "HOME": "/nonexistent"}
    code = f"from console.launch.bootstrap import ensure_environment; ensure_environment(['manage.py', '{command}'])"
    done = subprocess.run([BASE_PYTHON, "-S", "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_bootstrap_needs_the_standard_library_only() -> None:
    code = "import sys; import console.launch.bootstrap; print(sorted(m for m in sys.modules if '.' not in m))"
    done = subprocess.run([BASE_PYTHON, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "django" not in done.stdout and "psycopg" not in done.stdout


def test_a_stamp_of_another_lock_installs_again(tmp_path) -> None:
    lock = tmp_path / "demo.txt"
    lock.write_text("one", encoding="ascii")
    python = tmp_path / "python"
    python.touch()
    assert not bootstrap._is_installed(tmp_path, python, lock)
    bootstrap._stamp(tmp_path, lock).write_text(bootstrap._digest(lock), encoding="ascii")
    assert bootstrap._is_installed(tmp_path, python, lock)
    lock.write_text("two", encoding="ascii")
    assert not bootstrap._is_installed(tmp_path, python, lock)


def test_the_test_lock_satisfies_the_demo(tmp_path) -> None:
    demo, dev, python = tmp_path / "demo.txt", tmp_path / "dev.txt", tmp_path / "python"
    for path in (demo, dev, python):
        path.write_text(path.name, encoding="ascii")
    bootstrap._stamp(tmp_path, dev).write_text(bootstrap._digest(dev), encoding="ascii")
    assert bootstrap._is_installed(tmp_path, python, demo)


def test_a_failing_step_is_one_line_that_says_what_to_do(capfd) -> None:
    with pytest.raises(BootstrapError, match="check that a package registry is reachable"):
        bootstrap._run([sys.executable, "-c", "raise SystemExit(3)"], "check that a package registry is reachable")


def test_the_locks_hold_hashes_and_no_address() -> None:
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        text = lock.read_text(encoding="utf-8")
        assert "--hash=sha256:" in text, lock
        assert "://" not in text, lock
