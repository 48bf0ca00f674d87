"""Faults of names, sockets, certificates, proxies and gateways."""

from __future__ import annotations

from typing import Any

from diagnostics.practice.fault import Fault


def _fault(
    name: str,
    cause: str,
    symptom: str,
    *,
    mode: str = "never_sent",
    certainty: str = "proven",
    protocol: str = "fhir",
    ehr: dict[str, Any] | None = None,
    scribe: dict[str, Any] | None = None,
    story: dict[str, Any] | None = None,
) -> Fault:
    return Fault(
        name,
        symptom,
        cause,
        "network",
        mode,
        certainty,
        ("live", "logs"),
        protocol,
        ehr or {},
        scribe or {},
        story or {},
    )


_QUICK = {"timeout_s": 0.4}
_GONE = "All notes stop at once; the scribe cannot reach the EHR."

NETWORK_FAULTS = (
    _fault(
        "net-dns-nxdomain",
        "net.dns.nxdomain",
        "All notes stop: the EHR's name is not known any more.",
        ehr={"dns_fhir": "nxdomain"},
    ),
    _fault(
        "net-dns-nxdomain-token-host",
        "net.dns.nxdomain",
        "No token: the sign-in server's name is not known any more.",
        ehr={"dns_auth": "nxdomain"},
    ),
    _fault(
        "net-dns-servfail",
        "net.dns.servfail_timeout",
        "All notes stop: name lookups fail.",
        ehr={"dns_fhir": "servfail"},
    ),
    _fault(
        "net-dns-refused",
        "net.dns.servfail_timeout",
        "All notes stop: the resolver refuses the question.",
        ehr={"dns_fhir": "refused"},
    ),
    _fault(
        "net-dns-timeout",
        "net.dns.servfail_timeout",
        "All notes stop: the resolver is silent.",
        ehr={"dns_fhir": "timeout"},
        scribe=_QUICK,
    ),
    _fault(
        "net-tcp-timeout",
        "net.tcp.timeout",
        f"{_GONE} Attempts end after half a minute.",
        ehr={"socket_fhir": "silent"},
        scribe=_QUICK,
    ),
    _fault(
        "net-tcp-refused",
        "net.tcp.refused",
        f"{_GONE} Attempts end at once.",
        certainty="likely",
        ehr={"socket_fhir": "refused"},
    ),
    _fault(
        "net-tcp-refused-token-host",
        "net.tcp.refused",
        "No token: the sign-in server does not listen.",
        certainty="likely",
        ehr={"socket_auth": "refused"},
    ),
    _fault(
        "net-dns-nxdomain-mllp",
        "net.dns.nxdomain",
        "All messages pile up: the interface's name is not known any more.",
        protocol="hl7v2",
        ehr={"dns_mllp": "nxdomain"},
    ),
    _fault(
        "net-tcp-refused-mllp",
        "net.tcp.refused",
        "All messages pile up: the interface port is closed.",
        certainty="likely",
        protocol="hl7v2",
        ehr={"socket_mllp": "refused"},
    ),
    _fault(
        "net-tcp-timeout-mllp",
        "net.tcp.timeout",
        "All messages pile up: the interface port is silent.",
        protocol="hl7v2",
        ehr={"socket_mllp": "silent"},
        scribe=_QUICK,
    ),
    _fault(
        "net-proxy-407",
        "net.proxy.407",
        "All notes stop since the proxy asks for a password.",
        ehr={"proxy": "credentials"},
        scribe={"proxy": True},
    ),
    _fault(
        "net-proxy-block-page",
        "net.proxy.block_page",
        "All notes stop; the scribe's log speaks of a blocked site.",
        ehr={"proxy": "block"},
        scribe={"proxy": True},
    ),
    _fault(
        "net-proxy-auth-stripped",
        "net.proxy.auth_stripped",
        "Every note is refused with 401 since traffic is inspected; tokens are fine.",
        mode="rejected",
        ehr={"proxy": "strip"},
        scribe={"proxy": True},
    ),
    _fault(
        "net-tls-expired",
        "net.tls.expired",
        "All notes stop at midnight: the EHR's certificate has run out.",
        ehr={"tls_fhir": "expired"},
    ),
    _fault(
        "net-tls-expired-token-host",
        "net.tls.expired",
        "No token since midnight: the sign-in server's certificate has run out.",
        ehr={"tls_auth": "expired"},
    ),
    _fault(
        "net-tls-expired-mllp",
        "net.tls.expired",
        "All messages pile up since midnight: the interface's certificate has run out.",
        protocol="hl7v2",
        ehr={"tls_mllp": "expired"},
        scribe={"mllp_tls": True},
    ),
    _fault(
        "net-tls-not-yet-valid",
        "net.tls.not_yet_valid",
        "All notes stop after a certificate was renewed with a date in the future.",
        ehr={"tls_fhir": "not_yet_valid"},
    ),
    _fault(
        "net-tls-hostname",
        "net.tls.hostname",
        "All notes stop after a move: the certificate names another host.",
        ehr={"tls_fhir": "wrong_host"},
    ),
    _fault(
        "net-tls-chain-incomplete",
        "net.tls.chain_incomplete",
        "All notes stop after a certificate renewal, while browsers show no fault.",
        ehr={"tls_fhir": "chain_incomplete"},
    ),
    _fault(
        "net-tls-untrusted-root",
        "net.tls.untrusted_root",
        "All notes stop after the EHR changed its certificate authority.",
        ehr={"tls_fhir": "untrusted_root"},
    ),
    _fault(
        "net-tls-self-signed",
        "net.tls.untrusted_root",
        "All notes stop after the EHR was rebuilt with a certificate of its own making.",
        ehr={"tls_fhir": "self_signed"},
    ),
    _fault(
        "net-tls-client-certificate",
        "net.tls.client_cert",
        "All notes stop since the EHR wants a certificate from its clients.",
        certainty="likely",
        ehr={"tls_fhir": "client_cert"},
    ),
    _fault(
        "net-rate-limited",
        "net.rate.limited",
        "At the end of the morning clinic most notes are refused with 429.",
        mode="rejected",
        ehr={"gateway": "throttle"},
    ),
    _fault(
        "net-gateway-502",
        "net.timeout.gateway",
        "Every note is refused with 502 by something in front of the EHR.",
        mode="rejected",
        certainty="possible",
        ehr={"gateway": "bad_gateway"},
    ),
    _fault(
        "net-gateway-503",
        "net.timeout.gateway",
        "Every note is refused with 503 by something in front of the EHR.",
        mode="rejected",
        certainty="possible",
        ehr={"gateway": "unavailable"},
    ),
    _fault(
        "net-gateway-timeout-filed",
        "net.timeout.gateway",
        "The scribe reports 504 for every note, yet the notes are in the chart.",
        mode="delivered",
        certainty="possible",
        ehr={"gateway": "timeout_after_filing"},
    ),
)
