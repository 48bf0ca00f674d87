"""Measure all HL7 v2 checks on one message against hl7apy's parse alone of the same message.

    python -m tests.benchmarks.hl7_checks [rounds]

Ours reads the message and runs every check of HL7 v2 on it; hl7apy parses the message into its object tree and checks
nothing. The two take turns in one process; medians of the rounds, one ratio a size, for MDM messages with 5, 50 and 500
OBX segments. What the whole case costs beside that (finding the note's sections, vitals and codes in its text, the
logs) is told apart: it is no HL7 check, and the ratio does not hold it.
"""

import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from hl7apy.parser import parse_message

from diagnostics.case import Case
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.case_parts import Clock, Settings
from diagnostics.evidence.payload import FhirNote, Hl7Message, NotePayload
from diagnostics.gather import read_parts
from diagnostics.judge import judge
from diagnostics.probes.declare import parts
from diagnostics.vocabulary import Outcome
from tests.diagnostics.checks.step2.payloads import EVN, MSH, PID, PV1, TXA, hl7_case, message
from tests.properties.test_hl7 import area

ROUNDS = 5
SIZES = (5, 50, 500)
AIM = 10.0
TEXT = "Dull ache in the left knee for two weeks, worse on stairs and eased by rest; no locking, no giving way."
OURS = (Clock, Settings, NotePayload, FhirNote, Hl7Message)


def sample(size: int) -> bytes:
    """Return a sound MDM^T02 with so many lines of text."""
    lines = (f"OBX|{n}|TX|11506-3^Progress note^LN||{TEXT} Line {n}.||||||F" for n in range(1, size + 1))
    return message(MSH, EVN, PID, PV1, TXA, *lines)


def checked(case: Case) -> int:
    """Read the message and run every HL7 check; return how many said that it is sound."""
    bag = Bag()
    for kind in OURS:
        bag.put(parts()[kind].read(case))
    found = judge(case, bag, area())
    assert not [one for one in found if one.status in (Outcome.FAILED, Outcome.ERROR)]
    return sum(one.status is Outcome.PASSED for one in found)


def timed(times: int, act: Callable[..., Any], *given: Any, **more: Any) -> float:
    """Return the milliseconds of processor time (others may use the machine) of one act, done several times."""
    began = time.process_time()
    for _ in range(times):
        act(*given, **more)
    return (time.process_time() - began) * 1000 / times


def main(rounds: int) -> bool:
    """Print the medians and the ratio of every size; tell whether each meets the aim."""
    met = True
    read_parts(hl7_case(sample(1)))  # imports are no check
    print(f"{len(area())} checks, {rounds} rounds, the two taking turns; milliseconds")
    for size in SIZES:
        raw = sample(size)
        text, case = raw.decode(), hl7_case(raw)
        sound = checked(case)
        assert len(parse_message(text, find_groups=False).obx) == size
        times = max(1, 250 // size)
        ours, theirs = [], []
        for _ in range(rounds):
            ours.append(timed(times, checked, case))
            theirs.append(timed(times, parse_message, text, find_groups=False))
        mine, other = statistics.median(ours), statistics.median(theirs)
        whole = statistics.median(timed(times, read_parts, case) for _ in range(rounds))
        met &= other / mine >= AIM
        print(
            f"{size:4} OBX, {len(raw):6} bytes: read and checked ({sound} passed) {mine:7.2f}, hl7apy parse"
            f" {other:8.2f}, ratio {other / mine:5.1f} (aim {AIM:.0f}); reading the whole case {whole:7.2f}"
        )
    return met


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS) else 1)
