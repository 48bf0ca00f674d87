"""Write a diagnosis as a readable report for a terminal; colours only where the caller says so."""

from collections.abc import Mapping
from typing import Any

_COLOURS = {
    "failed": 31,
    "broken": 31,
    "warning": 33,
    "passed": 32,
    "ok": 32,
    "error": 35,
    "blocked": 90,
    "unknown": 90,
    "not_applicable": 90,
    "not_reached": 90,
}
_MARKS = {
    "failed": "x",
    "broken": "x",
    "warning": "!",
    "passed": "+",
    "ok": "+",
    "error": "E",
    "blocked": "-",
    "unknown": "?",
    "not_applicable": " ",
    "not_reached": " ",
}
_CERTAINTY = {"proven": "Cause", "likely": "Most likely cause", "possible": "Possible cause"}


def lines(document: Mapping[str, Any], *, colour: bool = False, every_check: bool = False) -> list[str]:
    """Return the report's lines for a `to_document` document; `every_check` also lists what passed."""

    def paint(text: str, state: str) -> str:
        return f"\x1b[{_COLOURS[state]}m{text}\x1b[0m" if colour and state in _COLOURS else text

    def strong(text: str) -> str:
        return f"\x1b[1m{text}\x1b[0m" if colour else text

    out = [strong(f"Failure mode: {document['failure_mode'].replace('_', ' ')}"), ""]
    out += [
        "  " + paint(f"[{_MARKS[s['state']]}] {s['stage']:<10}", s["state"]) + f" {s.get('says') or ''}".rstrip()
        for s in document["journey"]
    ]
    root = document["root_cause"]
    out.append("")
    if root is None:
        out.append(strong("No cause established."))
    else:
        out += [
            strong(f"{_CERTAINTY[root['certainty']]}: {root['title']}"),
            f"  {root['cause']} · {root['category'].replace('_', ' ')} · {root['who_acts'].replace('_', ' ')} acts",
        ]
        out += [f"  because  {r['says']}  ({r['check']})" for r in root["because"]]
        out += [f"  do  {i}. {step}" for i, step in enumerate(root["remedy"], 1)]
    for other in document["contributing"]:
        out += ["", strong(f"Also ({other['certainty']}): {other['title']}"), f"  {other['cause']}"]
        out += [f"  because  {r['says']}  ({r['check']})" for r in other["because"]]
    for label, key in (("Ruled out", "ruled_out"), ("Changed", "changes")):
        if document[key]:
            out += ["", strong(label)]
            out += [f"  {_entry(item)}" for item in document[key]]
    if document["missing"]:
        out += ["", strong("What would settle it")]
        out += [f"  {item}" for item in document["missing"]]
    for step in document["steps"]:
        out += ["", strong(f"{step['step']}. {step['name']}") + "  " + paint(step["status"], step["status"])]
        for check in step["checks"]:
            if every_check or check["status"] in ("failed", "warning", "blocked", "error"):
                blocked = f" (blocked by {check['blocked_by']})" if check["blocked_by"] else ""
                out.append(
                    "  "
                    + paint(f"[{_MARKS[check['status']]}] {check['id']}", check["status"])
                    + f"  {check['says']}{blocked}"
                )
    return out


def _entry(item: Mapping[str, Any]) -> str:
    if "because" in item:
        return f"{item['category'].replace('_', ' ')}: {item['because']}"
    change = f"{item['from']} → {item['to']}" if item["from"] or item["to"] else ""
    return " ".join(part for part in (item["at"] or "", item["kind"], item["what"], change) if part)


def exit_code(document: Mapping[str, Any]) -> int:
    """Return 0 delivered, 1 a root cause stands, 3 something is wrong and no cause could be established."""
    if document["root_cause"] is not None:
        return 1
    return 0 if document["failure_mode"] == "delivered" else _without_note(document)


def _without_note(document: Mapping[str, Any]) -> int:
    """Let an integration without any note pass when nothing is wrong with it."""
    if document["failure_mode"] == "unknown" and not document["missing"] and not document["contributing"]:
        failed = any(c["status"] == "failed" for s in document["steps"] for c in s["checks"])
        return 3 if failed else 0
    return 3
