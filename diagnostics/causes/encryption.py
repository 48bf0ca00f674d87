"""Declare the causes of step 4 that lie in TLS: certificates, authorities, versions, keys."""

from diagnostics.causes.model import RUN_AGAIN, Kind, declare
from diagnostics.causes.network import BEHIND, DIVERGES
from diagnostics.vocabulary import Layer, WhoActs

TLS_EXPIRED = declare(
    "net.tls.expired",
    "The server's certificate has expired",
    layer=Layer.TLS,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Ask whoever runs the named host to renew and install the certificate on every server behind the address",
        "Have renewal automated and watched",
        RUN_AGAIN,
    ),
    checklist=("NET.2",),
    standard="RFC 5280 section 4.1.2.5",
    caution="A wrong clock on our side would show the same; other hosts would then fail as well.",
    explains=(
        *BEHIND,
        DIVERGES,
    ),
)
TLS_NOT_YET_VALID = declare(
    "net.tls.not_yet_valid",
    "The server's certificate is not valid yet",
    layer=Layer.TLS,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Check the clock of the scribe's servers first",
        "If it is right, ask whoever runs the host to install a certificate that is valid today",
        RUN_AGAIN,
    ),
    checklist=("NET.2",),
    standard="RFC 5280 section 4.1.2.5",
    explains=(
        *BEHIND,
        DIVERGES,
    ),
)
TLS_HOSTNAME = declare(
    "net.tls.hostname",
    "The server's certificate is for another host name",
    layer=Layer.TLS,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Compare the host in the integration with the names in the certificate",
        "Correct the address, or ask for a certificate that names this host",
        RUN_AGAIN,
    ),
    checklist=("NET.2",),
    standard="RFC 9525",
    caution="A client that does not send the host name gets the default certificate.",
    explains=(
        *BEHIND,
        DIVERGES,
    ),
)
TLS_CHAIN_INCOMPLETE = declare(
    "net.tls.chain_incomplete",
    "The server does not send the intermediate certificate",
    layer=Layer.TLS,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Ask whoever runs the host to install the full chain, not only its own certificate",
        "Do not be misled by browsers: they fetch or remember the missing certificate",
        RUN_AGAIN,
    ),
    checklist=("NET.2",),
    standard="RFC 8446 section 4.4.2",
    explains=(*BEHIND, DIVERGES, "net.tls.untrusted_root"),
)
TLS_UNTRUSTED_ROOT = declare(
    "net.tls.untrusted_root",
    "The server's certificate comes from an authority the scribe does not trust",
    layer=Layer.TLS,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "If the hospital runs its own authority, add its root to the integration's trusted certificates",
        "Otherwise ask for a certificate of a public authority",
        "If the issuer is an inspection device, have the host exempted from inspection",
        RUN_AGAIN,
    ),
    checklist=("NET.2",),
    standard="RFC 5280 section 6",
    explains=(
        *BEHIND,
        DIVERGES,
    ),
)
TLS_REVOKED = declare(
    "net.tls.revoked",
    "The server's certificate has been revoked",
    layer=Layer.TLS,
    who=WhoActs.EHR_TEAM,
    remedy=(
        "Ask whoever runs the host to have a new certificate issued and installed at once",
        "Ask why it was revoked: if the key was exposed, the credentials sent to that host must be changed too",
        RUN_AGAIN,
    ),
    checklist=("NET.2",),
    standard="RFC 6960; RFC 5280 section 5",
    caution="A revocation server that cannot be reached says nothing about the certificate.",
    explains=(
        *BEHIND,
        DIVERGES,
    ),
)
TLS_PIN_MISMATCH = declare(
    "net.tls.pin_mismatch",
    "The server has a new certificate and the scribe still insists on the old one",
    layer=Layer.TLS,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Confirm the new certificate's fingerprint with the EHR team by a second channel",
        "Add it to the scribe's pins and keep the old one until every server has changed",
        RUN_AGAIN,
    ),
    checklist=("NET.2",),
    standard="RFC 7469 (pins over SPKI)",
    explains=(
        *BEHIND,
        DIVERGES,
    ),
)
TLS_PROTOCOL = declare(
    "net.tls.protocol",
    "The two sides have no TLS version or cipher in common",
    layer=Layer.TLS,
    who=WhoActs.NETWORK_TEAM,
    remedy=("Have TLS 1.2 or newer enabled on the side that lacks it", RUN_AGAIN),
    checklist=("NET.2",),
    standard="RFC 8446; SMART asks for TLS 1.2 or newer",
    explains=(
        *BEHIND,
        DIVERGES,
    ),
)
TLS_CLIENT_CERT = declare(
    "net.tls.client_cert",
    "The server asks for the scribe's own certificate and does not accept what it gets",
    layer=Layer.TLS,
    who=WhoActs.INTEGRATION_ENGINEER,
    remedy=(
        "Check that a client certificate is configured, has not expired and fits its key",
        "Ask the EHR team which authority it must come from and whether it is registered",
        RUN_AGAIN,
    ),
    checklist=("NET.2", "TOKEN.6"),
    standard="RFC 8446 section 4.4.2.4; alert certificate_required",
    explains=(
        *BEHIND,
        DIVERGES,
    ),
)
TLS_EXPIRING = declare(
    "net.tls.expiring",
    "A certificate will expire soon",
    kind=Kind.WARNING,
    layer=Layer.TLS,
    who=WhoActs.EHR_TEAM,
    remedy=("Tell whoever runs the host the day of expiry and ask when the new certificate will be in place",),
    checklist=("NET.2",),
    caution="Certificates that renew themselves every 90 days or less come close to their end by design.",
)
