"""Own the questions that the engine asks people: ids and wording. An answer is evidence, kept with a name.

A question is asked only where no log and no probe can tell, and each is answered with yes or no.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """Be one question; `id` is what answers refer to."""

    id: str
    text: str


YES, NO = "yes", "no"

CREDENTIAL_REPLACED = Question(
    "credential-replaced", "Was the integration's secret, key or certificate replaced shortly before the first failure?"
)
ENCOUNTER_CLOSED = Question(
    "encounter-closed", "Was the encounter already closed or signed when the note was sent?"
)  # fmt: skip
PRODUCTION_ADDRESS = Question(
    "production-address", "Is the address that answered the production system of this EHR, and of this site?"
)

QUESTIONS = {q.id: q for q in (CREDENTIAL_REPLACED, ENCOUNTER_CLOSED, PRODUCTION_ADDRESS)}
