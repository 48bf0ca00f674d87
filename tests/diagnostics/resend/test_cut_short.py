"""Many resends with the answer cut, the request lost, the sender killed or the button pressed twice: one document."""

import asyncio
import base64
import json
import random
from collections.abc import Callable
from dataclasses import replace

from diagnostics.case import Case, Logs
from diagnostics.evidence.fhir import Capability
from diagnostics.gather import read_parts
from diagnostics.practice.server import PracticeEhr
from diagnostics.probes.vantage import door_for
from diagnostics.resend import SETTLED, Fate, ResendPlan, Sent, look, plan, resend, survey
from tests.diagnostics.resend.conftest import Failed, Once

RUNS = 60
TROUBLES = ("", "resend-answer-cut", "resend-request-cut", "net-gateway-timeout-filed", "killed", "pressed twice")


def another(case: Case, number: int) -> Case:
    """Return the same failure of another note."""
    assert case.note is not None and case.note.payload is not None
    name = f"TX-CUT-{number:04d}"
    resource = json.loads(case.note.payload)
    resource["identifier"][0]["value"] = name
    text = base64.b64encode(f"Plan:\nRest, and a visit in {number} weeks.\n".encode()).decode()
    resource["content"] = [{"attachment": {"contentType": "text/plain", "data": text}}]
    payload = json.dumps(resource).encode()
    note = replace(case.note, id=name, transaction_id=name, payload=payload, generated_at=None)
    return replace(case, note=note, logs=Logs(), filed=None)


async def send(case: Case, how: ResendPlan, once: Callable[[str], bool]) -> Sent:
    door = door_for(case)
    return await resend(case, how, approved=how.digest, door=door, once=once, settle_s=(0.0,), write_s=5.0)


async def killed(case: Case, how: ResendPlan, once: Once, source: random.Random) -> None:
    """Send and be cancelled while the write is on its way, as a worker that is killed."""

    def intend(act: str) -> bool:
        asyncio.get_running_loop().call_later(source.random() * 0.03, task.cancel)
        return once(act)

    task = asyncio.ensure_future(send(case, how, intend))
    await asyncio.gather(task, return_exceptions=True)


async def one_run(ehr: PracticeEhr, case: Case, seen: Capability, trouble: str, source: random.Random) -> Sent:
    bag = read_parts(case)
    bag.put(seen)
    how, once = plan(case, bag), Once()
    assert how.way is not None, how.refused
    if trouble == "killed":
        await killed(case, how, once, source)
        # the intent stands: whoever comes next only looks
        assert once.acts == {f"resend:{how.digest}"}
        return await look(case, how, door=door_for(case))
    if trouble == "pressed twice":
        first, second = await asyncio.gather(send(case, how, once), send(case, how, once))
        return first if first.fate is Fate.CREATED else second
    return await send(case, how, once)


def test_at_most_one_document_a_note_and_every_uncertain_one_is_told(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed()
    source = random.Random(20261123)
    seen = asyncio.run(survey(case, door=door_for(case))).get(Capability)
    assert seen is not None
    fates: dict[str, set[Fate]] = {}
    for number in range(RUNS):
        trouble = TROUBLES[number % len(TROUBLES)]
        ehr.set_faults("north", {trouble} if "-" in trouble else ())
        note = another(case, number)
        told = asyncio.run(one_run(ehr, note, seen, trouble, source))
        ehr.set_faults("north", ())
        assert note.note is not None and note.note.transaction_id is not None
        there = ehr.ledger.documents("north")[note.note.transaction_id]
        assert there <= 1, (trouble, told)
        # what is told is true: settled means there, absent means not there when it was looked for
        if told.fate in SETTLED:
            assert there == 1 and told.found == 1, (trouble, told)
        fates.setdefault(trouble, set()).add(told.fate)
    assert fates[""] == {Fate.CREATED} and fates["resend-answer-cut"] == {Fate.FOUND}
    assert fates["resend-request-cut"] == {Fate.ABSENT} and fates["net-gateway-timeout-filed"] == {Fate.FOUND}
    assert fates["pressed twice"] == {Fate.CREATED}
    assert fates["killed"] <= {Fate.FOUND, Fate.ABSENT} and Fate.FOUND in fates["killed"]
