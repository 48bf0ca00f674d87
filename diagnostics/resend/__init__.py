"""Resend a failed note so that it cannot stand in the chart twice.

bag = await survey(case, door=door)                # reads only
planned = plan(case, bag)                          # pure: what would be sent, or why nothing may be
sent = await resend(case, planned, approved=planned.digest, door=door, once=once)
seen = await look(case, planned, door=door)        # never writes; for an uncertain one, as often as needed
"""

from diagnostics.resend.model import SETTLED, UNCERTAIN, Difference, Fate, Lookup, ResendPlan, Sent, Way
from diagnostics.resend.planning import plan
from diagnostics.resend.sending import look, resend
from diagnostics.resend.surveying import survey

__all__ = [
    "SETTLED",
    "UNCERTAIN",
    "Difference",
    "Fate",
    "Lookup",
    "ResendPlan",
    "Sent",
    "Way",
    "look",
    "plan",
    "resend",
    "survey",
]
