"""List every mismatch: `python -m tests.cases.report [part of a name]`."""

import sys

from tests.cases.expected import cases
from tests.cases.judging import verdict


def main(part: str) -> None:
    total = bad = 0
    for case in cases():
        if part not in f"{case.area}.{case.name}":
            continue
        total += 1
        wrong, document = verdict(case)
        if not wrong:
            continue
        bad += 1
        print(f"{case.area}.{case.name}{' (arguable)' if case.arguable else ''} [{case.why}]")
        for line in wrong:
            print("    ", line)
        if document and len(sys.argv) > 1:
            said = document["root_cause"]["because"] if document["root_cause"] else document["missing"]
            print("    ", said)
    print(f"{bad} of {total} differ")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
