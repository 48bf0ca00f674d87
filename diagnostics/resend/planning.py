"""Plan a resend: pure, so that the dry run shows exactly what an approval binds and what is sent."""

from __future__ import annotations

from diagnostics.case import Case
from diagnostics.evidence.bag import Bag
from diagnostics.resend.model import ResendPlan


def plan(case: Case, bag: Bag) -> ResendPlan:
    """Return what would be sent for the case's note, or why nothing may be; the same case gives the same digest."""
    raise NotImplementedError
