"""Judge every server behind a name: how long its certificate lasts, which key it shows, whether one is the odd one."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from diagnostics import causes
from diagnostics.causes.model import Cause
from diagnostics.check import check, failed, not_applicable, passed, unknown, warned
from diagnostics.checks.step4_network.certificates import (
    EXPIRED,
    ISSUER_NOT_FOUND,
    NAME_MISMATCH,
    NOT_YET_VALID,
    SELF_SIGNED,
    SELF_SIGNED_IN_CHAIN,
)
from diagnostics.checks.step4_network.names_and_connections import on_the_way
from diagnostics.evidence.case_parts import Clock, Settings
from diagnostics.evidence.network import AtEndpoint, CertificateSeen, Sample, TlsHandshake, TlsSamples
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

_WARN_DAYS, _URGENT_DAYS = 30, 7


@dataclass(frozen=True)
class _Ending:
    left: float
    where: AtEndpoint
    address: str
    certificate: CertificateSeen


@check(
    id="net.tls.expiring",
    step=Step.NETWORK,
    title="No certificate on the way ends within 30 days",
    hints=causes.TLS_EXPIRING,
    strength=Strength.WEAK,
    checklist=("NET.2",),
)
def certificates_last(tls: tuple[TlsHandshake, ...], samples: tuple[TlsSamples, ...] | None, clock: Clock) -> Result:
    """A certificate about to end is tomorrow's outage; a short-lived one is only late past two thirds of its life."""
    presented: list[tuple[AtEndpoint, str, tuple[CertificateSeen, ...]]] = [(each, "", each.chain) for each in tls]
    presented += [(each, sample.address, sample.chain) for each in samples or () for sample in each.samples]
    ending = []
    for where, address, chain in presented:
        for certificate in chain:
            left = (certificate.not_after - clock.now).total_seconds() / 86400
            life = (certificate.not_after - certificate.not_before).total_seconds() / 86400
            if 0 < left <= min(_WARN_DAYS, life / 3):
                ending.append(_Ending(left, where, address, certificate))
    if not ending:
        used = [each.subject for each in tls if each.used]
        return passed("No certificate ends soon.", endpoints=used) if used else (
            not_applicable("No endpoint of this integration uses TLS."))  # fmt: skip
    first = min(ending, key=lambda each: each.left)
    place = f"{first.where.subject} at {first.address}" if first.address else first.where.subject
    return warned(
        f"A certificate of {place} ends in {int(first.left)} days.",
        endpoint=first.where.subject, address=first.address or None, subject=first.certificate.subject,
        not_after=first.certificate.not_after, days=round(first.left, 1), urgent=first.left <= _URGENT_DAYS,
    )  # fmt: skip


@check(
    id="net.tls.pin_mismatch",
    step=Step.NETWORK,
    title="The FHIR server presents a key that the scribe has pinned",
    proves=causes.TLS_PIN_MISMATCH,
    checklist=("NET.2",),
)
def pins_match(tls: tuple[TlsHandshake, ...], samples: tuple[TlsSamples, ...] | None, settings: Settings) -> Result:
    """A renewed key breaks a client that pinned the old one, although the chain is perfectly good."""
    pins = {pin.split("/", 1)[-1].strip() for pin in settings.integration.tls_pins}
    if not pins:
        return not_applicable("The integration pins no key.")
    fhir = next((each for each in tls if "fhir" in each.roles and each.chain), None)
    if fhir is None:
        return unknown("The FHIR server presented no certificate.", get="the certificate that the FHIR server presents")
    if not fhir.verified:
        return unknown("The chain itself does not verify, which comes before any pin.",
                       get="the same look once the chain verifies")  # fmt: skip
    more = [s for each in samples or () if each.subject == fhir.subject for s in each.samples if s.verified and s.chain]
    shown = [("", fhir.chain), *((sample.address, sample.chain) for sample in more)]
    wrong = [(address, _keys(chain)) for address, chain in shown if not pins & set(_keys(chain))]
    if not wrong:
        return passed("A pinned key was presented each time.", pinned=len(pins), connections=len(shown))
    address, keys = wrong[0]
    facts: dict[str, Any] = {
        "endpoint": fhir.subject,
        "presented": keys,
        "pinned": sorted(pins),
        "connections": len(shown),
    }
    if len(wrong) < len(shown):
        return failed(
            f"At {len(wrong)} of {len(shown)} connections {fhir.subject} presented no pinned key: its servers are "
            "being changed one by one.",
            strength=Strength.STRONG, address=address or None, **facts,
        )  # fmt: skip
    return failed(f"None of the keys that {fhir.subject} presents is pinned.", condemns=(fhir,), **facts)


def _keys(chain: Iterable[CertificateSeen]) -> list[str]:
    return [base64.b64encode(bytes.fromhex(seen.spki_sha256)).decode("ascii") for seen in chain]


# one server of several: some notes fail and some do not, so a certificate seen at one address proves less
_ODD_ONES: dict[Cause, tuple[str, tuple[int, ...], str]] = {
    causes.TLS_EXPIRED: ("Every server behind the name has a certificate that lasts", (EXPIRED,), "has expired"),
    causes.TLS_NOT_YET_VALID: ("Every server behind the name has a certificate that is valid already",
                               (NOT_YET_VALID,), "is not valid yet"),
    causes.TLS_HOSTNAME: ("Every server behind the name has a certificate for it", NAME_MISMATCH, "names another host"),
    causes.TLS_UNTRUSTED_ROOT: ("Every server behind the name has a chain that is trusted",
                                (SELF_SIGNED, SELF_SIGNED_IN_CHAIN, *ISSUER_NOT_FOUND), "does not verify"),
}  # fmt: skip


def _declare(cause: Cause, title: str, codes: tuple[int, ...], says: str) -> None:
    @check(id=f"{cause.id}.each", step=Step.NETWORK, title=title, hints=cause, checklist=("NET.2",))
    def one_is_odd(samples: tuple[TlsSamples, ...]) -> Result:
        """Behind a load balancer one forgotten server makes some notes fail and lets others pass."""
        several = [each for each in on_the_way(samples) if each.samples]
        if not several:
            return not_applicable("Every name has one address.")
        for each in several:
            bad = [sample for sample in each.samples if _refused(sample, codes)]
            if bad:
                return failed(
                    f"At {len(bad)} of {len(each.samples)} addresses of {each.subject} the certificate {says}.",
                    endpoint=each.subject, addresses=sorted({sample.address for sample in bad}),
                )  # fmt: skip
        return passed("Every server presented one that holds.", endpoints=[each.subject for each in several])


def _refused(sample: Sample, codes: tuple[int, ...]) -> bool:
    return sample.fault is not None and sample.fault.verify_code in codes


for _cause, (_title, _codes, _says) in _ODD_ONES.items():
    _declare(_cause, _title, _codes, _says)
