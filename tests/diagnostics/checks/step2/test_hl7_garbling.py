"""Special characters in the chart against those that were sent."""

import pytest

from diagnostics.vocabulary import Outcome
from tests.diagnostics import stories
from tests.diagnostics.checks.charts import judged

SENT = "PLAN\nKeep the knee at 20\u00b0 flexion \u2013 caf\u00e9 visits allowed. Is the pain worse? Call us."
TABLE = [
    ("as sent", SENT, SENT, Outcome.PASSED),
    ("read as Latin-1", SENT, SENT.encode().decode("latin-1"), Outcome.FAILED),
    ("read as Windows-1252", SENT, SENT.encode().decode("cp1252"), Outcome.FAILED),
    ("replacement character", SENT, SENT.replace("\u00e9", "\ufffd"), Outcome.FAILED),
    ("question marks", SENT, SENT.replace("\u2013", "?"), Outcome.FAILED),
    ("a question mark for each byte", SENT, SENT.replace("\u2013", "???").replace("\u00b0", "??"), Outcome.FAILED),
    ("questions of its own", SENT, SENT + " Really?? So it is?! Well?", Outcome.PASSED),
    ("made plain on purpose", SENT, SENT.replace("\u2013", "-").replace("\u00e9", "e"), Outcome.PASSED),
    ("garbled before", SENT.encode().decode("latin-1"), SENT.encode().decode("latin-1"), Outcome.NOT_APPLICABLE),
    ("plain", "PLAN\nRest. Is it worse?", "Rest. Is it worse?", Outcome.NOT_APPLICABLE),
]


@pytest.mark.parametrize(("what", "sent", "stored", "status"), TABLE, ids=[row[0] for row in TABLE])
def test_garbled_characters_are_found(what: str, sent: str, stored: str, status: Outcome) -> None:
    case = stories.case(
        [], the_note=stories.note(narrative=sent), filed={"found": True, "fields": {"PLAN_TXT": stored}}
    )
    found = judged("hl7.encoding.mojibake", case)
    assert found.status is status, found.says
