"""Make the practice's own certificates: a root, an intermediate, and leaves that can be wrong in every usual way."""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

_PURPOSES = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
DAY = datetime.timedelta(days=1)

VARIANTS = (
    "good",
    "expired",
    "not_yet_valid",
    "wrong_host",
    "chain_incomplete",
    "untrusted_root",
    "self_signed",
    "expiring_10",
    "expiring_40",
    "client_cert",
)


def key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Write a private key as unencrypted PKCS#8 PEM, the form every TLS stack reads."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def cert_pem(certificate: x509.Certificate) -> bytes:
    """Write a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Signer:
    """A certificate together with the key that signs for it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _make_ca(name: str, parent: Signer | None) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    issuer = parent.certificate.subject if parent else _name(name)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 400 * DAY)
        .not_valid_after(now + 3650 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                key_cert_sign=True,
                crl_sign=True,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signer_key = parent.key if parent else key
    if parent:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(parent.key.public_key()), critical=False
        )
    return Signer(builder.sign(signer_key, hashes.SHA256()), key)


class Authority:
    """A root and an intermediate that sign leaves; kept in a folder when the practice must outlive a restart."""

    def __init__(self, name: str = "Practice", folder: Path | None = None) -> None:
        self.name = name
        self.issuer_url: str | None = None
        self._leaves = folder / "leaves" if folder else None
        stored = folder / "authority.pem" if folder else None
        if stored and stored.exists():
            self.root, self.intermediate = self._load(stored.read_bytes())
        else:
            self.root = _make_ca(f"{name} Root CA", None)
            self.intermediate = _make_ca(f"{name} Issuing CA", self.root)
            if stored:
                stored.parent.mkdir(parents=True, exist_ok=True)
                stored.touch(mode=0o600)
                stored.write_bytes(
                    b"".join(cert_pem(s.certificate) + key_pem(s.key) for s in (self.root, self.intermediate))
                )

    @staticmethod
    def _load(pem: bytes) -> tuple[Signer, Signer]:
        certificates = x509.load_pem_x509_certificates(pem)
        keys: list[ec.EllipticCurvePrivateKey] = []
        for block in pem.split(b"-----BEGIN PRIVATE KEY-----")[1:]:
            end = block.index(b"-----END PRIVATE KEY-----")
            text = b"-----BEGIN PRIVATE KEY-----" + block[:end] + b"-----END PRIVATE KEY-----\n"
            key = serialization.load_pem_private_key(text, None)
            if not isinstance(key, ec.EllipticCurvePrivateKey):
                raise ValueError("The stored authority holds a key that is no EC key: delete its folder.")
            keys.append(key)
        return Signer(certificates[0], keys[0]), Signer(certificates[1], keys[1])

    @property
    def ca_pem(self) -> bytes:
        """Give the root alone, as a trust store would hold it: a missing intermediate must be noticed."""
        return cert_pem(self.root.certificate)

    @property
    def issuer_der(self) -> bytes:
        """Give the intermediate as the AIA address serves it (RFC 5280, 4.2.2.1)."""
        return self.intermediate.certificate.public_bytes(serialization.Encoding.DER)

    def leaf(self, host: str, variant: str = "good") -> tuple[bytes, bytes]:
        """Issue a leaf for a host name or address; returns the chain to send and the key, both PEM.

        A good one outlives a restart together with its authority: a certificate that changed at every start would
        stand among what changed in every diagnosis.
        """
        if variant not in VARIANTS:
            raise ValueError(f"There is no certificate variant called {variant!r}.")
        if variant == "good" and self._leaves is not None:
            about = hashlib.blake2b(f"{host} {self.issuer_url}".encode(), digest_size=12).hexdigest()
            return self._kept(self._leaves / f"{about}.pem", host)
        return self._issue(host, variant)

    def _kept(self, path: Path, host: str) -> tuple[bytes, bytes]:
        now = datetime.datetime.now(datetime.UTC)
        if path.exists():
            chain, mark, key = path.read_bytes().partition(b"-----BEGIN PRIVATE KEY-----")
            if x509.load_pem_x509_certificate(chain).not_valid_after_utc > now + 60 * DAY:
                return chain, mark + key
        made = self._issue(host, "good")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(b"".join(made))
        return made

    def _issue(self, host: str, variant: str) -> tuple[bytes, bytes]:
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.UTC)
        begin, end = now - 30 * DAY, now + 300 * DAY
        if variant == "expired":
            begin, end = now - 120 * DAY, now - DAY
        elif variant == "not_yet_valid":
            begin, end = now + 2 * DAY, now + 200 * DAY
        elif variant == "expiring_10":
            end = now + 10 * DAY
        elif variant == "expiring_40":
            end = now + 40 * DAY
        name = f"old-{host}" if variant == "wrong_host" else host
        own = variant == "self_signed"
        signer = Signer(self.intermediate.certificate, key if own else self.intermediate.key)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name[:64]))
            .issuer_name(_name(name[:64]) if own else signer.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([_general_name(name)]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_PURPOSES), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.key.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if self.issuer_url and not own:
            access = x509.AccessDescription(
                AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(self.issuer_url)
            )
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        chain = cert_pem(builder.sign(signer.key, hashes.SHA256()))
        if variant == "untrusted_root":
            chain += cert_pem(self.intermediate.certificate) + cert_pem(self.root.certificate)
        elif variant not in ("chain_incomplete", "self_signed"):
            chain += cert_pem(self.intermediate.certificate)
        return chain, key_pem(key)

    def server_context(self, host: str, variant: str = "good", client_ca: bytes | None = None) -> ssl.SSLContext:
        """Build the TLS side of a listener; `client_ca` makes it demand a client certificate."""
        chain, key = self.leaf(host, variant)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        load_chain(context, chain, key)
        if client_ca is not None:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(cadata=client_ca.decode())
        return context


def load_chain(context: ssl.SSLContext, chain: bytes, key: bytes) -> None:
    """Load a chain held in memory: the ssl module takes files only, so one is made for the moment."""
    with tempfile.NamedTemporaryFile() as handle:
        handle.write(chain + key)
        handle.flush()
        context.load_cert_chain(handle.name)


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
