"""Judge whether a device on the way opens the encrypted connection: its own authority issued the certificate.

A hospital may run an authority of its own for its own systems; an unknown issuer alone is therefore no inspection.
"""

import re
from collections.abc import Iterable, Mapping

from diagnostics import causes
from diagnostics.check import check, failed, not_applicable, passed, warned
from diagnostics.checks.logged_words import explained
from diagnostics.checks.step4_network.answers_seen import last_failure
from diagnostics.checks.step4_network.flows import inside
from diagnostics.checks.step4_network.names_and_connections import called, on_the_way
from diagnostics.evidence.case_parts import Baseline
from diagnostics.evidence.logs import NoteTrace
from diagnostics.evidence.network import CertificateSeen, DnsAnswer, TlsHandshake
from diagnostics.findings import Result
from diagnostics.vocabulary import Step, Strength

# the names that inspecting proxies, firewalls and gateways give to the authority they sign with
_PRODUCTS = re.compile(
    r"zscaler|netskope|blue ?coat|forcepoint|websense|fortinet|fortigate|fortiproxy|palo alto|check ?point|sophos"
    r"|barracuda|mcafee web gateway|skyhigh|cisco umbrella|ironport|cisco secure web|sonicwall|watchguard|iboss"
    r"|lightspeed|contentkeeper|untangle|smoothwall|menlo security|cato networks|squid|mitmproxy|fiddler"
    r"|(?:ssl|tls|https)[ -]?(?:inspection|interception|decryption|proxy)|decrypt(?:ion)? (?:ca|authority)",
    re.IGNORECASE,
)
# authorities that anybody may buy from: a bundle that lacks them is no sign of a device on the way
_PUBLIC = re.compile(
    r"digicert|let'?s encrypt|isrg|globalsign|sectigo|comodo|usertrust|entrust|amazon|google trust|go ?daddy|starfield"
    r"|identrust|ssl\.com|certum|quovadis|harica|microsoft|geotrust|rapidssl|thawte|buypass|actalis|trustwave|affirmtrust",
    re.IGNORECASE,
)
_STRANGER = (2, 18, 19, 20, 21)  # the issuer is not known to us (openssl x509_vfy.h)


def product_of(text: str) -> str:
    """Return the inspection product that a name speaks of, or an empty string."""
    found = _PRODUCTS.search(text[:1000])
    return found.group(0) if found else ""


def _signer(chain: Iterable[CertificateSeen]) -> str:
    return next((name for each in chain if (name := product_of(each.issuer))), "")


@check(
    id="net.proxy.tls_inspection",
    step=Step.NETWORK,
    title="Nobody on the way opens the encrypted connection",
    proves=causes.PROXY_TLS_INSPECTION,
    strength=Strength.STRONG,
    checklist=("NET.2", "NET.4"),
)
def nobody_inspects(
    tls: tuple[TlsHandshake, ...], dns: tuple[DnsAnswer, ...] | None, baseline: Baseline | None
) -> Result:
    """An inspecting device signs every certificate anew: clients that do not know its authority stop."""
    used = [each for each in on_the_way(tls) if each.used and each.chain]
    if not used:
        return not_applicable("No certificate was presented.")
    signed = [(each, name) for each in used if (name := _signer(each.chain))]
    for each, name in signed:
        if not each.verified:
            return failed(
                f"The certificate of {called(each)} was issued by an inspecting device ({name}), which nobody here "
                "trusts.",
                condemns=(each,), endpoint=each.subject, issuer=each.chain[0].issuer, product=name,
            )  # fmt: skip
    if signed:
        each, name = signed[0]
        return warned(
            f"The certificate of {called(each)} was issued by an inspecting device ({name}); here it is trusted.",
            endpoint=each.subject, issuer=each.chain[0].issuer, product=name,
        )  # fmt: skip
    strangers = [each for each in used if _is_stranger(each)]
    same = _one_issuer_for_several(strangers)
    if same is not None:
        issuer = same[0].chain[0].issuer
        return failed(
            f"Hosts of different owners present certificates of one unknown authority ({issuer}).",
            strength=Strength.MODERATE,
            condemns=tuple(same),
            endpoints=[each.subject for each in same],
            issuer=issuer,
        )
    for each in strangers:
        before = issuer_before(baseline, each.subject)
        if before and before != each.chain[0].issuer and not _inside_host(each, dns):
            return failed(
                f"{called(each)} presents a certificate of an unknown authority; at the last good run it was another.",
                condemns=(each,), endpoint=each.subject, issuer=each.chain[0].issuer, issuer_before=before,
            )  # fmt: skip
    return passed("No certificate was issued by an inspecting device.", endpoints=[each.subject for each in used])


def _is_stranger(each: TlsHandshake) -> bool:
    """Tell whether the certificate was refused for its issuer, which is none of the public authorities."""
    refused = each.fault is not None and each.fault.verify_code in _STRANGER and each.completed_by_issuer is not True
    return refused and not any(_PUBLIC.search(one.issuer[:500]) for one in each.chain)


def _one_issuer_for_several(strangers: list[TlsHandshake]) -> list[TlsHandshake] | None:
    """Return endpoints of different registered names that one unknown authority signed for."""
    by_issuer: dict[str, list[TlsHandshake]] = {}
    for each in strangers:
        if not each.chain[0].self_signed:
            by_issuer.setdefault(each.chain[0].issuer, []).append(each)
    for group in by_issuer.values():
        if len({_owner(each.host) for each in group}) > 1:
            return group
    return None


def _owner(host: str) -> str:
    """Return the part of a name that one owner registers; good enough to tell two owners apart."""
    labels = host.lower().rstrip(".").split(".")
    return host if host.replace(".", "").isdigit() else ".".join(labels[-2:])


def issuer_before(baseline: Baseline | None, subject: str) -> str:
    """Return who had issued an endpoint's certificate at the last good run."""
    held = baseline.facts.get("certificates") if baseline else None
    seen = held.get(subject) if isinstance(held, Mapping) else None
    issuer = seen.get("issuer") if isinstance(seen, Mapping) else None
    return issuer if isinstance(issuer, str) else ""


def _inside_host(each: TlsHandshake, dns: Iterable[DnsAnswer] | None) -> bool:
    """Tell whether the host stands in a network of its own: there an authority of its own is usual."""
    return any(seen.subject == each.subject and any(map(inside, seen.addresses)) for seen in dns or ())


@check(
    id="net.proxy.tls_inspection.log",
    step=Step.NETWORK,
    title="The scribe's log names no inspecting device as the issuer of a certificate",
    hints=causes.PROXY_TLS_INSPECTION,
    checklist=("NET.2", "NET.4"),
)
def nobody_inspected(trace: NoteTrace) -> Result:
    """The client often writes down who issued the certificate that it refused."""
    last = last_failure(trace)
    if last is None:
        return passed("Nothing failed on the way.") if trace.attempts else not_applicable("Nothing was sent.")
    if last.status is not None or not last.answer.text:
        return passed("The other side was reached and answered.", status=last.status)
    text = last.answer.text[:4096]
    found = explained(text, protocol="tls")
    if found.cause == causes.PROXY_TLS_INSPECTION.id:
        return failed(f"The scribe recorded it: {found.says}", at=last.at, product=product_of(text))
    refused = (found.cause or "").startswith(("net.tls.untrusted", "net.tls.chain", "net.tls.pin"))
    if refused and product_of(text):
        return failed(f"The certificate that the scribe refused names an inspecting device ({product_of(text)}).",
                      at=last.at, product=product_of(text))  # fmt: skip
    return passed("The recorded error names no inspecting device.", recorded_as=found.cause)
