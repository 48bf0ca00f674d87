"""Judge `explain` over explain_texts.toml: `python -m tests.cases.explaining` lists what differs."""

import tomllib
from pathlib import Path
from typing import Any

from diagnostics.explain import explain
from tests.cases.expected import category_of

FILE = Path(__file__).with_name("explain_texts.toml")


def texts() -> list[dict[str, Any]]:
    return tomllib.loads(FILE.read_text())["text"]


def wrong(item: dict[str, Any]) -> list[str]:
    """List what the explanation gets wrong."""
    said = explain(
        item["text"], status=item.get("status"), protocol=item.get("protocol"), context=item.get("context")
    ).as_dict()
    causes = item.get("cause", [""])
    allowed = [cause or None for cause in ([causes] if isinstance(causes, str) else causes)]
    problems = []
    if said["cause"] not in allowed:
        problems.append(f"cause {said['cause']} instead of {' or '.join(map(str, allowed))}")
    category = item.get("category")
    if category is None and said["cause"] in allowed:
        category = category_of(said["cause"])
    if said["category"] != category:
        problems.append(f"category {said['category']} instead of {category}")
    return problems


def main() -> None:
    differ = 0
    for item in texts():
        problems = wrong(item)
        if problems:
            differ += 1
            sure = "" if item.get("sure", True) else " (arguable)"
            print(f"{item['text'][:140]!r} {item.get('status', '')} {sure} {item.get('why', '')}")
            print("    ", "; ".join(problems))
    print(f"{differ} of {len(texts())} differ")


if __name__ == "__main__":
    main()
