"""Hold whom we trust and who we are in TLS, and build the contexts for it."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory


def _notice_certificate_request(tls: ssl.SSLObject, direction: str, *message: object) -> None:
    # In TLS 1.3 the request is encrypted and its refusal may be a bare close: only OpenSSL itself can tell us.
    if direction == "read" and getattr(message[2], "name", "") == "CERTIFICATE_REQUEST":
        tls.certificate_requested = True  # type: ignore[attr-defined]


class TrustError(ValueError):
    """Say which part of the TLS configuration cannot be used. Holds no key material."""


@dataclass(frozen=True)
class Trust:
    """Say which authorities are trusted (`ca_pem` replaces the system's store) and which certificate we present."""

    ca_pem: str | None = None
    client_cert_pem: str | None = field(default=None, repr=False)
    client_key_pem: str | None = field(default=None, repr=False)
    _contexts: dict[tuple[bool, str], ssl.SSLContext] = field(
        default_factory=dict, repr=False, compare=False, hash=False
    )

    @property
    def presents_certificate(self) -> bool:
        """Tell whether a client certificate is configured."""
        return self.client_cert_pem is not None

    def context(self, *, verify: bool, extra_intermediates: str = "") -> ssl.SSLContext:
        """Return a client context, built once for each kind.

        `extra_intermediates` may complete a chain but is never an anchor: partial chains stay refused.
        Raises TrustError when the bundle, certificate or key cannot be read.
        """
        key = (verify, extra_intermediates)
        if key not in self._contexts:
            self._contexts[key] = self._build(verify, extra_intermediates)
        return self._contexts[key]

    def _build(self, verify: bool, extra_intermediates: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.verify_flags &= ~ssl.VerifyFlags(0x80000)  # VERIFY_X509_PARTIAL_CHAIN, on by default in later Pythons
        context.set_alpn_protocols(["http/1.1"])
        context._msg_callback = _notice_certificate_request  # type: ignore[attr-defined]
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.ca_pem is None:
            context.load_default_certs()
        else:
            self._load_anchors(context, self.ca_pem)
        if verify and extra_intermediates:
            context.load_verify_locations(cadata=extra_intermediates)
        if self.client_cert_pem is not None:
            self._load_client(context, self.client_cert_pem, self.client_key_pem)
        return context

    @staticmethod
    def _load_anchors(context: ssl.SSLContext, pem: str) -> None:
        # An empty bundle is legal: it trusts nobody, and the handshake will say so.
        if "BEGIN" not in pem:
            raise TrustError("ca_bundle holds no certificate in PEM form")
        try:
            context.load_verify_locations(cadata=pem)
        except (ssl.SSLError, ValueError) as error:
            raise TrustError("ca_bundle cannot be read: half a certificate, or not PEM") from error

    @staticmethod
    def _load_client(context: ssl.SSLContext, cert_pem: str, key_pem: str | None) -> None:
        # The ssl module loads a key from a path only; the copy is private and removed at once.
        if key_pem is None and not re.search(r"BEGIN [A-Z ]*PRIVATE KEY", cert_pem):
            raise TrustError("client_cert_file has no key: set client_key_file")
        with TemporaryDirectory(prefix="nt-tls-") as folder:
            cert, key = Path(folder) / "cert.pem", Path(folder) / "key.pem"
            for path, text in ((cert, cert_pem), (key, key_pem or cert_pem)):
                path.touch(mode=0o600)
                path.write_text(text, encoding="ascii", errors="replace")
            try:
                # A password callback that answers nothing: an encrypted key must fail, never prompt a terminal.
                context.load_cert_chain(cert, key, password=lambda: b"")
            except (ssl.SSLError, OSError, ValueError) as error:
                raise TrustError("the client certificate and its key cannot be used together") from error
