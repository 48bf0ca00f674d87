"""List every mismatch: `python -m tests.cases.report [part of a name]`."""

import sys

from tests.cases import AREAS
from tests.cases.judging import verdict


def main(part: str) -> None:
    total = bad = 0
    for area in AREAS:
        for trial in area.trials():
            if part not in f"{area.__name__}.{trial.name}":
                continue
            total += 1
            wrong, document = verdict(trial)
            if not wrong:
                continue
            bad += 1
            print(f"{area.__name__.rpartition('.')[2]}.{trial.name}{'' if trial.sure else ' (arguable)'} [{trial.why}]")
            for line in wrong:
                print("    ", line)
            if document and len(sys.argv) > 1:
                said = document["root_cause"]["because"] if document["root_cause"] else document["missing"]
                print("    ", said)
    print(f"{bad} of {total} differ")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
