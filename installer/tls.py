"""The cloud's certificates: read, judged, made where they are missing, and kept on the machine that runs pystack."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from installer.answers import Answers
from installer.certificates import (
    Authority,
    SigningKey,
    all_names,
    issue,
    key_pem,
    make_authority,
    needed_names,
    pem,
    problem_of,
    public_bytes,
    reason_to_issue,
)
from installer.cloud import CloudHost
from installer.errors import AnswerFileError, PystackError
from installer.resources.secret import Secret


@dataclass(frozen=True)
class Certificates:
    """The authority's certificate and every host's own.

    Args:
        ca_pem: the authority's certificate with those above it, up to the one that signed itself.
        servers: host address to its certificate with the chain (PEM) and its private key (PEM, PKCS 8).
    """

    ca_pem: str
    servers: Mapping[str, tuple[str, Secret]]

    def certificate(self, address: str) -> tuple[str, Secret]:
        """Return a host's certificate with its chain and its private key, both PEM; KeyError for a foreign host."""
        return self.servers[address]


def prepare(answers: Answers, hosts: Iterable[CloudHost], write: bool) -> Certificates:
    """Return the certificates of a cloud; those that are good already stay as they are.

    Args:
        answers: where certificates are kept and what they say.
        hosts: the hosts; with facts, their certificates hold their own names and addresses too.
        write: keep what is made in CONFIG_SSL_CERT_DIR (made with 0700, keys 0600); otherwise it lives in memory only.

    Raises:
        AnswerFileError: a given authority cannot be used, or a field of the subject is too long.
        PystackError: the folder cannot be read or written.
    """
    now = datetime.datetime.now(datetime.UTC)
    folder = Path(answers["CONFIG_SSL_CERT_DIR"]).expanduser()
    try:
        if write:
            # One that is there already keeps its mode: it may be anybody's, and the keys in it are closed anyway.
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _alone(folder) if write else contextlib.nullcontext():
            if answers["CONFIG_SSL_CACERT_SELFSIGN"]:
                authority = _own_authority(answers, folder, now, write)
            else:
                authority = given_authority(answers, now)
            servers = {host.address: _server(answers, host, authority, folder, now, write) for host in hosts}
    except OSError as problem:
        raise PystackError(
            f"certificates in {folder}: {problem.strerror}: {problem.filename}",
            "make CONFIG_SSL_CERT_DIR a folder that you may read and write",
        ) from None
    chain = "".join(map(pem, (authority.certificate, *authority.above)))
    return Certificates(chain, servers)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other runs from making certificates in a folder meanwhile: two authorities would fit no server."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def need_authority(answers: Answers) -> None:
    """Make sure that the authority of an installed cloud is on this machine.

    Raises:
        AnswerFileError: CONFIG_SSL_CERT_DIR holds none, although pystack makes it.
    """
    folder = Path(answers["CONFIG_SSL_CERT_DIR"]).expanduser()
    if answers["CONFIG_SSL_CACERT_SELFSIGN"] and not os.path.lexists(folder / "ca.crt"):
        raise AnswerFileError(
            f"{folder} holds no authority (ca.crt): nothing here tells whether the cloud is the one that it says it is",
            "pystack install made it in CONFIG_SSL_CERT_DIR of the machine and account that it ran on:\n"
            "run this there, or copy that folder to here; where nothing is installed yet, run pystack install",
        )


def given_authority(answers: Answers, now: datetime.datetime) -> Authority:
    """Return the authority that the answer file gives.

    Raises:
        AnswerFileError: a file is missing or unreadable, the key is another's, or it may not sign now.
    """
    place, key_place = answers["CONFIG_SSL_CACERT_FILE"], answers["CONFIG_SSL_CACERT_KEY_FILE"]
    if not place or not key_place:
        raise AnswerFileError(
            "CONFIG_SSL_CACERT_SELFSIGN=n needs CONFIG_SSL_CACERT_FILE and CONFIG_SSL_CACERT_KEY_FILE",
            "give both files, or let pystack make an authority with CONFIG_SSL_CACERT_SELFSIGN=y",
        )
    authority = _read_authority(Path(place).expanduser(), Path(key_place).expanduser())
    problem, remedy = problem_of(authority, now)
    if problem:
        raise AnswerFileError(f"CONFIG_SSL_CACERT_FILE={place}: {problem}", remedy)
    return authority


def _own_authority(answers: Answers, folder: Path, now: datetime.datetime, write: bool) -> Authority:
    place, key_place = folder / "ca.crt", folder / "ca.key"
    key = _read_key(key_place) if place.exists() or key_place.exists() else None
    if place.exists():
        authority = _read_authority(place, key_place)
        problem, _ = problem_of(authority, now)
        if not problem:
            return authority
        if not problem.startswith("it ends"):
            raise PystackError(
                f"{place}: {problem}", f"bring both files back, or move {folder} away to have new certificates made"
            )
    # Our own key outlives its certificate: then nothing but the last step decides, and a run may be killed before it.
    kept = key if isinstance(key, ec.EllipticCurvePrivateKey) else None
    authority = make_authority(answers, now, kept)
    if write:
        if kept is None:
            _keep(key_place, key_pem(authority.key), 0o600)
        _keep(place, pem(authority.certificate), 0o644)
    return authority


def _server(
    answers: Answers, host: CloudHost, authority: Authority, folder: Path, now: datetime.datetime, write: bool
) -> tuple[str, Secret]:
    name = host.address.replace(":", "_")
    # The authority's own files are called so.
    place = folder / f"{name}{'_' if name == 'ca' else ''}.crt"
    certificate, key = _read_server(place)
    if (
        certificate is None
        or key is None
        or reason_to_issue(certificate, authority.certificate, needed_names(host), now)
    ):
        certificate, made = issue(answers, all_names(host), authority, now)
        key = key_pem(made)
        if write:
            _keep(place.with_suffix(".key"), key, 0o600)
            _keep(place, pem(certificate), 0o644)
    # Clients hold the topmost certificate already, so a server sends those below it only.
    between = [item for item in (authority.certificate, *authority.above) if item.issuer != item.subject]
    return "".join(map(pem, (certificate, *between))), Secret(key)


def _read_server(place: Path) -> tuple[x509.Certificate | None, str | None]:
    """Return the pair that is kept; nothing where it is missing, damaged, or one does not belong to the other."""
    with contextlib.suppress(FileNotFoundError, ValueError, TypeError):
        certificate = x509.load_pem_x509_certificate(place.read_bytes())
        text = place.with_suffix(".key").read_text()
        key = serialization.load_pem_private_key(text.encode(), None)
        if public_bytes(key.public_key()) == public_bytes(certificate.public_key()):
            return certificate, text
    return None, None


def _read_authority(place: Path, key_place: Path) -> Authority:
    try:
        certificate, *above = x509.load_pem_x509_certificates(place.read_bytes())
    except OSError as problem:
        raise AnswerFileError(f"{place}: {problem.strerror}", "give a file that you may read") from None
    except ValueError:
        raise AnswerFileError(f"{place} holds no certificate", "give it as PEM: -----BEGIN CERTIFICATE-----") from None
    return Authority(certificate, _read_key(key_place), tuple(above))


def _read_key(key_place: Path) -> SigningKey:
    try:
        key = serialization.load_pem_private_key(key_place.read_bytes(), None)
    except OSError as problem:
        raise AnswerFileError(f"{key_place}: {problem.strerror}", "give a file that you may read") from None
    except TypeError:
        raise AnswerFileError(f"{key_place} has a passphrase", "give a copy of the key without one") from None
    except ValueError:
        raise AnswerFileError(f"{key_place} holds no private key", "give it as PEM, in PKCS 1 or PKCS 8") from None
    if not isinstance(key, SigningKey):
        raise AnswerFileError(f"{key_place} is not a key of a kind in use", "use an RSA, EC or Ed25519 key")
    return key


def _keep(place: Path, text: str, mode: int) -> None:
    temporary = place.with_name(f".{place.name}.new")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as stream:
        stream.write(text)
    temporary.replace(place)
