"""Judge the TLS layer: whose certificate was refused, by whom, and for which exact reason."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed
from diagnostics.checks.step4_network.names_and_connections import called, on_the_way
from diagnostics.evidence.auth import TokenAnswer
from diagnostics.evidence.fhir import Metadata
from diagnostics.evidence.network import FaultSeen, HttpAnswer, TlsHandshake
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

# X.509 verification codes (openssl x509_vfy.h)
EXPIRED, NOT_YET_VALID, SELF_SIGNED, SELF_SIGNED_IN_CHAIN = 10, 9, 18, 19
NAME_MISMATCH, ISSUER_NOT_FOUND = (62, 64), (2, 20, 21)
REVOKED, TOO_WEAK = 23, (66, 67, 68)
_JUDGED = frozenset({
    EXPIRED, NOT_YET_VALID, SELF_SIGNED, SELF_SIGNED_IN_CHAIN, *NAME_MISMATCH, *ISSUER_NOT_FOUND, REVOKED, *TOO_WEAK,
})  # fmt: skip
# TLS alerts with which a server refuses a client's certificate (RFC 8446 section 6.2)
CERTIFICATE_ALERTS = frozenset({40, 42, 43, 44, 45, 46, 48, 49, 116})
PROTOCOL_ALERTS = frozenset({40, 70, 71, 86, 120})


def _with_code(tls: Iterable[TlsHandshake], *codes: int) -> list[TlsHandshake]:
    return [each for each in on_the_way(tls) if each.fault is not None and each.fault.verify_code in codes]


def _in_use(tls: Iterable[TlsHandshake]) -> list[TlsHandshake]:
    return [each for each in on_the_way(tls) if each.used]


def _facts(each: TlsHandshake) -> dict[str, Any]:
    facts: dict[str, Any] = {"endpoint": each.subject}
    if each.fault is not None:
        facts |= {"verify_code": each.fault.verify_code, "reason": each.fault.says}
    if each.chain:
        leaf = each.chain[0]
        facts |= {"subject": leaf.subject, "issuer": leaf.issuer, "not_after": leaf.not_after, "names": leaf.names,
                  "fingerprint": leaf.fingerprint, "chain_length": len(each.chain)}  # fmt: skip
    return facts


@check(
    id="net.tls.expired",
    step=Step.NETWORK,
    title="No certificate on the way has expired",
    proves=causes.TLS_EXPIRED,
    checklist=("NET.2",),
)
def certificates_have_not_expired(tls: tuple[TlsHandshake, ...]) -> Result:
    """An expired certificate stops every client that checks it, at the same minute."""
    bad = _with_code(tls, EXPIRED)
    if not bad:
        return _passed(tls, "No presented certificate has expired.")
    return failed(f"A certificate of {called(bad[0])} has expired.", condemns=tuple(bad), **_facts(bad[0]))


@check(
    id="net.tls.not_yet_valid",
    step=Step.NETWORK,
    title="Every certificate on the way is already valid",
    proves=causes.TLS_NOT_YET_VALID,
    checklist=("NET.2",),
)
def certificates_are_valid_already(tls: tuple[TlsHandshake, ...]) -> Result:
    """A certificate deployed before its first day is refused, and so is any under a clock that is behind."""
    bad = _with_code(tls, NOT_YET_VALID)
    if not bad:
        return _passed(tls, "Every presented certificate is already valid.")
    return failed(f"A certificate of {called(bad[0])} is not valid yet.", condemns=tuple(bad), **_facts(bad[0]))


@check(
    id="net.tls.hostname",
    step=Step.NETWORK,
    title="Every certificate names the host it stands for",
    proves=causes.TLS_HOSTNAME,
    checklist=("NET.2",),
)
def certificates_name_their_host(tls: tuple[TlsHandshake, ...]) -> Result:
    """A certificate for another name means a wrong address, or a server that has not been given its own."""
    bad = _with_code(tls, *NAME_MISMATCH)
    unknown_name = [e for e in on_the_way(tls) if e.fault and e.fault.alert == 112 and e.fault.alert_received]
    if not bad and not unknown_name:
        return _passed(tls, "Every presented certificate names its host.")
    first = (bad or unknown_name)[0]
    says = f"The certificate that {called(first)} presents names another host."
    if not bad:
        says = f"{called(first)} says that it does not know this host name."
    return failed(says, condemns=(*bad, *unknown_name), host=first.host, **_facts(first))


def _incomplete(each: TlsHandshake, tls: Iterable[TlsHandshake]) -> Strength | None:
    """Weigh whether an intermediate is missing: fetching it mends the chain, another endpoint sends it, or the
    configured bundle's own organization issued the certificate.
    """
    if each.fault is None or each.fault.verify_code not in ISSUER_NOT_FOUND or not each.chain:
        return None
    if each.completed_by_issuer is True:
        return Strength.DECISIVE
    issuer = each.chain[-1].issuer
    elsewhere = any(c.subject == issuer for other in tls if other.verified for c in other.chain[1:])
    if elsewhere and each.completed_by_issuer is None:
        return Strength.DECISIVE
    return Strength.STRONG if each.completed_by_issuer is None and each.issuer_known is True else None


@check(
    id="net.tls.chain_incomplete",
    step=Step.NETWORK,
    title="Every server sends its whole certificate chain",
    proves=causes.TLS_CHAIN_INCOMPLETE,
    checklist=("NET.2",),
)
def chains_are_complete(tls: tuple[TlsHandshake, ...]) -> Result:
    """Browsers fetch a forgotten intermediate by themselves, programs do not: so only the scribe fails."""
    bad = [each for each in on_the_way(tls) if _incomplete(each, tls)]
    if not bad:
        return _passed(tls, "No chain lacks an intermediate certificate.")
    first = bad[0]
    return failed(
        f"{called(first)} does not send the intermediate certificate; with it the chain verifies.",
        strength=_incomplete(first, tls), condemns=tuple(bad),
        completed_by_issuer=first.completed_by_issuer, **_facts(first),
    )  # fmt: skip


@check(
    id="net.tls.untrusted_root",
    step=Step.NETWORK,
    title="Every chain ends at an authority the scribe trusts",
    proves=causes.TLS_UNTRUSTED_ROOT,
    checklist=("NET.2",),
)
def chains_are_trusted(tls: tuple[TlsHandshake, ...]) -> Result:
    """A private or changed authority must be made known to the scribe, or an inspecting device must let go."""
    bad = [
        each
        for each in _with_code(tls, SELF_SIGNED, SELF_SIGNED_IN_CHAIN, *ISSUER_NOT_FOUND)
        if not _incomplete(each, tls)
    ]
    other = [e for e in on_the_way(tls) if e.fault and e.fault.verify_code and e.fault.verify_code not in _JUDGED]
    if not bad and other:
        says = f"The certificate chain of {called(other[0])} does not verify: {other[0].fault.says}." if (
            other[0].fault) else ""  # fmt: skip
        return failed(says, strength=Strength.STRONG, condemns=tuple(other), **_facts(other[0]))
    if not bad:
        return _passed(tls, "Every chain ends at a trusted authority.")
    first = bad[0]
    self_signed = first.fault is not None and first.fault.verify_code == SELF_SIGNED
    says = "presents a certificate that it signed itself" if self_signed else "presents a chain of an unknown authority"
    return failed(f"{called(first)} {says}.", condemns=tuple(bad), **_facts(first))


@check(
    id="net.tls.revoked",
    step=Step.NETWORK,
    title="No certificate on the way has been revoked",
    proves=causes.TLS_REVOKED,
    checklist=("NET.2",),
)
def certificates_stand(tls: tuple[TlsHandshake, ...]) -> Result:
    """A certificate is revoked when its key is no longer safe; clients that ask about it then refuse it."""
    bad = _with_code(tls, REVOKED)
    if not bad:
        return _passed(tls, "No presented certificate was refused as revoked.")
    return failed(f"A certificate of {called(bad[0])} has been revoked.", condemns=tuple(bad), **_facts(bad[0]))


def _refuses_client(fault: FaultSeen | None, requested: bool) -> bool:
    if fault is None:
        return False
    if fault.alert == 116:
        return True
    if not requested:
        return False
    alerted = fault.alert_received is True and fault.alert in CERTIFICATE_ALERTS
    return alerted or (fault.kind == "reset" and fault.phase in ("tls", "sending", "waiting"))


@check(
    id="net.tls.client_cert",
    step=Step.NETWORK,
    title="No server refuses the scribe's client certificate",
    proves=causes.TLS_CLIENT_CERT,
    strength=Strength.STRONG,
    checklist=("NET.2",),
)
def client_certificate_is_accepted(
    tls: tuple[TlsHandshake, ...], metadata: Metadata | None, token: TokenAnswer | None
) -> Result:
    """With mutual TLS a missing or old client certificate is refused without any HTTP answer."""
    bad = [each for each in on_the_way(tls) if _refuses_client(each.fault, each.certificate_requested)]
    answers: list[HttpAnswer] = [each.answer for each in (metadata, token) if each is not None]
    refused = [each for each in answers if _refuses_client(each.fault, each.certificate_requested)]
    if not bad and not refused:
        return _passed(tls, "No server refused our certificate.")
    where = called(bad[0]) if bad else urlsplit(refused[0].url).netloc
    sent = any(each.client_certificate_sent for each in tls)
    fault = bad[0].fault if bad else refused[0].fault
    condemned = (*bad, *(e for e in (metadata, token) if e is not None and e.answer in refused))
    return failed(
        f"{where} asks for a client certificate and refuses " + ("the one we present." if sent else "us without one."),
        condemns=condemned, endpoint=where, alert=fault.alert if fault else None, certificate_sent=sent,
    )  # fmt: skip


@check(
    id="net.tls.protocol",
    step=Step.NETWORK,
    title="Client and server agree on a TLS version and cipher",
    proves=causes.TLS_PROTOCOL,
    checklist=("NET.2",),
)
def versions_agree(tls: tuple[TlsHandshake, ...]) -> Result:
    """A server left at TLS 1.1, or one without a common cipher, ends the handshake before any certificate counts."""
    bad = [
        each
        for each in on_the_way(tls)
        if each.fault is not None and each.fault.alert in PROTOCOL_ALERTS and not each.certificate_requested
    ]
    plain = [each for each in on_the_way(tls) if _speaks_no_tls(each)]
    weak = _with_code(tls, *TOO_WEAK)
    if weak and not bad and not plain:
        return failed(
            f"The certificate of {called(weak[0])} has a key or digest that is too weak for our side.",
            strength=Strength.STRONG, condemns=tuple(weak), **_facts(weak[0]),
        )  # fmt: skip
    if not bad and not plain:
        return _passed(tls, "Every handshake agreed on a version.")
    first = (bad or plain)[0]
    says = "agrees on no TLS version or cipher with us" if bad else "does not speak TLS on this port"
    return failed(f"{called(first)} {says}.", condemns=(*bad, *plain), **_facts(first))


def _speaks_no_tls(each: TlsHandshake) -> bool:
    fault = each.fault
    return fault is not None and fault.kind == "tls" and fault.phase == "tls" and fault.says in (
        "wrong version number", "http request", "record layer failure", "packet length too long", "bad record type",
    )  # fmt: skip


def _passed(tls: Iterable[TlsHandshake], says: str) -> Result:
    looked_at = _in_use(tls)
    if not looked_at:
        return not_applicable("No endpoint of this integration uses TLS.")
    return passed(says, endpoints=[each.subject for each in looked_at])
