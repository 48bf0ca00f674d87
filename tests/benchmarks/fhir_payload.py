"""Measure the judgement of FHIR payloads against fhir.resources alone, as a ratio from one run.

    python -m tests.benchmarks.fhir_payload [rounds]

Ours reads the bytes and names every fault: definitions, data types, value sets, reference targets, invariants, XHTML,
what references resolve to. fhir.resources (R4B by name) parses the same bytes and validates by its models, which know
neither value sets nor targets nor Bundles. A third figure holds every payload check on top of ours, with the decoded
attachments. The variants take turns in one process; medians of the rounds, processor time, sound and faulty payloads of
5 to 500 KB. Exit code 1 where ours takes longer than a third of the library's time on the whole.
"""

import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from diagnostics import catalog
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.case_parts import Settings, Vendor
from diagnostics.evidence.payload import FhirNote, NotePayload
from diagnostics.judge import judge
from diagnostics.parsing.fhir import read_resource
from diagnostics.parsing.fhir_structure import judge_structure
from diagnostics.probes.declare import parts
from diagnostics.vocabulary import Outcome
from tests.diagnostics import fhir_samples
from tests.diagnostics.checks.step2.payloads import fhir_case

ROUNDS = 5
AIM = 1 / 3
_CHECKS = [check for check in catalog.checks().values() if check.id.startswith("fhir.payload.")]


def payloads() -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of every payload: notes with a long text, transactions with many resources."""
    for kilobytes in (5, 50, 500):
        yield from _both(f"note {kilobytes} KB", fhir_samples.note(kilobytes * 700))
    for kilobytes in (5, 50, 200, 500):
        yield from _both(f"transaction {kilobytes} KB", fhir_samples.transaction(max(1, (kilobytes - 3) * 2)))
    yield from _both("document 4 KB", fhir_samples.document())


def _both(name: str, resource: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    yield name, json.dumps(resource).encode()
    entries = resource.get("entry", [{"resource": resource}])
    for entry in entries[:: max(1, len(entries) // 5)]:
        entry["resource"].pop("status", None)
        entry["resource"] |= {"mood": "calm", "meta": {"lastUpdated": "yesterday"}, "language": 5}
    yield f"{name}, faulty", json.dumps(resource).encode()


def ours(data: bytes) -> int:
    """Read and judge; return how many faults were named."""
    resource = read_resource(data).resource
    return len(judge_structure(resource).issues) if resource is not None else 1


def library(data: bytes) -> int:
    """Parse and validate by fhir.resources; return how many faults it named."""
    held = json.loads(data)
    try:
        get_fhir_model_class(held["resourceType"]).model_validate(held)
    except ValidationError as error:
        return error.error_count()
    return 0


def checked(data: bytes) -> int:
    """Read, judge and run every check of the payload; return how many found a fault."""
    case = fhir_case(data)
    bag = Bag()
    for kind in (Settings, Vendor, NotePayload, FhirNote):
        bag.put(parts()[kind].read(case))
    found = judge(case, bag, _CHECKS)
    assert not [one for one in found if one.status is Outcome.ERROR]
    return sum(one.status is Outcome.FAILED for one in found)


def timed(act: Callable[[bytes], int], data: bytes, times: int) -> float:
    """Return the milliseconds of processor time of one act, done several times: others may use the machine.

    Nobody's garbage is collected in another's turn.
    """
    gc.collect()
    gc.disable()
    try:
        began = time.process_time()
        for _ in range(times):
            act(data)
        return (time.process_time() - began) * 1000 / times
    finally:
        gc.enable()


def main(rounds: int) -> bool:
    """Print the medians and ratios; tell whether ours meets the aim over all payloads together."""
    totals = dict.fromkeys((ours, library, checked), 0.0)
    print(f"{rounds} rounds, taking turns; milliseconds; ratio is ours / fhir.resources alone")
    for name, data in payloads():
        named = ours(data), library(data)
        assert bool(named[0]) == bool(named[1]) == name.endswith("faulty"), (name, named)
        checked(data)
        times = max(1, 60_000 // len(data))
        seen: dict[Callable[[bytes], int], list[float]] = {act: [] for act in totals}
        for _ in range(rounds):
            for act, told in seen.items():
                told.append(timed(act, data, times))
        median = {act: statistics.median(told) for act, told in seen.items()}
        for act, value in median.items():
            totals[act] += value
        print(
            f"{name:28} {len(data):7} bytes: ours {median[ours]:7.2f} ({named[0]:3} faults), fhir.resources "
            f"{median[library]:7.2f} ({named[1]:3}), ratio {median[ours] / median[library]:5.2f}; "
            f"with all {len(_CHECKS)} payload checks {median[checked] / median[library]:5.2f}"
        )
    ratio = totals[ours] / totals[library]
    print(f"all together: ratio {ratio:.2f} (aim {AIM:.2f}); with the checks {totals[checked] / totals[library]:.2f}")
    return ratio <= AIM


if __name__ == "__main__":
    sys.exit(0 if main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS) else 1)
