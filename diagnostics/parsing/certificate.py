"""Read X.509 certificates into plain facts (RFC 5280)."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID, NameOID

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----[^-]{1,40000}+-----END CERTIFICATE-----")
_DAMAGED = (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion)
_MAX_BUNDLE = 4 * 1024 * 1024


@dataclass(frozen=True)
class Certificate:
    """Be what a certificate says. Times are aware UTC instants; digests are lower-case hex of SHA-256."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime
    fingerprint: str
    spki_sha256: str
    serial: str
    self_signed: bool
    authority: bool
    issuer_urls: tuple[str, ...] = ()
    organization: str = ""
    issuer_organization: str = ""
    key_id: str = ""
    authority_key_id: str = ""

    @property
    def lifetime_days(self) -> float:
        """Return how long the certificate is valid in all."""
        return (self.not_after - self.not_before).total_seconds() / 86400

    def days_left(self, now: datetime) -> float:
        """Return the days until it ends; negative when it has ended."""
        return (self.not_after - now).total_seconds() / 86400


def read_certificate(data: bytes) -> Certificate | None:
    """Read one certificate in DER or PEM; None when it is damaged."""
    try:
        pem = data.lstrip().startswith(b"-----")
        with _unadvised():
            return _facts(x509.load_pem_x509_certificate(data) if pem else x509.load_der_x509_certificate(data))
    except (*_DAMAGED, x509.DuplicateExtension, x509.UnsupportedGeneralNameType, IndexError):
        return None


@contextmanager
def _unadvised() -> Iterator[None]:
    """Read without the library's advice on odd certificates: what is odd in one is for the checks to say."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CryptographyDeprecationWarning)
        yield


def read_bundle(data: bytes) -> tuple[Certificate, ...]:
    """Read every certificate of a PEM bundle that can be read, in order."""
    found = (read_certificate(block) for block in _PEM.findall(data[:_MAX_BUNDLE]))
    return tuple(each for each in found if each is not None)


def to_pem(data: bytes) -> str | None:
    """Return a certificate (DER, PEM or PKCS #7 with one) as PEM, or None; issuers are often served as DER."""
    for load in (x509.load_der_x509_certificate, x509.load_pem_x509_certificate):
        try:
            with _unadvised():
                return load(data).public_bytes(serialization.Encoding.PEM).decode("ascii")
        except _DAMAGED:
            continue
    from cryptography.hazmat.primitives.serialization import pkcs7

    try:
        bag = pkcs7.load_der_pkcs7_certificates(data)
    except Exception:  # the library raises many kinds for a damaged bag, and none of them matters here
        return None
    return "".join(each.public_bytes(serialization.Encoding.PEM).decode("ascii") for each in bag) or None


def _facts(certificate: x509.Certificate) -> Certificate:
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        names=_names(certificate),
        not_before=certificate.not_valid_before_utc.astimezone(UTC),
        not_after=certificate.not_valid_after_utc.astimezone(UTC),
        fingerprint=sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest(),
        spki_sha256=_key_digest(certificate),
        serial=f"{certificate.serial_number:x}",
        self_signed=certificate.subject == certificate.issuer,
        authority=_is_authority(certificate),
        issuer_urls=_issuer_urls(certificate),
        organization=_first(certificate.subject, NameOID.ORGANIZATION_NAME),
        issuer_organization=_first(certificate.issuer, NameOID.ORGANIZATION_NAME),
        key_id=_key_id(certificate),
        authority_key_id=_authority_key_id(certificate),
    )


def _key_digest(certificate: x509.Certificate) -> str:
    """Return the digest of the public key, or an empty string for a kind of key that the library does not know."""
    try:
        key = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return ""
    spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return sha256(spki).hexdigest()


def _extension(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> object:
    try:
        return certificate.extensions.get_extension_for_oid(oid).value
    except x509.ExtensionNotFound:
        return None


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    value = _extension(certificate, ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    if not isinstance(value, x509.SubjectAlternativeName):
        return ()
    hosts = value.get_values_for_type(x509.DNSName)
    return tuple(hosts) + tuple(str(each) for each in value.get_values_for_type(x509.IPAddress))


def _is_authority(certificate: x509.Certificate) -> bool:
    value = _extension(certificate, ExtensionOID.BASIC_CONSTRAINTS)
    return isinstance(value, x509.BasicConstraints) and value.ca


def _issuer_urls(certificate: x509.Certificate) -> tuple[str, ...]:
    value = _extension(certificate, ExtensionOID.AUTHORITY_INFORMATION_ACCESS)
    if not isinstance(value, x509.AuthorityInformationAccess):
        return ()
    return tuple(
        each.access_location.value
        for each in value
        if each.access_method == AuthorityInformationAccessOID.CA_ISSUERS
        and isinstance(each.access_location, x509.UniformResourceIdentifier)
    )


def _key_id(certificate: x509.Certificate) -> str:
    value = _extension(certificate, ExtensionOID.SUBJECT_KEY_IDENTIFIER)
    return value.digest.hex() if isinstance(value, x509.SubjectKeyIdentifier) else ""


def _authority_key_id(certificate: x509.Certificate) -> str:
    value = _extension(certificate, ExtensionOID.AUTHORITY_KEY_IDENTIFIER)
    found = value.key_identifier if isinstance(value, x509.AuthorityKeyIdentifier) else None
    return found.hex() if found else ""


def _first(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    found = name.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""
