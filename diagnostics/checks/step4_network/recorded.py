"""Judge the network errors that the scribe recorded when it could not reach the EHR.

The words of clients differ; `diagnostics.explain` knows them. Each cause has its own check, so that a ticket shows
which layer the recorded error speaks of.
"""

from diagnostics import causes
from diagnostics.causes.model import Cause
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.step4_network.answers_seen import last_failure
from diagnostics.evidence.logs import NoteTrace
from diagnostics.explain import explain
from diagnostics.findings import Result
from diagnostics.vocabulary import Certainty, Step, Strength

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
    causes.TLS_CLIENT_CERT: "The scribe's log shows no refused client certificate",
    causes.TLS_PROTOCOL: "The scribe's log shows no TLS version without agreement",
}


def _declare(cause: Cause, title: str) -> None:
    @check(id=f"{cause.id}.log", step=Step.NETWORK, title=title, proves=cause, checklist=cause.checklist)
    def recorded(trace: NoteTrace) -> Result:
        """What the client recorded at the failure's instant outranks a probe made now."""
        return judge_recorded(trace, cause)


def judge_recorded(trace: NoteTrace, cause: Cause) -> Result:
    """Judge whether the last failure was recorded as this cause."""
    last = last_failure(trace)
    if last is None:
        return passed("Nothing failed on the way.") if trace.attempts else not_applicable("Nothing was sent.")
    if last.status is not None or not last.answer.text:
        return passed("The other side was reached and answered.", status=last.status) if last.status else (
            not_applicable("The scribe recorded no error text."))  # fmt: skip
    found = explain(last.answer.text, protocol="net", context=last.what)
    if found.cause != cause.id:
        return passed("The recorded error speaks of something else.", recorded_as=found.cause)
    strength = _STRENGTH.get(found.certainty or Certainty.POSSIBLE, Strength.MODERATE)
    if cause.id in _EXACT:
        strength = max(strength, Strength.STRONG)
    return failed(f"The scribe recorded it: {found.says}", strength=strength, at=last.at, request=last.what)


for _cause, _title in RECORDED.items():
    _declare(_cause, _title)
