"""House rules that a machine can hold: file length, names of files, words that must not be in the project."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BANNED_NAMES = {"utils.py", "helpers.py", "common.py", "misc.py"}


def tracked(*patterns: str) -> list[Path]:
    """Return the project's own files, vendored and generated ones aside."""
    found = [path for pattern in patterns for path in ROOT.rglob(pattern)]
    aside = {"vendor", "migrations", ".venv", "var", "node_modules", ".git", "__pycache__"}
    return sorted(path for path in found if not aside & set(path.relative_to(ROOT).parts))


@pytest.mark.parametrize("path", tracked("*.py", "*.html", "*.css", "*.js"), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_is_one_topic(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert path.name not in BANNED_NAMES


def test_the_top_level_is_what_it_should_be() -> None:
    allowed = {
        "manage.py", "pyproject.toml", "console", "diagnostics", "templates", "static", "tests", "requirements",
        "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "docs", "deploy",
    }  # fmt: skip
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    top = {name.split("/", 1)[0] for name in listed}
    assert {name for name in top if not name.startswith(".")} <= allowed


def test_templates_hold_no_inline_script_style_or_handler() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|\sstyle=|\son[a-z]+=|hx-on|javascript:|\|safe\b")
    for path in tracked("*.html"):
        assert not inline.search(path.read_text(encoding="utf-8")), path


def test_lock_files_name_no_index() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "index-url" not in text
        assert "://" not in text
        assert "--hash=sha256:" in text
