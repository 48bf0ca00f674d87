"""Say how an integration is, in a word, from what its newest run found."""

from collections import Counter
from dataclasses import dataclass

from console.diagnoses import words
from console.diagnoses.models import Run
from console.diagnoses.pages import catalogue


@dataclass(frozen=True)
class Health:
    """Be a word with its icon and colour class, and the sentence behind it."""

    word: str
    icon: str
    tone: str
    says: str = ""


UNSEEN = Health("Not looked at yet", "circle-dashed", "")


def health_of(run: Run | None, counts: Counter[str]) -> Health:
    """Judge by the cause that was found; without one, by what the checks could see."""
    if run is None:
        return UNSEEN
    if run.cause:
        declared = catalogue()[1].get(run.cause)
        return Health(
            words.CERTAINTIES.get(run.certainty, "Cause") + " found", "circle-x", "bad",
            declared.title if declared else run.cause,
        )  # fmt: skip
    failed, blocked = counts["failed"], counts["blocked"] + counts["error"]
    if failed:
        return Health("Checks failed", "alert-triangle", "warn", f"{_counted(failed)} failed; no cause established")
    if blocked:
        return Health("Not all could be checked", "alert-triangle", "warn", f"{_counted(blocked)} could not be made")
    if not counts["passed"]:
        return Health("Nothing could be checked", "help-circle", "")
    if counts["warning"]:
        noun = "warning" if counts["warning"] == 1 else "warnings"
        return Health("Passed with warnings", "alert-triangle", "warn", f"{counts['warning']} {noun}")
    return Health("All checks passed", "circle-check", "ok")


def _counted(count: int) -> str:
    return "1 check" if count == 1 else f"{count} checks"
