"""Drop files, let a round of looking and working pass, and see what lies where."""

from datetime import timedelta
from pathlib import Path

from django.utils import timezone

from console.monitoring.drop_files import execute
from console.monitoring.drop_folder import look
from console.monitoring.models import DropFile
from console.shared.work import WorkState
from tests.console.monitoring.rows import a_note_story, body

AT = timezone.now().replace(microsecond=0) - timedelta(hours=2)


def rows(*numbers: int) -> bytes:
    return body([row for number in numbers for row in a_note_story(number, AT)["scribe"]]) + b"\n"


def round_of() -> list[DropFile]:
    """Look, let the files come to rest, and work as a worker does."""
    assert look() is not None
    work()
    return list(DropFile.objects.order_by("created_at", "id"))


def work() -> None:
    DropFile.objects.filter(state=WorkState.QUEUED).update(due_at=timezone.now())
    for row in DropFile.objects.filter(state=WorkState.QUEUED).order_by("created_at", "id"):
        execute(row.pk)


def lying(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def reason(folder: Path) -> str:
    (path,) = folder.glob("set-aside/*.reason.txt")
    return path.read_text()
