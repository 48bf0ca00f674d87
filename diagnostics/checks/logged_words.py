"""Read what an answer says of itself, its body and its challenge together. No checks live here.

The words of the failure's instant are worth more than a probe made now; they are a hint all the same, because every
server writes them in its own way.
"""

import json

from diagnostics.evidence.network import AtEndpoint, DnsAnswer, TcpConnect, TlsHandshake
from diagnostics.explain import explain
from diagnostics.explaining.model import Explanation
from diagnostics.parsing.answers import AnswerKind, RecordedAnswer
from diagnostics.remembering import remembered
from diagnostics.vocabulary import Certainty, Strength

_HEAD, _TAIL = 6000, 2000


@remembered(64)
def explained(
    text: str, *, status: int | None = None, protocol: str | None = None, context: str | None = None
) -> Explanation:
    """Explain a recorded text, once for the many checks that ask; of a long one its head and its innermost cause."""
    short = text if len(text) <= _HEAD + _TAIL else f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    return explain(short, status=status, protocol=protocol, context=context)


def words_of(answer: RecordedAnswer, status: int | None, *, protocol: str = "fhir", context: str = "") -> Explanation:
    """Explain an answer by its body and, where that names no cause, by its Bearer challenge (RFC 6750 section 3)."""
    body = explained(answer.text, status=status, protocol=protocol, context=context or None)
    if body.cause is not None and body.certainty is not Certainty.POSSIBLE:
        return body
    for challenge in answer.challenges:
        error = challenge.params.get("error", "")
        if challenge.scheme not in ("bearer", "dpop") or not error:
            continue
        told = {"error": error, "error_description": challenge.params.get("error_description", "")}
        found = explained(json.dumps(told), status=status, protocol=protocol, context=context or None)
        if found.cause is not None and (body.cause is None or found.certainty is not Certainty.POSSIBLE):
            return found
    return body


def weight_of(found: Explanation) -> Strength:
    """Return how heavily words weigh: strong where they name the cause, moderate where they only allow it."""
    return Strength.MODERATE if found.certainty in (None, Certainty.POSSIBLE) else Strength.STRONG


def has_own_words(answer: RecordedAnswer) -> bool:
    """Tell whether an answer has words a cause could be read from, and is no page of something on the way."""
    page = answer.kind in (AnswerKind.HTML_BLOCK, AnswerKind.HTML_GATEWAY)
    return not page and bool(answer.says or answer.bearer_error)


def closed_now(
    role: str,
    dns: tuple[DnsAnswer, ...] | None,
    tcp: tuple[TcpConnect, ...] | None,
    tls: tuple[TlsHandshake, ...] | None,
) -> str:
    """Say that an endpoint of this role cannot be asked now, or return an empty string.

    That a way is closed now neither refutes nor replaces what the log recorded of the failure.
    """
    here: list[AtEndpoint] = [*(dns or ()), *(tcp or ()), *(tls or ())]
    for seen in here:
        if role in seen.roles and not seen.opens:
            return f" Whether it still is so cannot be asked now: {seen.host} cannot be reached from here."
    return ""
