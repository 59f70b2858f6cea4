"""Making and judging certificates: an authority, server certificates, and why one must be made anew. No IO."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from installer.cloud import CloudHost
from installer.errors import AnswerFileError

AUTHORITY_DAYS = 3650
#: What browsers accept at most of a private authority.
SERVER_DAYS = 825
#: With fewer days left a certificate is made anew, so that a run every month keeps a cloud going.
LEAST_DAYS = 30
#: Certificates begin earlier than now: the clocks of hosts that are being installed may differ.
EARLIER = datetime.timedelta(days=1)

SigningKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey

SUBJECT = {
    "CONFIG_SSL_CERT_SUBJECT_C": NameOID.COUNTRY_NAME,
    "CONFIG_SSL_CERT_SUBJECT_ST": NameOID.STATE_OR_PROVINCE_NAME,
    "CONFIG_SSL_CERT_SUBJECT_L": NameOID.LOCALITY_NAME,
    "CONFIG_SSL_CERT_SUBJECT_O": NameOID.ORGANIZATION_NAME,
    "CONFIG_SSL_CERT_SUBJECT_OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
}
AUTHORITY_SUBJECT = {
    **SUBJECT,
    "CONFIG_SSL_CERT_SUBJECT_CN": NameOID.COMMON_NAME,
    "CONFIG_SSL_CERT_SUBJECT_MAIL": NameOID.EMAIL_ADDRESS,
}


@dataclass(frozen=True)
class Authority:
    """Who signs: the certificate, its key, and the certificates above it, the topmost last."""

    certificate: x509.Certificate
    key: SigningKey
    above: tuple[x509.Certificate, ...] = ()


def reason_to_issue(
    certificate: x509.Certificate | None, authority: x509.Certificate, names: Iterable[str], now: datetime.datetime
) -> str:
    """Return why a server certificate must be made, or nothing when the one there is good.

    Args:
        certificate: the one there, if any.
        authority: who must have signed it.
        names: names and addresses without which it is of no use.
        now: the time, with its zone.
    """
    if certificate is None:
        return "there is none"
    if certificate.not_valid_after_utc < now + datetime.timedelta(days=LEAST_DAYS):
        return f"it ends on {certificate.not_valid_after_utc:%Y-%m-%d}"
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return "another authority signed it"
    missing = sorted(set(names) - names_in(certificate))
    return f"it does not hold {', '.join(missing)}" if missing else ""


def needed_names(host: CloudHost) -> frozenset[str]:
    """Return the names without which a host's certificate is of no use: the answer file's, and the host's own.

    Its further names and addresses come into the certificate when it is made, but do not have it made again:
    bridges of the cloud and host entries add to them while pystack installs.
    """
    return frozenset(_usable([host.address, host.facts.get("hostname", "")], host.address))


def all_names(host: CloudHost) -> list[str]:
    """Return every name and address for a host's certificate, the answer file's first."""
    own = [host.facts.get("hostname", ""), host.facts.get("fqdn", ""), *host.facts.get("addresses", ())]
    return _usable([host.address, *own], host.address)


def names_in(certificate: x509.Certificate) -> set[str]:
    """Return the names and addresses that a certificate is good for."""
    try:
        alternatives = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {
        *alternatives.get_values_for_type(x509.DNSName),
        *map(str, alternatives.get_values_for_type(x509.IPAddress)),
    }


def make_authority(
    answers: Mapping[str, Any], now: datetime.datetime, key: ec.EllipticCurvePrivateKey | None = None
) -> Authority:
    """Return a new authority for ten years with the subject of the answer file; its key is EC P-256 unless given."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = subject_of(answers, AUTHORITY_SUBJECT)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    builder = (
        builder_for(subject, subject, key, now, now + datetime.timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(identifier, critical=False)
    )
    return Authority(builder.sign(key, hashes.SHA256()), key)


def issue(
    answers: Mapping[str, Any], names: list[str], authority: Authority, now: datetime.datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Return a new server certificate (EC P-256, 825 days or as long as the authority's) and its key.

    Args:
        answers: the subject.
        names: names and addresses, the first for the common name.
        authority: who signs.
        now: the time, with its zone.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    # A common name has 64 characters at most (RFC 5280); who checks names reads the alternative names instead.
    common = [x509.NameAttribute(NameOID.COMMON_NAME, names[0])] if len(names[0]) <= 64 else []
    subject = x509.Name([*subject_of(answers, SUBJECT), *common])
    end = min(now + datetime.timedelta(days=SERVER_DAYS), authority.certificate.not_valid_after_utc)
    builder = (
        builder_for(subject, authority.certificate.subject, key, now, end)
        .add_extension(x509.SubjectAlternativeName(list(map(_general_name, names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(key_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_signed_by(authority), critical=False)
    )
    without_hash = isinstance(authority.key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey))
    return builder.sign(authority.key, None if without_hash else hashes.SHA256()), key


def subject_of(answers: Mapping[str, Any], parts: Mapping[str, x509.ObjectIdentifier]) -> x509.Name:
    """Return the subject that the answer file wants; raises AnswerFileError naming a field that is too long."""
    attributes = []
    for parameter, identifier in parts.items():
        value = str(answers[parameter] or "")
        if value in ("", "--"):
            continue
        try:
            attributes.append(x509.NameAttribute(identifier, value))
        except ValueError as problem:
            raise AnswerFileError(f"{parameter}: {problem}", "shorten it") from None
    return x509.Name(attributes)


def problem_of(authority: Authority, now: datetime.datetime) -> tuple[str, str]:
    """Return what keeps an authority from signing for the coming days, and what to do; two empty texts if nothing."""
    certificate = authority.certificate
    if public_bytes(authority.key.public_key()) != public_bytes(certificate.public_key()):
        return "the private key belongs to another certificate", "give the key that was made with this certificate"
    if not _may_sign(certificate):
        return "it is no certificate of an authority", "give one with CA:TRUE and the key usage keyCertSign"
    if now < certificate.not_valid_before_utc:
        return (
            f"it is valid from {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC on",
            "check this machine's clock",
        )
    if certificate.not_valid_after_utc < now + datetime.timedelta(days=LEAST_DAYS):
        return f"it ends on {certificate.not_valid_after_utc:%Y-%m-%d}", "renew it and give the new one"
    lower = certificate
    for upper in authority.above:
        with contextlib.suppress(ValueError, TypeError, InvalidSignature):
            lower.verify_directly_issued_by(upper)
            lower = upper
            continue
        return "the certificates in the file do not sign one another", "put the signing one first, the topmost last"
    if lower.issuer != lower.subject:
        return (
            "the topmost certificate is missing",
            "append the certificates above it, up to the one that signed itself",
        )
    return "", ""


def public_bytes(key: PublicKeyTypes) -> bytes:
    """Return a public key in DER, which two equal keys share."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def pem(certificate: x509.Certificate) -> str:
    """Return a certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def key_pem(key: SigningKey) -> str:
    """Return a private key as PEM in PKCS 8, without a passphrase."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _usable(names: Iterable[str], address: str) -> list[str]:
    """Return each name or address once, without those that mean every host itself or that no certificate can hold."""
    kept: dict[str, None] = {}
    for name in names:
        if name == address or not re.match(r"localhost(\.|$)", name):
            with contextlib.suppress(ValueError):
                name = str(ipaddress.ip_address(name))
            if re.fullmatch(r"[A-Za-z0-9.:-]{1,253}", name):
                kept[name] = None
    return list(kept)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def builder_for(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    now: datetime.datetime,
    end: datetime.datetime,
) -> x509.CertificateBuilder:
    """Return what every certificate begins with: who, by whom, which key, from when to when."""
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(end)
    )


def key_usage(*, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False) -> x509.KeyUsage:
    """Return the key usage extension for what is named, and nothing else."""
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _signed_by(authority: Authority) -> x509.AuthorityKeyIdentifier:
    with contextlib.suppress(x509.ExtensionNotFound):
        own = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())


def _may_sign(certificate: x509.Certificate) -> bool:
    extensions = certificate.extensions
    try:
        if not extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        return extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound as missing:
        return missing.oid == x509.KeyUsage.oid
