"""Run a case through the engine's public door, in this process, and list what is not as expected."""

from pathlib import Path
from typing import Any

from diagnostics import case_folder, engine, report, serialize
from tests.cases.expected import Case, Expected, category_of


def diagnose(folder: Path, *, offline: bool = True) -> tuple[dict[str, Any], int]:
    """Return what `diagnose DIR --json` prints, and its exit code."""
    case = case_folder.load(folder, offline=offline, allow_writes=not offline)
    door = None
    if not offline:
        from diagnostics.probes.vantage import door_for

        door = door_for(case)
    document = serialize.to_json(engine.run(case, door=door), case)
    return document, report.exit_code(document)


def judge(trial: Expected, document: dict[str, Any], code: int) -> list[str]:
    """List every departure of the answer from what the trial demands."""
    wrong = []
    root = document["root_cause"]
    cause = root["cause"] if root else None
    if cause not in trial.causes:
        wrong.append(f"cause {cause} instead of {' or '.join(map(str, trial.causes))}")
    elif root:
        category = trial.category or category_of(cause)
        if root["category"] != category:
            wrong.append(f"category {root['category']} instead of {category}")
        if trial.certainty and root["certainty"] not in trial.certainty:
            wrong.append(f"certainty {root['certainty']} instead of {' or '.join(trial.certainty)}")
    modes = trial.mode if isinstance(trial.mode, tuple) else (trial.mode,)
    if trial.mode is not None and document["failure_mode"] not in modes:
        wrong.append(f"failure mode {document['failure_mode']} instead of {' or '.join(modes)}")
    exits = trial.exit if isinstance(trial.exit, tuple) else (trial.exit,)
    if code not in exits:
        wrong.append(f"exit {code} instead of {exits}")
    others = [item["cause"] for item in document["contributing"]]
    wrong += [f"{want} is not contributing (has {others})" for want in trial.contributing if want not in others]
    wrong += [f"{bad} must not be named" for bad in trial.never if bad in [*others, cause]]
    if trial.missing and not document["missing"]:
        wrong.append("`missing` names nothing")
    spoke = {c["id"] for step in document["steps"] for c in step["checks"] if c["status"] in ("failed", "warning")}
    named = {cause or "", *others}
    wrong += [
        f"nothing speaks of {row}"
        for row in trial.shows
        if row not in named and not any(id == row or id.startswith(f"{row}.") for id in spoke)
    ]
    wrong += [
        f"{id} speaks of {row}"
        for row in trial.quiet
        for id in sorted(spoke | named)
        if id == row or id.startswith(f"{row}.")
    ]
    told = " ".join(item["says"] for item in root["because"]) if root else ""
    wrong += [f"the root is told with {word!r}" for word in trial.unsaid if word.lower() in told.lower()]
    if trial.cause is None and not trial.missing and trial.mode == "delivered" and others:
        wrong.append(f"contributing {others} on a healthy case")
    return wrong


def verdict(case: Case) -> tuple[list[str], dict[str, Any] | None]:
    """Run and judge one case folder, offline; an exception is a departure like any other."""
    try:
        document, code = diagnose(case.folder)
    except Exception as error:
        return [f"raised {type(error).__name__}: {error}"], None
    return judge(case, document, code), document
