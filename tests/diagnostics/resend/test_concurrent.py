"""Two resends of one note at the same moment leave one document wherever the server can tell; else the plan says so."""

import asyncio

import pytest

from diagnostics.case import Case
from diagnostics.practice.server import PracticeEhr
from diagnostics.probes.vantage import door_for
from diagnostics.resend import Fate, ResendPlan, Sent, resend
from tests.diagnostics.resend.conftest import NACKED_ONCE, Failed, Once, documents, planned


async def together(case: Case, how: ResendPlan, count: int) -> list[Sent]:
    """Send one plan several times at once, as if nobody held a lock: each with a memory of its own."""
    gate = asyncio.Barrier(count)

    async def one() -> Sent:
        door = door_for(case)
        await gate.wait()
        return await resend(case, how, approved=how.digest, door=door, once=Once(), settle_s=(0.0,))

    return await asyncio.gather(*(one() for _ in range(count)))


@pytest.mark.parametrize("count", [2, 8])
def test_a_server_that_heeds_the_condition_stores_one(failed: Failed, ehr: PracticeEhr, count: int) -> None:
    case = failed()
    how = planned(case)
    fates = [each.fate for each in asyncio.run(together(case, how, count))]
    assert fates.count(Fate.CREATED) == 1 and set(fates) <= {Fate.CREATED, Fate.MATCHED, Fate.ALREADY}
    assert documents(ehr, how) == 1


@pytest.mark.parametrize("count", [2, 8])
def test_a_receiver_that_knows_the_control_id_stores_one(failed: Failed, ehr: PracticeEhr, count: int) -> None:
    case = failed(NACKED_ONCE)
    how = planned(case)
    fates = [each.fate for each in asyncio.run(together(case, how, count))]
    assert fates == [Fate.CREATED] * count and documents(ehr, how) == 1


def test_one_memory_lets_one_write_through_whatever_the_server_lacks(failed: Failed, ehr: PracticeEhr) -> None:
    case = failed(now=("resend-no-conditional-create", "resend-no-search"))
    how = planned(case)
    assert "one at a time" in how.warning
    once = Once()

    async def both() -> list[Sent]:
        sends = (
            resend(case, how, approved=how.digest, door=door_for(case), once=once, settle_s=(0.0,)) for _ in range(4)
        )
        return list(await asyncio.gather(*sends))

    fates = sorted(each.fate for each in asyncio.run(both()))
    assert fates == [Fate.CREATED, Fate.UNKNOWN, Fate.UNKNOWN, Fate.UNKNOWN]
    assert documents(ehr, how) == 1


@pytest.mark.parametrize("trouble", ["resend-answer-cut", "resend-request-cut", "net-gateway-timeout-filed"])
def test_lost_answers_and_many_presses_leave_at_most_one(failed: Failed, ehr: PracticeEhr, trouble: str) -> None:
    case = failed()
    how = planned(case)
    ehr.set_faults("north", {trouble})
    fates = {each.fate for each in asyncio.run(together(case, how, 6))}
    assert fates <= {Fate.FOUND, Fate.ALREADY, Fate.ABSENT} and documents(ehr, how) <= 1
