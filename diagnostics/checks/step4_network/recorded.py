"""Judge the network errors that the scribe recorded when it could not reach the EHR.

The words of clients differ; `diagnostics.explain` knows them. Each cause has its own check, so that a ticket shows
which layer the recorded error speaks of. Of several attempts the last one speaks: what a later attempt got past is not
why the note failed.
"""

import re

from diagnostics import causes
from diagnostics.causes.model import Cause
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.logged_words import explained
from diagnostics.checks.step4_network.answers_seen import SeenAnswer, last_failure
from diagnostics.checks.step4_network.flows import place_of
from diagnostics.checks.step4_network.spelling import misspelt
from diagnostics.evidence.case_parts import Baseline
from diagnostics.evidence.logs import NoteTrace, ScribeLog
from diagnostics.findings import Result
from diagnostics.vocabulary import Category, Certainty, Outcome, Step, Strength, WhoActs

_STRENGTH = {
    Certainty.PROVEN: Strength.DECISIVE,
    Certainty.LIKELY: Strength.STRONG,
    Certainty.POSSIBLE: Strength.MODERATE,
}
# An exact transport error recorded at the failure's instant leaves no other reading (domain.md section 2.8).
_EXACT = frozenset({
    "net.dns.nxdomain", "net.dns.servfail_timeout", "net.tcp.timeout", "net.tcp.unreachable", "net.tls.expired",
    "net.tls.not_yet_valid", "net.tls.hostname",
})  # fmt: skip
RECORDED: dict[Cause, str] = {
    causes.DNS_NXDOMAIN: "The scribe's log shows no host name that could not be found",
    causes.DNS_SERVFAIL_TIMEOUT: "The scribe's log shows no name server that failed",
    causes.TCP_TIMEOUT: "The scribe's log shows no connection that was never answered",
    causes.TCP_REFUSED: "The scribe's log shows no refused connection",
    causes.TCP_UNREACHABLE: "The scribe's log shows no missing route",
    causes.TCP_RESET: "The scribe's log shows no torn connection",
    causes.TLS_EXPIRED: "The scribe's log shows no expired certificate",
    causes.TLS_NOT_YET_VALID: "The scribe's log shows no certificate from the future",
    causes.TLS_HOSTNAME: "The scribe's log shows no certificate for another host",
    causes.TLS_CHAIN_INCOMPLETE: "The scribe's log shows no incomplete certificate chain",
    causes.TLS_UNTRUSTED_ROOT: "The scribe's log shows no untrusted certificate",
    causes.TLS_REVOKED: "The scribe's log shows no revoked certificate",
    causes.TLS_PIN_MISMATCH: "The scribe's log shows no key that differs from the pinned one",
    causes.TLS_CLIENT_CERT: "The scribe's log shows no refused client certificate",
    causes.TLS_PROTOCOL: "The scribe's log shows no TLS version without agreement",
}
_BYTES = re.compile(r"\b(\d{2,12}) ?(?:bytes?|octets?)\b", re.IGNORECASE)


def _declare(cause: Cause, title: str) -> None:
    @check(id=f"{cause.id}.log", step=Step.NETWORK, title=title, proves=cause, checklist=cause.checklist)
    def recorded(trace: NoteTrace, log: ScribeLog | None, baseline: Baseline | None) -> Result:
        """What the client recorded at the failure's instant outranks a probe made now."""
        found = judge_recorded(trace, cause)
        if found.status is not Outcome.FAILED:
            return found
        if cause is causes.DNS_NXDOMAIN:
            return _or_a_typing_error(found, trace, log, baseline)
        return _with_byte_count(found, trace) if cause is causes.TCP_RESET else found


def judge_recorded(trace: NoteTrace, cause: Cause) -> Result:
    """Judge whether the last failure was recorded as this cause."""
    last = last_failure(trace)
    if last is None:
        return passed("Nothing failed on the way.") if trace.attempts else not_applicable("Nothing was sent.")
    if last.status is not None or not last.answer.text:
        return passed("The other side was reached and answered.", status=last.status) if last.status else (
            not_applicable("The scribe recorded no error text."))  # fmt: skip
    found = explained(last.answer.text, protocol="net", context=last.what)
    if found.cause != cause.id:
        return passed("The recorded error speaks of something else.", recorded_as=found.cause)
    strength = _STRENGTH.get(found.certainty or Certainty.POSSIBLE, Strength.MODERATE)
    if cause.id in _EXACT:
        strength = max(strength, Strength.STRONG)
    return failed(f"The scribe recorded it: {found.says}", strength=strength, at=last.at, request=last.what)


def _or_a_typing_error(found: Result, trace: NoteTrace, log: ScribeLog | None, baseline: Baseline | None) -> Result:
    """Name the configuration where the unknown name is nearly one that is known to work."""
    last: SeenAnswer | None = last_failure(trace)
    place = place_of(last.url) if last is not None else None
    meant = misspelt(place[0], log, baseline) if place else None
    if place is None or meant is None:
        return found
    return failed(
        f"The host name {place[0]} does not exist; {meant} does, and the two are nearly the same.",
        strength=Strength.STRONG,
        category=Category.ENDPOINT_CONFIGURATION,
        who_acts=WhoActs.INTEGRATION_ENGINEER,
        host=place[0],
        known_host=meant,
        at=last.at if last else None,
    )


def _with_byte_count(found: Result, trace: NoteTrace) -> Result:
    """Say so where every attempt was torn at the same number of bytes: then it is the way, not the server."""
    torn = [a for a in trace.failures if explained(a.error or "", protocol="net").cause == causes.TCP_RESET.id]
    counts = [int(match.group(1)) for a in torn if (match := _BYTES.search((a.error or "")[:2000]))]
    facts = {**found.facts, "times": len(torn)}
    if len(counts) > 1 and len(set(counts)) == 1:
        says = f"Each of {len(counts)} attempts was torn after {counts[0]} bytes: something on the way cuts it there."
        return failed(says, strength=Strength.STRONG, bytes=counts[0], **facts)
    return failed(found.says, strength=found.strength, **facts)


for _cause, _title in RECORDED.items():
    _declare(_cause, _title)
