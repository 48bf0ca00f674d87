"""Send a planned note: read first, write at most once, read back what was not answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from diagnostics.case import Case
from diagnostics.evidence.bag import Bag
from diagnostics.evidence.base import Evidence
from diagnostics.net import Door
from diagnostics.resend.model import ResendPlan, Sent


async def survey(case: Case, *, door: Door, vantage: str = "here", have: Iterable[Evidence] = ()) -> Bag:
    """Gather what `plan` needs and nothing else; only reads are made.

    Asks for a token, the capability statement, the note's encounter, the note itself and, where the encounter is
    closed, the documents filed in it. Never raises for what a peer does.
    """
    raise NotImplementedError


async def resend(
    case: Case,
    plan: ResendPlan,
    *,
    approved: str,
    door: Door,
    once: Callable[[str], bool],
    vantage: str = "here",
) -> Sent:
    """Send a plan once and return what became of it; never sends a second time, whatever happens.

    `approved` is the digest a person confirmed: a plan with another digest is not sent. `once("resend:<digest>")`
    is asked right before the write and must have remembered the act durably when it returns True; False means that
    an earlier attempt may have sent it, so that it is only looked for.
    """
    raise NotImplementedError


async def look(case: Case, plan: ResendPlan, *, door: Door, vantage: str = "here") -> Sent:
    """Look for the note at the EHR without writing anything; repeatable, also for a plan that was refused."""
    raise NotImplementedError
